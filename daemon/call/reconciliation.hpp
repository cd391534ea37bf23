// Whose word each call's end rests on, day by day: the channel's, or only our own clock's. Once a
// day what the channels still owe is counted and asked for again; the counts are kept.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "config.hpp"
#include "io/pg.hpp"

namespace cc {

namespace asio = boost::asio;

/// A day in UTC+8, the channels' time.
class Day {
 public:
  /// "2026-11-22"; nothing where there is no such day, or none of this century.
  static std::optional<Day> parse(std::string_view text);
  static Day of(std::int64_t epoch_ms) noexcept;

  std::int64_t begin_ms() const noexcept { return begin_ms_; }
  std::int64_t end_ms() const noexcept;
  Day plus(int days) const noexcept;
  std::string text() const;
  auto operator<=>(const Day&) const = default;

 private:
  explicit Day(std::int64_t begin_ms) : begin_ms_(begin_ms) {}
  std::int64_t begin_ms_;
};

/// One day's calls of a tenant at a channel. Each call is in exactly one of the counts after
/// `calls`; their meaning stands in conf/sql/005_reconciliation.sql.
struct ReconciledDay {
  std::string day, tenant, channel;
  std::int64_t calls = 0, final = 0, refused = 0, open = 0;
  std::int64_t asking = 0, given_up = 0, unnamed = 0, unasked = 0;
  std::int64_t looked_ms = 0;  // when it was counted

  /// Calls whose end no channel will ever vouch for.
  std::int64_t lost() const noexcept { return given_up + unnamed + unasked; }
};

/// A call without its channel's final word, as it stands now.
struct OwedCall {
  std::int64_t id = 0;
  std::string tenant, channel, standing;  // open, asking, given_up, unnamed, unasked, or
                                          // purged: its attempt is not kept any more
  std::optional<std::string> channel_call_id, close_detail, problem;  // the last query's
  std::int64_t created_ms = 0, queries = 0;
  std::optional<std::int64_t> close_ms, next_query_ms;
};

struct DayFilter {
  std::optional<std::string> tenant, channel;  // absent = all
};

struct Reconciled {
  std::vector<ReconciledDay> days;    // as counted now, after asking
  std::size_t asked = 0;              // calls put on the list of those to be queried
  std::vector<std::string> problems;  // days that could not be counted, and why
};

// All of the following throw pg::Failure.

/// Counts the days of [first, last] anew, as far as their calls and attempts are still kept, and
/// puts the calls on the list of those to be queried that nobody has asked for and that the channel
/// may still know.
asio::awaitable<Reconciled> reconcile(pg::Pool& pool, Day first, Day last, Millis give_up,
                                      std::int64_t now_ms);

/// reconcile() of the days that may still change, if it is time and no other daemon has done it:
/// once a day after `at` (since midnight in UTC+8).
asio::awaitable<std::optional<Reconciled>> reconcile_daily(pg::Pool& pool, Millis at,
                                                           Millis give_up, std::int64_t now_ms);

/// The counts of [first, last] as they were taken last, newest day first.
asio::awaitable<std::vector<ReconciledDay>> list_days(pg::Pool& pool, Day first, Day last,
                                                      DayFilter filter);

/// A day's calls without a channel's final word, by id above `above`.
asio::awaitable<std::vector<OwedCall>> list_owed(pg::Pool& pool, Day day, DayFilter filter,
                                                 std::int64_t above, int limit);

/// What the API asks for.
class Reconciliation {
 public:
  virtual ~Reconciliation() = default;
  virtual asio::awaitable<std::vector<ReconciledDay>> days(Day first, Day last,
                                                           DayFilter filter) = 0;
  virtual asio::awaitable<std::vector<OwedCall>> owed(Day day, DayFilter filter, std::int64_t above,
                                                      int limit) = 0;
};

class StoredReconciliation final : public Reconciliation {
 public:
  explicit StoredReconciliation(pg::Pool& pool) : pool_(pool) {}
  asio::awaitable<std::vector<ReconciledDay>> days(Day first, Day last, DayFilter filter) override;
  asio::awaitable<std::vector<OwedCall>> owed(Day day, DayFilter filter, std::int64_t above,
                                              int limit) override;

 private:
  pg::Pool& pool_;
};

}  // namespace cc
