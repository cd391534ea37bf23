#include "framing.hpp"

#include <algorithm>
#include <string>

namespace cc::api {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return result;
}

bool is_digits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// Bytes on the wire, but for white space around values.
std::size_t size_of(const Request& head) {
  std::size_t size = 0;
  for (const auto& [name, value] : head.headers) size += name.size() + value.size() + 4;
  return size;
}

Problem malformed(std::string name, std::string reason) {
  Problem problem;
  problem.type = ProblemType::malformed_request;
  problem.detail = "The " + name + " " + reason + ".";
  problem.invalid_params.push_back({std::move(name), std::move(reason)});
  return problem;
}

std::optional<Problem> wrong_host(const Request& head, unsigned minor) {
  const std::size_t hosts = head.header_count("host");
  if (hosts > 1) return malformed("header Host", "must be given once");
  if (hosts == 0 && minor >= 1) return malformed("header Host", "is missing; HTTP/1.1 demands it");
  return std::nullopt;
}

/// Where the body ends must be said once, in one way (RFC 9112, 6.3): a proxy in front of us that
/// reads it in another way would take a part of one client's request for the next one's.
std::optional<Problem> wrong_length(const Request& head, unsigned minor) {
  const std::size_t lengths = head.header_count("content-length");
  const std::size_t codings = head.header_count("transfer-encoding");
  if (lengths > 1) return malformed("header Content-Length", "must be given once");
  if (lengths == 1 && !is_digits(*head.header("content-length"))) {
    return malformed("header Content-Length", "must be digits, one number");
  }
  if (codings == 0) return std::nullopt;
  if (lengths != 0) {
    return malformed("header Transfer-Encoding", "must not stand beside Content-Length");
  }
  if (minor == 0) return malformed("header Transfer-Encoding", "is unknown to HTTP/1.0");
  if (codings > 1 || lower(*head.header("transfer-encoding")) != "chunked") {
    return malformed("header Transfer-Encoding", "must be \"chunked\", given once");
  }
  return std::nullopt;
}

}  // namespace

Problem target_too_long() {
  Problem problem;
  problem.type = ProblemType::target_too_long;
  problem.detail = "The request line may have " + std::to_string(max_request_line) +
                   " bytes. POST /v1/calls/search takes filters in its body.";
  return problem;
}

Problem header_too_large() {
  Problem problem;
  problem.type = ProblemType::header_too_large;
  problem.detail = "Request line and headers may have " + std::to_string(max_head) +
                   " bytes together, and there may be " + std::to_string(max_fields) + " headers.";
  return problem;
}

std::optional<Problem> wrong_head(const Request& head, unsigned minor) {
  constexpr std::size_t around = std::string_view("  HTTP/1.1\r\n").size();
  const std::size_t line = head.method.size() + head.target.size() + around;
  if (line > max_request_line) return target_too_long();
  if (head.headers.size() > max_fields || line + size_of(head) > max_head) {
    return header_too_large();
  }
  if (auto problem = wrong_host(head, minor)) return problem;
  return wrong_length(head, minor);
}

}  // namespace cc::api
