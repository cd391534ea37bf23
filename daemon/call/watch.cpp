#include "call/watch.hpp"

#include <vector>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "log.hpp"

namespace cc {
namespace {

constexpr Millis ask_every{100};

constexpr std::string_view versions_sql =
    "SELECT id, version FROM call_record WHERE id = ANY($1::bigint[]) AND id BETWEEN $2 AND $3";

}  // namespace

void Watch::notify(std::int64_t call) {
  const auto [from, to] = waiters_.equal_range(call);
  for (auto at = from; at != to; ++at) at->second.timer->cancel();
}

void Watch::wake_all() {
  for (auto& [call, waiter] : waiters_) waiter.timer->cancel();
}

asio::awaitable<void> Watch::wait(std::int64_t call, std::int64_t version, Millis time) {
  asio::steady_timer timer(co_await asio::this_coro::executor, time);
  const auto place = waiters_.emplace(call, Waiter{version, &timer});
  struct Leave {  // also when the waiting coroutine is destroyed
    Watch& watch;
    std::multimap<std::int64_t, Waiter>::iterator place;
    ~Leave() { watch.waiters_.erase(place); }
  } const leave{*this, place};
  boost::system::error_code woken;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, woken));
}

asio::awaitable<void> Watch::run() {
  for (;;) {
    co_await clock_.sleep_for(ask_every);
    if (waiters_.empty()) continue;
    std::vector<std::int64_t> calls;
    for (const auto& [call, waiter] : waiters_) {
      if (calls.empty() || calls.back() != call) calls.push_back(call);
    }
    try {
      const pg::Rows rows = co_await pool_.query(
          versions_sql, pg::params(pg::array(calls), calls.front(), calls.back()));
      for (std::size_t row = 0; row < rows.size(); ++row) {
        const auto [from, to] = waiters_.equal_range(rows.integer(row, "id"));
        for (auto at = from; at != to; ++at) {
          if (rows.integer(row, "version") > at->second.version) at->second.timer->cancel();
        }
      }
    } catch (const pg::Failure& failure) {
      log().debug("asking for changed calls: {}", failure.what());
    }
  }
}

}  // namespace cc
