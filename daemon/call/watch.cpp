#include "call/watch.hpp"

#include <vector>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "log.hpp"

namespace cc {
namespace {

constexpr Millis ask_every{100};

constexpr std::string_view versions_sql =
    "SELECT id, version FROM call_record WHERE id = ANY($1::bigint[]) AND id BETWEEN $2 AND $3";

}  // namespace

Watch::Interest::Interest(Watch& watch, asio::any_io_executor executor, std::int64_t call)
    : watch_(watch), timer_(std::move(executor)), place_(watch.interests_.emplace(call, this)) {}

Watch::Interest::~Interest() {
  watch_.interests_.erase(place_);
}

void Watch::Interest::wake() {
  changed_ = true;
  timer_.cancel();
}

asio::awaitable<void> Watch::Interest::wait(std::int64_t version, Millis time) {
  if (!changed_) {
    version_ = version;
    timer_.expires_after(time);
    boost::system::error_code woken;
    co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    version_ = INT64_MAX;
  }
  changed_ = false;
}

void Watch::notify(std::int64_t call) {
  const auto [from, to] = interests_.equal_range(call);
  for (auto at = from; at != to; ++at) at->second->wake();
}

void Watch::wake_all() {
  for (auto& [call, interest] : interests_) interest->wake();
}

asio::awaitable<void> Watch::run() {
  for (;;) {
    co_await clock_.sleep_for(ask_every);
    std::vector<std::int64_t> calls;
    for (const auto& [call, interest] : interests_) {
      const bool waits = interest->version_ != INT64_MAX;
      if (waits && (calls.empty() || calls.back() != call)) calls.push_back(call);
    }
    if (calls.empty()) continue;
    try {
      const pg::Rows rows = co_await pool_.query(
          versions_sql, pg::params(pg::array(calls), calls.front(), calls.back()));
      for (std::size_t row = 0; row < rows.size(); ++row) {
        const auto [from, to] = interests_.equal_range(rows.integer(row, "id"));
        for (auto at = from; at != to; ++at) {
          if (rows.integer(row, "version") > at->second->version_) at->second->wake();
        }
      }
    } catch (const pg::Failure& failure) {
      log().debug("asking for changed calls: {}", failure.what());
    }
  }
}

}  // namespace cc
