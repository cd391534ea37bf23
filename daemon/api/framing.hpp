// Whether a request's head may be believed, before any route sees it. Pure.
#pragma once

#include <cstddef>
#include <optional>

#include "message.hpp"
#include "problem.hpp"

namespace cc::api {

constexpr std::size_t max_request_line = std::size_t{8} * 1024;  // bytes, without its line end
constexpr std::size_t max_head = std::size_t{16} * 1024;         // bytes, with the request line
constexpr std::size_t max_fields = 100;                          // headers

/// What is wrong with method, target and headers as they came, each header on its own: sizes, the
/// host that HTTP/1.1 demands, and whatever two servers in a row could read in two ways as to where
/// the body ends. `minor` is the y of HTTP/1.y.
std::optional<Problem> wrong_head(const Request& head, unsigned minor);

/// The problems of a head that is too large to be read to its end.
Problem target_too_long();
Problem header_too_large();

}  // namespace cc::api
