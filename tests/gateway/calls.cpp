#include "calls.hpp"

#include <utility>

#include "presets.hpp"
#include "world.hpp"

namespace gateway {

namespace {
// Calls that are over go first come, first gone.
constexpr std::size_t most_kept = 200'000;
constexpr std::size_t most_synthetic_kept = 10'000;
}  // namespace

Script const Calls::script_for(std::string const& called) const {
  if (auto const found = scripts.find(called); found != scripts.end()) return found->second;
  if (world_.options.number_table)
    if (auto script = script_by_digits(called)) return *script;
  return default_script;
}

std::shared_ptr<Call> Calls::make(Agent& agent, CallPlan plan) {
  plan.facts.task_id = ++made_;
  plan.facts.call_id = std::to_string(now_ms() / 1000) + "-" + std::to_string(made_);
  plan.agent = agent.id;
  auto call = std::make_shared<Call>(world_, std::move(plan));
  calls_.emplace(call->id(), call);
  order_.push_back(call);
  ++living_;
  ++agent.calls;
  agent.call = call;
  while (order_.front()->over() &&
         order_.size() > (order_.front()->synthetic() ? most_synthetic_kept : most_kept)) {
    calls_.erase(order_.front()->id());
    order_.pop_front();
  }
  return call;
}

std::shared_ptr<Call> Calls::find(std::string const& id) const {
  auto const found = calls_.find(id);
  return found == calls_.end() ? nullptr : found->second;
}

void Calls::abandon_all() {
  for (auto const& call : order_)
    if (!call->over()) call->abandon();
}

void Calls::forget_scripts() {
  scripts.clear();
  default_script = Script{};
}

}  // namespace gateway
