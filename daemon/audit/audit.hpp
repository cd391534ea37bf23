// Who saw customers' numbers, took recordings or exports, or did what only operators do (api.md,
// "Who sees which number").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "record.hpp"

namespace cc {

namespace asio = boost::asio;

/// One row. Holds no number and no secret.
struct AuditEntry {
  std::int64_t id = 0;
  std::int64_t at = 0;  // epoch ms; 0 = now
  std::string tenant;
  std::string key;         // the key's name; "command:<user>" for a command of this machine's
  std::string action;      // numbers.shown, calls.exported, line.released, key.created, …
  std::string request_id;  // empty = none
  std::string address;     // the client's; empty = not known
  std::vector<std::int64_t> calls;  // that it was about, 1000 at most
  std::int64_t count = 0;           // how many it was about in all
  std::string detail;               // a JSON object; empty = none
};

struct AuditFilter {
  std::string tenant;
  OptText key, action, request_id;
  std::optional<std::int64_t> call;
  std::int64_t from_ms = 0, to_ms = INT64_MAX;
};

struct AuditPage {
  std::vector<AuditEntry> entries;   // newest first
  std::optional<std::int64_t> next;  // give it as `below` for the next page
};

class AuditTrail {
 public:
  virtual ~AuditTrail() = default;

  /// Returns when the row is committed; all who wait at the same time share one transaction. Throws
  /// pg::Failure: then what was to be told must not be shown.
  virtual asio::awaitable<void> keep(AuditEntry entry) = 0;

  /// The same for whole numbers that an answer is about to show; the same call shown to the same
  /// key again within ten minutes by this daemon is not told twice. Throws pg::Failure.
  virtual asio::awaitable<void> shown(AuditEntry entry) = 0;

  /// Throws pg::Failure.
  virtual asio::awaitable<AuditPage> page(AuditFilter filter, std::int64_t below,
                                          std::size_t limit) = 0;
};

}  // namespace cc
