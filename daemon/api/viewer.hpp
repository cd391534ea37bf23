// Who a recording is given to, as the audit log shall keep it. Pure.
#pragma once

#include <string_view>

namespace cc::api {

/// Whether somebody's number may stand in a name: nothing but 7 to 15 digits and marks; a mobile
/// number or one with its area code, in groups or as one; "+" before 7 digits. The wide digits of
/// Chinese input count as digits. Wider rules would take many a UUID for one.
bool may_hold_number(std::string_view name);

}  // namespace cc::api
