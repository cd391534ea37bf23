#include "call.hpp"

#include <random>
#include <utility>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "presets.hpp"
#include "world.hpp"

namespace gateway {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

constexpr std::string_view first_six[] = {"answered",    "agent-hangs-up", "b-no-answer",
                                          "a-no-answer", "long-talk",      "platform-ends"};

json::value time_or_null(std::int64_t at) {
  return at == 0 ? json::value(nullptr) : json::value(at);
}

json::value text_or_null(std::string const& text) {
  return text.empty() ? json::value(nullptr) : json::value(text);
}

}  // namespace

Call::Call(World& world, CallPlan plan)
    : world_(world),
      plan_(std::move(plan)),
      timer_(world.executor),
      gone_(world.executor, Steady::time_point::max()),
      began_at_(now_ms()) {
  if (plan_.script.random) draw();
}

void Call::draw() {
  auto drawn = *script_by_name(first_six[world_.random() % std::size(first_six)]);
  std::uniform_real_distribution<double> factor(0.2, 2.0);
  for (auto pause : {&drawn.setup_ms, &drawn.a_ring_ms, &drawn.b_ring_ms, &drawn.talk_ms,
                     &drawn.release_ms, &drawn.ready_ms})
    *pause = static_cast<std::int64_t>(static_cast<double>(*pause) * factor(world_.random));
  drawn.name = "random-" + drawn.name;
  drawn.callout = plan_.script.callout;
  drawn.lose = plan_.script.lose;
  drawn.repeat = plan_.script.repeat;
  drawn.spelling = plan_.script.spelling;
  plan_.script = std::move(drawn);
}

void Call::start() {
  if (std::exchange(started_, true) || abandoned_) return;
  run(world_.executor, live(shared_from_this()));
}

bool Call::end(Ending ending) {
  if (ended() || interruption_) return false;
  interruption_ = std::move(ending);
  timer_.cancel();
  start();
  return true;
}

void Call::abandon(std::string by) {
  if (std::exchange(abandoned_, true)) return;
  timer_.cancel();
  if (!ended()) mark_end(std::move(by));
  free();
}

void Call::event_gone() {
  ++events_gone_;
  gone_.cancel();
}

asio::awaitable<void> Call::events_gone(std::int64_t count) {
  while (events_gone_ < count && !over_) {
    boost::system::error_code ignored;
    co_await gone_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
}

asio::awaitable<void> Call::live(std::shared_ptr<Call> self) {
  co_await self->play();
  self->free();
}

asio::awaitable<bool> Call::rest(std::int64_t ms) {
  if (ms > 0 && !abandoned_) {
    auto const scaled = static_cast<double>(ms) * 1000.0 / plan_.speed;
    timer_.expires_after(std::chrono::microseconds(static_cast<std::int64_t>(scaled)));
    boost::system::error_code ignored;
    co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  co_return abandoned_;
}

asio::awaitable<bool> Call::pause(std::int64_t ms) {
  if (!interruption_) co_await rest(ms);
  co_return interruption_ || abandoned_;
}

// Coroutines here only wait and decide; what happens in between are plain functions (GCC 12
// destroys some temporaries of coroutines twice).
asio::awaitable<void> Call::play() {
  auto const& script = plan_.script;
  bool stopped = co_await pause(script.setup_ms);
  bool const unreached = script.outcome == Outcome::a_unreached;
  bool const busy = !stopped && !unreached && !take_phone();
  if (!stopped && !busy && !unreached) {
    ring_a();
    stopped = co_await pause(script.a_ring_ms);
  }
  if (abandoned_) co_return;
  if (stopped || busy || unreached || script.outcome == Outcome::a_no_answer) {
    fail_a(busy ? "a_busy" : unreached ? "a_unreached" : "a_no_answer");
    co_await hook(3, false);
    co_return;
  }
  answer_a();

  if (!plan_.facts.inbound) {
    ring_b();
    bool const gives_up = script.outcome == Outcome::agent_gives_up;
    stopped = co_await pause(gives_up ? script.b_ring_ms / 2 : script.b_ring_ms);
    if (abandoned_) co_return;
    if (!stopped && script.outcome == Outcome::b_no_answer) {
      fail_b();
      co_await hook(3, true);
      co_return;
    }
    if (stopped || gives_up) {
      auto const state = release(gives_up ? HungUpBy::agent : script.hung_up_by);
      co_await hook(state, true);
      co_return;
    }
  }

  connect();
  co_await pause(script.talk_ms);
  if (abandoned_) co_return;
  auto const state = release(script.hung_up_by);
  co_await hook(state, true);
}

void Call::ring_a() {
  stage_ = "a_rings";
  note("ring", {{"leg", "A"}, {"number", plan_.phonenum}});
  emit("AgentOther_PhoneAlerting");
}

void Call::answer_a() {
  a_answered_at_ = now_ms();
  note("answer", {{"leg", "A"}, {"number", plan_.phonenum}});
  emit("AgentOther_PhoneOffhook");
  emit("AgentState_Busy");
  if (plan_.script.unknown_events) emit("AgentOther_Novelty");
}

void Call::ring_b() {
  stage_ = "b_rings";
  note("ring", {{"leg", "B"}, {"number", plan_.facts.customer}});
  emit("AgentEvent_Customer_Alerting", customer_alerting(plan_.facts, plan_.script.spelling));
}

void Call::connect() {
  if (!plan_.facts.inbound) note("answer", {{"leg", "B"}, {"number", plan_.facts.customer}});
  stage_ = "talking";
  connected_at_ = now_ms();
  note("connected");
  emit("AgentEvent_Talking", talking(plan_.facts, plan_.script.spelling));
  if (plan_.script.record) {
    auto content = record(plan_.facts, plan_.agent, connected_at_);
    record_file_ = content.at("fileName").as_string();
    emit("AgentMediaEvent_Record", std::move(content));
  }
  if (plan_.script.unknown_events)
    emit("AgentEvent_Novelty", json::object{{"callid", id()}, {"novelty", json::array{1, "x"}}});
}

// The end of a call whose A answered: by who interrupted it, else by `scripted`. Returns the state
// that A's phone will tell.
int Call::release(HungUpBy scripted) {
  Ending ending{scripted, "customer", 3};
  if (scripted == HungUpBy::agent) ending = {scripted, "agent", 2};
  if (scripted == HungUpBy::platform) ending.by = "platform";
  if (interruption_) ending = *interruption_;
  mark_end(ending.by);
  if (plan_.script.lost_end) return ending.phone_state;
  if (ending.side == HungUpBy::customer)
    emit("AgentEvent_Customer_Release", customer_release(plan_.facts, plan_.script.spelling));
  if (ending.side == HungUpBy::agent) emit("AgentEvent_Call_Release", json::value(id()));
  if (plan_.script.record && connected_at_ != 0)
    emit("AgentMediaEvent_StopRecordDone", stop_record_done(plan_.facts, connected_at_, ended_at_));
  return ending.phone_state;
}

// A's phone goes on hook a little later, and the agent is ready again.
asio::awaitable<void> Call::hook(int phone_state, bool ready) {
  bool abandoned = co_await rest(plan_.script.release_ms);
  if (abandoned) co_return;
  if (!plan_.script.lost_end)
    emit("AgentOther_PhoneRelease", phone_release(phone_state, plan_.script.spelling));
  free();
  if (!ready) co_return;
  abandoned = co_await rest(plan_.script.ready_ms);
  if (!abandoned && !plan_.script.lost_end) emit("AgentState_Ready");
}

void Call::fail_a(std::string cause) {
  if (interruption_) cause = interruption_->by;
  mark_end(std::move(cause));
  if (!plan_.script.lost_end) emit("AgentEvent_Connect_Fail", json::value(id()));
}

void Call::fail_b() {
  mark_end("b_no_answer");
  if (plan_.script.lost_end) return;
  emit("AgentEvent_Call_Out_Fail", json::value(id()));
  emit("AgentEvent_Connect_Fail", json::value(id()));
}

// One phone, one call: a second one finds it busy.
bool Call::take_phone() {
  if (plan_.synthetic) return true;
  auto const [place, free_phone] = world_.calls.phones.emplace(plan_.phonenum, id());
  has_phone_ = free_phone;
  if (free_phone) return true;
  if (world_.options.strict_phone)
    world_.journal.violation("rung_while_busy", {{"agent", plan_.agent},
                                                 {"callId", id()},
                                                 {"number", plan_.phonenum},
                                                 {"heldBy", place->second}});
  return false;
}

void Call::emit(std::string_view type, json::value content) {
  if (abandoned_) return;
  for (auto const& lost : plan_.script.lose)
    if (lost == type) {
      note("event_kept_back", {{"eventType", type}});
      return;
    }
  for (auto copy = plan_.script.repeat; copy > 0; --copy)
    world_.agents.emit(plan_.agent, type, content, id());
}

void Call::note(std::string_view event, json::object fields) {
  if (!world_.journal.wants(Journal::About::call)) return;
  fields["agent"] = plan_.agent;
  fields["callId"] = id();
  fields["called"] = plan_.facts.called;
  fields["callappdata"] = text_or_null(plan_.app_data);
  world_.journal.write(Journal::About::call, event, std::move(fields));
}

void Call::mark_end(std::string by) {
  ended_at_ = now_ms();
  by_ = std::move(by);
  note("hangup", {{"by", by_}, {"stage", stage_}});
  stage_ = "ended";
  world_.calls.note_end();
}

// The phone is on hook: the agent may make another call.
void Call::free() {
  if (std::exchange(over_, true)) return;
  if (has_phone_) world_.calls.phones.erase(plan_.phonenum);
  if (auto agent = world_.agents.find(plan_.agent); agent && agent->call.get() == this)
    agent->call.reset();
  note("call_over", {{"cause", by_},
                     {"beganAt", began_at_},
                     {"aAnsweredAt", time_or_null(a_answered_at_)},
                     {"connectedAt", time_or_null(connected_at_)},
                     {"endedAt", ended_at_}});
  gone_.cancel();
}

// endtime is 0 or absent while the call lives, by turns.
json::object Call::info() const {
  json::object out{{"callid", id()},
                   {"caller", plan_.facts.caller},
                   {"called", plan_.facts.called},
                   {"begintime", began_at_}};
  if (ended())
    out["endtime"] = ended_at_;
  else if (plan_.facts.task_id % 2 == 0)
    out["endtime"] = 0;
  return out;
}

json::object Call::to_json() const {
  return {{"callId", id()},
          {"agent", plan_.agent},
          {"phonenum", plan_.phonenum},
          {"caller", plan_.facts.caller},
          {"called", plan_.facts.called},
          {"callappdata", text_or_null(plan_.app_data)},
          {"inbound", plan_.facts.inbound},
          {"synthetic", plan_.synthetic},
          {"script", plan_.script.name},
          {"stage", over_ ? "over" : stage_},
          {"beganAt", began_at_},
          {"aAnsweredAt", time_or_null(a_answered_at_)},
          {"connectedAt", time_or_null(connected_at_)},
          {"endedAt", time_or_null(ended_at_)},
          {"by", text_or_null(by_)}};
}

}  // namespace gateway
