#include "call.hpp"

#include <algorithm>
#include <chrono>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/array.hpp>

#include "digest.hpp"
#include "world.hpp"

namespace jiuyun {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

constexpr std::int64_t longest_talk_ms =
    8LL * 3600 * 1000;  // the vendor's, when maxCallTime is left out

std::chrono::microseconds scaled(std::int64_t script_ms, double speed) {
  return std::chrono::microseconds(
      static_cast<std::int64_t>(static_cast<double>(script_ms) * 1000.0 / speed));
}

json::value time_or_null(std::int64_t at) {
  if (at == 0) return nullptr;
  return at;
}

std::string failure_name(Leg leg, LegOutcome outcome) {
  std::string name = leg_name(leg);  // aNoAnswer, bBusy, …
  std::string what(outcome_name(outcome));
  what[0] = static_cast<char>(what[0] - 'a' + 'A');
  return name + what;
}

int failure_bye_type(Leg leg, LegOutcome outcome) {
  int const of_a = outcome == LegOutcome::busy ? 3 : 1;
  return leg == Leg::a ? of_a : of_a + 1;
}

}  // namespace

Call::Call(World& world, asio::any_io_executor executor, std::string call_id, CallRequest request,
           Script script)
    : world_(world),
      executor_(executor),
      call_id_(std::move(call_id)),
      request_(std::move(request)),
      script_(std::move(script)),
      timer_(executor),
      first_push_(executor),
      accepted_at_(now_ms()) {
  first_push_.expires_at(asio::steady_timer::time_point::max());
}

void Call::start() {
  if (started_ || abandoned_) return;
  started_ = true;
  run(executor_, live(shared_from_this()));
}

void Call::interrupt(Ending ending) {
  if (interruption_ || ended()) return;
  interruption_ = std::move(ending);
  timer_.cancel();
}

void Call::cancel() {
  interrupt({"cancel", 0, 0});
  start();
}

void Call::hang_up(Leg by) {
  Ending ending{leg_name(by), 0, by == Leg::a ? 0 : 1};
  if (phase_ == Phase::a_dialled && by == Leg::a) ending.bye_type = 3;
  if (phase_ == Phase::b_dialled && by == Leg::b) ending.bye_type = 4;
  interrupt(std::move(ending));
  start();
}

void Call::abandon() {
  abandoned_ = true;
  timer_.cancel();
  note_first_push();
}

asio::awaitable<void> Call::first_push_over() {
  while (!first_push_over_) {
    boost::system::error_code ignored;
    co_await first_push_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
}

void Call::note_first_push() {
  first_push_over_ = true;
  first_push_.cancel();
}

asio::awaitable<void> Call::live(std::shared_ptr<Call> self) {
  Ending ending = co_await self->dial();
  if (!self->abandoned_) self->finish(ending);
}

asio::awaitable<bool> Call::pause(std::int64_t script_ms) {
  if (interruption_ || abandoned_) co_return true;
  timer_.expires_after(scaled(script_ms, world_.options.speed));
  boost::system::error_code ignored;
  co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  co_return interruption_ || abandoned_;
}

asio::awaitable<Call::Ending> Call::dial() {
  bool interrupted = co_await pause(script_.setup_ms);
  if (interrupted) co_return interruption_.value_or(Ending{});

  std::optional<Ending> failed = co_await reach(Leg::a);
  if (failed) co_return *failed;
  failed = co_await reach(Leg::b);
  if (failed) co_return *failed;

  phase_ = Phase::talking;
  emit("CallEstablish", -1, common_fields("CallEstablish", -1, b_answered_at_), b_answered_at_);

  std::int64_t limit = longest_talk_ms;
  if (request_.max_call_time) limit = std::min(limit, *request_.max_call_time * 1000);
  bool const cut = script_.talk_ms >= limit;
  interrupted = co_await pause(std::min(script_.talk_ms, limit));
  if (interrupted) co_return interruption_.value_or(Ending{});
  if (cut) co_return Ending{"maximum", 5, 0};
  Ending ending{std::string(hung_up_by_name(script_.hung_up_by)), 0,
                script_.hung_up_by == HungUpBy::b ? 1 : 0};
  if (script_.hung_up_by == HungUpBy::maximum) ending.bye_type = 5;
  ending.bye_type = script_.bye_type.value_or(ending.bye_type);
  co_return ending;
}

asio::awaitable<std::optional<Call::Ending>> Call::reach(Leg leg) {
  bool const is_a = leg == Leg::a;
  auto const& number = is_a ? request_.from : request_.to;
  auto outcome = is_a ? script_.a : script_.b;
  std::int64_t const ring_ms = is_a ? script_.a_ring_ms : script_.b_ring_ms;
  phase_ = is_a ? Phase::a_dialled : Phase::b_dialled;
  auto called_at = now_ms();
  (is_a ? a_called_at_ : b_called_at_) = called_at;

  json::object about;
  about["leg"] = leg_name(leg);
  about["number"] = number;
  auto const held_by = world_.phones.held_by(number);
  world_.journal.write("dial", name(), about);
  if (!held_by.empty()) {
    json::object detail = about;
    detail["heldBy"] = held_by;
    if (is_a) {
      world_.phones.note_violation(number);
      world_.journal.violation("rung while busy", name(), detail);
    }
    if (is_a || !script_.b_many_lines) outcome = LegOutcome::busy;
  }
  bool const rings = outcome == LegOutcome::answer || outcome == LegOutcome::no_answer;
  if (rings) {
    world_.phones.ring(number, call_id_, leg);
    world_.journal.write("ring", name(), about);
  }
  int const user_flag = is_a ? 0 : 1;
  emit("CallInvite", user_flag, common_fields("CallInvite", user_flag, called_at), called_at);

  bool interrupted = co_await pause(ring_ms);
  if (interrupted) co_return interruption_.value_or(Ending{});
  if (outcome == LegOutcome::answer) {
    (is_a ? a_answered_at_ : b_answered_at_) = now_ms();
    world_.phones.answer(number, call_id_);
    world_.journal.write("answer", name(), about);
    co_return std::nullopt;
  }
  world_.phones.release(number, call_id_);
  about["why"] = outcome_name(outcome);
  if (!held_by.empty()) about["heldBy"] = held_by;
  world_.journal.write("failed", name(), about);
  Ending ending{failure_name(leg, outcome), failure_bye_type(leg, outcome), 0};
  ending.bye_type = script_.bye_type.value_or(ending.bye_type);
  co_return ending;
}

void Call::finish(Ending const& ending) {
  phase_ = Phase::ended;
  ended_at_ = now_ms();
  hung_up_by_ = ending.by;
  bye_type_ = ending.bye_type;
  world_.phones.release(request_.from, call_id_);
  world_.phones.release(request_.to, call_id_);

  json::object line;
  line["by"] = ending.by;
  line["byeType"] = ending.bye_type;
  line["duration"] = duration();
  line["answeredA"] = a_answered_at_ != 0;
  line["answeredB"] = b_answered_at_ != 0;
  world_.journal.write("hangup", name(), std::move(line));

  auto stamp = [&](std::int64_t at) { return at == 0 ? std::string() : world_.clock.compact(at); };
  auto fields = common_fields("Hangup", ending.user_flag, ended_at_);
  fields.emplace_back("startTimeA", stamp(a_answered_at_));
  fields.emplace_back("startTimeB", stamp(b_answered_at_));
  fields.emplace_back("endTime", stamp(ended_at_));
  fields.emplace_back("duration", std::to_string(duration()));
  fields.emplace_back("recordUrl", record_url());
  fields.emplace_back("byeType", std::to_string(bye_type_));
  final_fields_ = fields;
  emit("Hangup", ending.user_flag, std::move(fields), ended_at_);
  release_held();
  world_.call_ended();
}

std::vector<std::pair<std::string, std::string>> Call::common_fields(std::string_view action,
                                                                     int user_flag,
                                                                     std::int64_t at) const {
  std::vector<std::pair<std::string, std::string>> fields;
  fields.emplace_back("action", action);
  fields.emplace_back("type", "1");
  fields.emplace_back("appId", world_.options.app_id);
  fields.emplace_back("caller", request_.from);
  fields.emplace_back("called", request_.to);
  if (user_flag >= 0) fields.emplace_back("userFlag", std::to_string(user_flag));
  fields.emplace_back("subType", "0");
  fields.emplace_back("callId", call_id_);
  fields.emplace_back("dateCreated", world_.clock.compact(at));
  fields.emplace_back("userData", request_.user_data);
  return fields;
}

void Call::emit(std::string_view action, int user_flag,
                std::vector<std::pair<std::string, std::string>> fields, std::int64_t at) {
  Callback callback{std::string(action), user_flag, at, std::move(fields)};
  auto const label = callback.label();
  if (script_.callbacks.loses(label)) {
    json::object line;
    line["action"] = action;
    if (user_flag >= 0) line["userFlag"] = user_flag;
    line["why"] = "script";
    world_.journal.write("lost", name(), std::move(line));
    Pushed lost;
    lost.action = action;
    lost.user_flag = user_flag;
    lost.lost = true;
    pushed_.push_back(std::move(lost));
    note_first_push();
    return;
  }
  if (script_.callbacks.holds())
    held_.push_back(std::move(callback));
  else
    enqueue(callback);
}

void Call::release_held() {
  auto held = std::move(held_);
  held_.clear();
  auto const& script = script_.callbacks;
  if (script.reverse) std::reverse(held.begin(), held.end());
  if (script.shuffle) std::shuffle(held.begin(), held.end(), world_.random);
  auto place = [&](Callback const& callback) {
    auto label = callback.label();
    for (std::size_t i = 0; i < script.order.size(); ++i)
      if (script.order[i] == label || script.order[i] == callback.action) return i;
    return script.order.size();
  };
  if (!script.order.empty())
    std::stable_sort(held.begin(), held.end(),
                     [&](auto const& x, auto const& y) { return place(x) < place(y); });
  for (auto const& callback : held) enqueue(callback);
}

void Call::enqueue(Callback const& callback) {
  auto bytes =
      write_callback(callback, script_.callbacks, world_.random);  // copies are equal byte for byte
  for (int copy = 1; copy <= script_.callbacks.repeat; ++copy) {
    Due due{callback, bytes, copy};
    if (script_.callbacks.at_once)
      run(executor_, push_alone(shared_from_this(), std::move(due)));
    else
      queue_.push_back(std::move(due));
  }
  if (pushing_ || queue_.empty()) return;
  pushing_ = true;
  run(executor_, push_in_turn(shared_from_this()));
}

asio::awaitable<void> Call::push_in_turn(std::shared_ptr<Call> self) {
  while (!self->queue_.empty() && !self->abandoned_) {
    Due due = std::move(self->queue_.front());
    self->queue_.pop_front();
    co_await self->push_one(std::move(due));
  }
  self->pushing_ = false;
}

asio::awaitable<void> Call::push_alone(std::shared_ptr<Call> self, Due due) {
  co_await self->push_one(std::move(due));
}

asio::awaitable<void> Call::push_one(Due due) {
  auto const delay = std::chrono::duration_cast<std::chrono::milliseconds>(
      scaled(script_.callbacks.delay_ms, world_.options.speed));
  auto const wait = due.callback.happened_at + delay.count() - now_ms();
  if (delay.count() > 0 && wait > 0) {
    asio::steady_timer timer(executor_);
    timer.expires_after(std::chrono::milliseconds(wait));
    boost::system::error_code ignored;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  if (abandoned_) co_return;

  Pushed done;
  done.action = due.callback.action;
  done.user_flag = due.callback.user_flag;
  done.copy = due.copy;
  json::object line;
  line["action"] = done.action;
  if (done.user_flag >= 0) line["userFlag"] = done.user_flag;
  if (world_.outages.loses(due.callback.label())) {
    line["why"] = "outage";
    world_.journal.write("lost", name(), std::move(line));
    done.lost = true;
    pushed_.push_back(std::move(done));
    note_first_push();
    co_return;
  }
  if (world_.callback_url) {
    CallbackUrl url = *world_.callback_url;
    std::string type = due.bytes.content_type;
    std::string body = due.bytes.body;
    done.result = co_await push(std::move(url), std::move(type), std::move(body));
    if (abandoned_) co_return;
  } else {
    done.result.sent_at = now_ms();
    done.result.error = "no callback URL is set: give --callback-url or PUT /_control/callback-url";
  }
  line["attempt"] = done.copy;
  line["status"] = done.result.status;
  line["error"] = done.result.error;
  line["sentAt"] = done.result.sent_at;
  line["durationMs"] = done.result.duration_ms;
  line["answer"] = done.result.answer;
  line["contentType"] = due.bytes.content_type;
  line["bodySha256"] = sha256_hex(due.bytes.body);
  line["body"] = due.bytes.body;
  world_.journal.write("push", name(), std::move(line));
  pushed_.push_back(std::move(done));
  note_first_push();
}

std::int64_t Call::duration() const {
  if (b_answered_at_ == 0 || ended_at_ == 0) return 0;
  return world_.clock.seconds(ended_at_) - world_.clock.seconds(b_answered_at_);
}

bool Call::has_recording() const {
  return request_.need_record && script_.recording.made && b_answered_at_ != 0;
}

std::string Call::record_url() const {
  if (!has_recording()) return {};
  return world_.record_base + "/records/" + call_id_ + ".mp3" +
         (script_.recording.query ? "?store=1" : "");
}

json::object Call::to_json() const {
  constexpr char const* phases[] = {"accepted", "aDialled", "bDialled", "talking", "ended"};
  json::array pushes;
  for (auto const& push : pushed_) {
    json::object item;
    item["action"] = push.action;
    if (push.user_flag >= 0) item["userFlag"] = push.user_flag;
    item["attempt"] = push.copy;
    item["lost"] = push.lost;
    item["status"] = push.result.status;
    item["error"] = push.result.error;
    item["sentAt"] = time_or_null(push.result.sent_at);
    item["durationMs"] = push.result.duration_ms;
    pushes.push_back(std::move(item));
  }
  json::object out;
  out["callId"] = call_id_;
  out["userData"] = request_.user_data;
  out["from"] = request_.from;
  out["to"] = request_.to;
  out["needRecord"] = request_.need_record;
  if (request_.max_call_time)
    out["maxCallTime"] = *request_.max_call_time;
  else
    out["maxCallTime"] = nullptr;
  out["script"] = script_.name;
  out["phase"] = phases[static_cast<int>(phase_)];
  out["acceptedAt"] = accepted_at_;
  out["aCalledAt"] = time_or_null(a_called_at_);
  out["aAnsweredAt"] = time_or_null(a_answered_at_);
  out["bCalledAt"] = time_or_null(b_called_at_);
  out["bAnsweredAt"] = time_or_null(b_answered_at_);
  out["endedAt"] = time_or_null(ended_at_);
  out["duration"] = nullptr;
  out["durationMs"] = nullptr;
  out["hungUpBy"] = nullptr;
  out["byeType"] = nullptr;
  if (ended()) {
    out["duration"] = duration();
    out["durationMs"] = b_answered_at_ == 0 ? 0 : ended_at_ - b_answered_at_;
    out["hungUpBy"] = hung_up_by_;
    out["byeType"] = bye_type_;
  }
  out["recordUrl"] = ended() ? record_url() : std::string();
  out["pushed"] = std::move(pushes);
  return out;
}

}  // namespace jiuyun
