// Refused requests for calls, kept for those who wonder why a phone did not ring.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "record.hpp"

namespace cc {

namespace asio = boost::asio;

/// No number of a customer's in it is whole.
struct Rejection {
  std::int64_t id = 0;
  std::string tenant, key;  // the key's name
  std::int64_t at = 0;      // epoch ms
  int status = 0;           // HTTP's
  std::string code;         // the problem's name, "line-busy"
  std::string detail;
  std::string request_id;
  OptText caller, called;  // masked
  OptText agent, user, channel, business, biz_type, biz_id;
  std::optional<std::int64_t> call;  // the one that was in the way
};

struct RejectionFilter {
  std::string tenant;
  OptText code, agent, user, channel, biz_type, biz_id, request_id;
  std::int64_t from_ms = 0, to_ms = INT64_MAX;
};

/// May hold fewer than asked for, or none, and have a `next` all the same.
struct RejectionPage {
  std::vector<Rejection> rejections;  // newest first
  std::optional<std::int64_t> next;   // give it as `below` for the next page
};

class Rejections {
 public:
  virtual ~Rejections() = default;

  /// Never throws: the answer stands all the same, what can't be kept is counted and logged.
  virtual asio::awaitable<void> keep(Rejection rejection) = 0;

  /// Throws pg::Failure.
  virtual asio::awaitable<RejectionPage> page(RejectionFilter filter, std::int64_t below,
                                              std::size_t limit) = 0;
};

}  // namespace cc
