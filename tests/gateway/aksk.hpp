// The signature of requests for files: "auth-v2", as README.md has it.
#pragma once

#include <cstdint>
#include <string>

#include "reply.hpp"

namespace gateway {

struct Options;

// What is wrong with the request's Authorization; "" = nothing.
std::string signature_fault(Request const& request, Target const& target, Options const& options,
                            std::int64_t now);

}  // namespace gateway
