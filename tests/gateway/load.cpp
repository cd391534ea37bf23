#include "load.hpp"

#include <algorithm>
#include <vector>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "fields.hpp"
#include "world.hpp"

namespace gateway {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

constexpr std::int64_t tick_ms = 50;

// An answered call of about the period's length. The rest of the period the agent is idle.
Script synthetic_script(std::int64_t period_ms) {
  Script script;
  script.name = "synthetic";
  script.setup_ms = 0;
  script.a_ring_ms = period_ms / 8;
  script.b_ring_ms = period_ms / 8;
  script.talk_ms = period_ms / 2;
  script.release_ms = period_ms / 16;
  script.ready_ms = period_ms / 16;
  return script;
}

}  // namespace

void Load::set(json::value const& value) {
  Fields fields(value, "load");
  std::string agents;
  auto range = range_;
  if (fields.take("agents", agents)) {
    auto const given = parse_range(agents);
    if (!given) fields.complain("agents", "must be FROM-TO, for example 1000-5999");
    range = *given;
  }
  double share = 0;
  if (!fields.take("share", share, 0.0, 1.0)) fields.complain("share", "give a number from 0 to 1");
  auto period = period_ms_;
  fields.take("period_ms", period, 100, 3'600'000);
  fields.end();

  range_ = range;
  share_ = share;
  period_ms_ = period;
  if (share > 0) {  // stopping keeps the measurement to be read
    world_.latency = Latency{};
    since_ = now_ms();
    calls_ = 0;
    events_before_ = world_.agents.events_handed_out;
    lost_before_ = world_.agents.events_lost;
  }
  if (share > 0 && !running_) {
    running_ = true;
    run(world_.executor, generate());
  }
}

json::object Load::summary() const {
  auto const& delays = world_.latency;
  return {{"share", share_},
          {"agents", std::to_string(range_.from) + "-" + std::to_string(range_.to)},
          {"period_ms", period_ms_},
          {"since", since_},
          {"ms", since_ == 0 ? 0 : now_ms() - since_},
          {"calls", calls_},
          {"events_handed_out", world_.agents.events_handed_out - events_before_},
          {"events_lost", world_.agents.events_lost - lost_before_},
          {"events_queued", world_.agents.queued()},
          {"delay_ms", json::object{{"count", delays.count()},
                                    {"p50", delays.quantile_ms(0.5)},
                                    {"p90", delays.quantile_ms(0.9)},
                                    {"p99", delays.quantile_ms(0.99)},
                                    {"max", delays.most_ms()}}}};
}

asio::awaitable<void> Load::generate() {
  asio::steady_timer timer(world_.executor, Steady::now());
  while (share_ > 0) {
    start_calls();
    timer.expires_at(timer.expiry() + milliseconds(tick_ms));
    co_await timer.async_wait(asio::use_awaitable);
  }
  running_ = false;
}

void Load::start_calls() {
  auto& all = world_.agents.all();
  auto const end = all.upper_bound(range_.to);
  std::int64_t online = 0;
  std::int64_t engaged = 0;
  std::vector<Agent*> free_agents;
  for (auto place = all.lower_bound(range_.from); place != end; ++place) {
    auto& agent = place->second;
    if (!agent.session) continue;
    ++online;
    if (agent.call)
      ++engaged;
    else
      free_agents.push_back(&agent);
  }
  double const target = share_ * static_cast<double>(online);
  auto const missing = static_cast<std::int64_t>(target + 0.5) - engaged;
  // A little faster than calls end, or the target would never be reached.
  auto const every_tick = 1.25 * target * static_cast<double>(tick_ms);
  allowance_ = std::min(allowance_ + every_tick / static_cast<double>(period_ms_), target + 1);
  auto const due = static_cast<std::int64_t>(allowance_);
  auto const count = std::min({missing, due, static_cast<std::int64_t>(free_agents.size())});
  if (count <= 0) return;
  allowance_ -= static_cast<double>(count);

  // Round robin by id.
  auto first = std::ranges::lower_bound(free_agents, next_, {}, &Agent::id);
  for (std::int64_t i = 0; i < count; ++i, ++first) {
    if (first == free_agents.end()) first = free_agents.begin();
    auto& agent = **first;
    next_ = agent.id + 1;
    CallPlan plan;
    plan.facts.caller = "10086";
    plan.facts.called = "139" + std::to_string(10'000'000 + agent.id);
    plan.facts.customer = plan.facts.called;
    plan.phonenum = agent.session->phonenum;
    plan.script = synthetic_script(period_ms_);
    plan.synthetic = true;
    world_.calls.make(agent, std::move(plan))->start();
    ++calls_;
  }
}

}  // namespace gateway
