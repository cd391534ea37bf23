// Stand-ins for what query_routes.cpp and rejection_routes.cpp ask, and for who is told.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "audit/audit.hpp"
#include "fake_calls.hpp"
#include "io/pg.hpp"
#include "query/call_query.hpp"
#include "query/rejections.hpp"

namespace cc::test {

/// Calls with ids count … 1, in pages.
struct FakeQuery final : CallQuery {
  asio::awaitable<CallPage> page(CallFilter wanted, Cursor at, std::size_t most) override {
    filter = wanted;
    cursor = at;
    limit = most;
    if (busy_pages > 0 && busy_pages-- > 0) throw pg::Failure("53400", "too many");
    if (empty_pages > 0 && empty_pages-- > 0) co_return CallPage{{}, at};
    if (fails_below > at.last) throw pg::Failure("57014", "canceling statement");
    CallPage result;
    for (std::int64_t id = std::min(at.last - 1, count); id > 0; --id) {
      if (result.calls.size() == most) {
        result.next = Cursor{id + 1, wanted.from_ms};
        break;
      }
      result.calls.push_back(make_record(id, wanted.tenant));
    }
    co_return result;
  }
  std::int64_t count = 3;
  int empty_pages = 0;           // come first, with a `next`
  int busy_pages = 0;            // before them: their turn does not come
  std::int64_t fails_below = 0;  // PostgreSQL goes away when so much has been read
  CallFilter filter;
  Cursor cursor;
  std::size_t limit = 0;
};

struct FakeAudit final : AuditTrail {
  asio::awaitable<void> keep(AuditEntry entry) override {
    if (away) throw pg::Failure("", "connection lost");
    entries.push_back(std::move(entry));
    co_return;
  }
  asio::awaitable<void> shown(AuditEntry entry) override { return keep(std::move(entry)); }
  asio::awaitable<AuditPage> page(AuditFilter, std::int64_t, std::size_t) override {
    co_return AuditPage{};
  }
  std::vector<AuditEntry> entries;
  bool away = false;
};

struct FakeRejections final : Rejections {
  asio::awaitable<void> keep(Rejection rejection) override {
    kept.push_back(std::move(rejection));
    co_return;
  }
  asio::awaitable<RejectionPage> page(RejectionFilter wanted, std::int64_t at,
                                      std::size_t most) override {
    filter = wanted;
    below = at;
    limit = most;
    co_return answer;
  }
  std::vector<Rejection> kept;
  RejectionFilter filter;
  std::int64_t below = 0;
  std::size_t limit = 0;
  RejectionPage answer;
};

}  // namespace cc::test
