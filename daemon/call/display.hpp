// Which numbers a call's phones show: the tenant's policy, and what overrides it (rules.md,
// "Numbers shown"). Pure.
#pragma once

#include <string>
#include <string_view>

#include "config.hpp"
#include "record.hpp"

namespace cc {

/// The policy of a call. `initiator` customer: the agent never sees the customer's number.
Display display_for(const Tenant& tenant, const OptText& business, std::string_view initiator);

/// As a record keeps it: "toAgent=customer toCustomer=main".
std::string to_text(const Display& display);
/// Nothing hidden where the text is absent; everything where it can't be read.
Display display_from_text(const OptText& text);

}  // namespace cc
