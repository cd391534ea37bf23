// CallQuery over PostgreSQL.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "io/pg.hpp"
#include "query/call_query.hpp"
#include "query/scan_gate.hpp"

namespace cc {

/// How much one page may make PostgreSQL read where no index knows all filters: so many rows a
/// statement, so many statements, and none is begun after `time`. What is not found by then is left
/// to the next page: such a page is shorter than asked for, or empty, and has a `next`.
struct SearchBounds {
  std::size_t rows = 20'000;
  std::size_t statements = 10;
  std::chrono::milliseconds time{200};
  std::chrono::milliseconds wait{5000};  // for its turn at the gate
};

class CallSearch final : public CallQuery {
 public:
  /// `channels` gives the codes that a channel's call id may be of. Pages that look through rows
  /// go through the gate, if there is one.
  CallSearch(pg::Pool& pool, std::function<std::vector<std::string>()> channels,
             SearchBounds bounds = {}, ScanGate* gate = nullptr)
      : pool_(pool), channels_(std::move(channels)), bounds_(bounds), gate_(gate) {}

  /// A filter with an empty tenant means all tenants: for ccd's commands only.
  asio::awaitable<CallPage> page(CallFilter filter, Cursor cursor, std::size_t limit) override;

 private:
  pg::Pool& pool_;
  std::function<std::vector<std::string>()> channels_;
  SearchBounds bounds_;
  ScanGate* gate_;
};

}  // namespace cc
