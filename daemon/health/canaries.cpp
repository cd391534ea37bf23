#include "health/canaries.hpp"

#include <random>
#include <set>

#include "canary.hpp"
#include "log.hpp"
#include "spawn.hpp"
#include "text.hpp"

namespace cc {
namespace {

constexpr Millis patience{3000};
constexpr std::size_t problem_width = 256;  // the column's
// Without an answer of PostgreSQL for so long the last one says nothing any more.
constexpr Millis stale{10'000};

// A compare-and-set by PostgreSQL's clock: however many daemons ask, one gets the row.
constexpr std::string_view claim_sql =
    "INSERT INTO canary AS c (location, channel, id, posted) "
    "SELECT $1, $2, $3, (extract(epoch FROM clock_timestamp()) * 1000)::bigint "
    "ON CONFLICT (location) DO UPDATE SET channel = excluded.channel, id = excluded.id, "
    "posted = excluded.posted WHERE c.posted <= excluded.posted - $4::bigint OR "
    "c.posted > excluded.posted "  // the clock was set back
    "RETURNING c.posted";

constexpr std::string_view answer_sql =
    "UPDATE canary SET status = $3::int, problem = $4 WHERE location = $1 AND id = $2";

constexpr std::string_view read_sql =
    "SELECT c.location, c.posted, c.problem, c.arrived, c.delay_ms, "
    "(extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now FROM canary c";

}  // namespace

asio::awaitable<void> Canaries::look() {
  const std::vector<Config::Canary> canaries = parts_.config.canaries;
  std::set<std::string> locations;
  for (const Config::Canary& canary : canaries) locations.insert(canary.location);
  std::erase_if(views_, [&](const auto& item) { return !locations.contains(item.first); });
  if (canaries.empty()) co_return;
  for (const Config::Canary& canary : canaries) {
    View& view = views_[canary.location];
    if (view.watched_since == std::chrono::steady_clock::time_point{}) {
      view.watched_since = view.read = parts_.clock.steady();
    }
    view.state.channel = canary.channel;
  }
  co_await read_all();
  // Whoever asks for the row locks it, and so writes: only where it is time.
  const Millis every = parts_.config.health.canary_every;
  for (const Config::Canary& canary : canaries) {
    const CanaryState& state = views_[canary.location].state;
    const bool due = !state.sent || state.sent_ago_ms >= every.count();
    if (due && !stopping_) co_await send_due(canary);
  }
}

asio::awaitable<void> Canaries::send_due(Config::Canary canary) {
  const auto channel = parts_.channels.find(canary.channel);
  if (channel == nullptr) co_return;
  std::string id = make_canary_id(canary.location, std::random_device{}());
  CanaryBody body = channel->kind->canary(id, channel->config.e9.app_id);
  if (body.body.empty()) co_return;
  const pg::Rows claimed = co_await parts_.pool.query(
      claim_sql, pg::params(canary.location, canary.channel, id,
                            std::int64_t{parts_.config.health.canary_every.count()}));
  if (claimed.empty()) co_return;
  const auto executor = co_await asio::this_coro::executor;
  spawn(executor, "canary", post(std::move(canary), std::move(id), std::move(body)));
}

asio::awaitable<void> Canaries::post(Config::Canary canary, std::string id, CanaryBody body) {
  HttpRequest request;
  request.method = "POST";
  request.url = canary.url;
  request.headers.emplace_back("Content-Type", body.content_type);
  request.body = std::move(body.body);
  request.connect_timeout = request.timeout = patience;
  request.ca_file = canary.ca_file;
  const HttpExchange exchange = co_await http_.perform(std::move(request));
  const unsigned status = exchange.answered() ? exchange.status : 0;
  std::string problem = canary_problem(status, exchange.problem, canary.channel);
  bool cut = false;
  problem = cut_to_width(repair_utf8(problem), problem_width, cut);
  std::optional<std::string> told;
  if (!problem.empty()) told = std::move(problem);
  try {
    co_await parts_.pool.query(
        answer_sql,
        pg::params(canary.location, id, static_cast<std::int64_t>(status), std::move(told)));
  } catch (const pg::Failure& failure) {
    log().debug("canary to {}: {}", canary.location, failure.what());
  }
}

asio::awaitable<void> Canaries::read_all() {
  const pg::Rows rows = co_await parts_.pool.query(read_sql);
  const auto now = parts_.clock.steady();
  for (auto& [location, view] : views_) {
    view.state.watched_ms = std::chrono::duration_cast<Millis>(now - view.watched_since).count();
    view.read = now;
  }
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const auto found = views_.find(std::string(rows.text(row, "location")));
    if (found == views_.end()) continue;
    const std::int64_t now_ms = rows.integer(row, "now");
    CanaryState& state = found->second.state;
    state.sent_ago_ms = now_ms - rows.integer(row, "posted");
    state.sent = state.sent_ago_ms >= 0;  // or PostgreSQL's clock was set back: begin anew
    state.problem = rows.opt_text(row, "problem").value_or("");
    state.arrived_ago_ms.reset();
    if (const auto arrived = rows.opt_integer(row, "arrived")) {
      state.arrived_ago_ms = std::max<std::int64_t>(now_ms - *arrived, 0);
    }
    state.delay_ms = rows.opt_integer(row, "delay_ms").value_or(0);
  }
}

std::vector<PartHealth> Canaries::parts() const {
  std::vector<PartHealth> parts;
  for (const auto& [location, view] : views_) {
    const std::int64_t every_ms = parts_.config.health.canary_every.count();
    Judgement judgement = judge_canary(view.state, every_ms);
    if (parts_.clock.steady() - view.read > stale) {
      judgement = {Grade::degraded, "not known while PostgreSQL can't be asked"};
    }
    PartHealth part{"canary " + location, true, std::move(judgement.says)};
    part.grade = judgement.grade;
    parts.push_back(std::move(part));
  }
  return parts;
}

}  // namespace cc
