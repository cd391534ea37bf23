#include "schedules_load.hpp"

#include <algorithm>
#include <stdexcept>

namespace cc::test {
namespace {

constexpr Millis ask_again{150}, patience{60'000};

/// What an application takes for an answer; anything else it asks again.
bool is_answer(const Answer& answer) {
  if (answer.status == 0) return false;
  if (answer.status < 500) return true;
  const std::string type = answer.at("type");
  return type.ends_with("/no-channel") || type.ends_with("/channel-refused") ||
         type.ends_with("/outcome-unknown");
}

}  // namespace

ScheduleLoad::ScheduleLoad(const Site& site, Settings settings)
    : site_(site), settings_(settings), next_turn_(Clock::now()) {
  for (std::size_t i = 0; i < settings_.threads; ++i)
    threads_.emplace_back([this, i] { make_calls(i); });
  hanging_up_ = std::thread([this] { hang_up(); });
}

ScheduleLoad::~ScheduleLoad() {
  {
    const std::lock_guard guard(lock_);
    stopping_ = true;
    changed_.notify_all();
  }
  end();
}

void ScheduleLoad::end() {
  for (std::thread& thread : threads_)
    if (thread.joinable()) thread.join();
  {
    const std::lock_guard guard(lock_);
    made_all_ = true;
    changed_.notify_all();
  }
  if (hanging_up_.joinable()) hanging_up_.join();
}

std::vector<ScheduleLoad::Made> ScheduleLoad::join() {
  end();
  if (failure_) std::rethrow_exception(failure_);
  return made_;
}

bool ScheduleLoad::done() {
  const std::lock_guard guard(lock_);
  return stopping_ || accepted_ >= settings_.calls;
}

void ScheduleLoad::fail() {
  const std::lock_guard guard(lock_);
  if (!failure_) failure_ = std::current_exception();
  stopping_ = true;
  changed_.notify_all();
}

void ScheduleLoad::make_calls(std::size_t thread) {
  try {
    for (long number = 0; await_turn(number);)
      make(number, (thread + static_cast<std::size_t>(number)) % Site::daemons);
  } catch (const std::exception&) {
    fail();
  }
}

/// Evenly spaced; what an outage has delayed is not made up for.
bool ScheduleLoad::await_turn(long& number) {
  std::unique_lock guard(lock_);
  const auto spacing = std::chrono::duration_cast<Clock::duration>(
      std::chrono::duration<double>(1 / settings_.per_second));
  const auto turn = std::max(next_turn_, Clock::now() - std::chrono::seconds{1});
  next_turn_ = turn + spacing;
  const auto over = [&] { return stopping_ || accepted_ >= settings_.calls; };
  changed_.wait_until(guard, turn, over);
  number = next_++;
  return !over();
}

void ScheduleLoad::script(const Schedule& schedule) const {
  const Stack& stack = site_.stack();
  const std::string path = "scripts/" + schedule.called;
  for (const Answer& put : {stack.simulator("PUT", path, schedule.jiuyun_script),
                            stack.second("PUT", path, schedule.jiuyun_script),
                            stack.gateway("PUT", path, schedule.gateway_script)}) {
    if (put.status != 200)
      throw std::runtime_error("a script is refused: " + put.problem + put.text);
  }
}

Answer ScheduleLoad::ask_until_answered(const std::string& path, const std::string& body,
                                        std::vector<std::string> headers, std::size_t daemon,
                                        long& unanswered) {
  headers.push_back("Authorization: Bearer " + site_.stack().env("CC_KEY"));
  const auto until = Clock::now() + patience;
  for (;; ++daemon) {
    const Call call{.method = "POST",
                    .url = site_.url(daemon % Site::daemons) + "/v1/calls" + path,
                    .body = body,
                    .headers = headers,
                    .timeout_ms = 8000};
    Answer answer = send(call);
    if (is_answer(answer)) return answer;
    ++unanswered;
    if (Clock::now() > until)
      throw std::runtime_error("no daemon answers: " + answer.problem + " " + answer.text);
    std::unique_lock guard(lock_);
    changed_.wait_for(guard, ask_again, [] { return false; });
  }
}

void ScheduleLoad::make(long number, std::size_t daemon) {
  Made made;
  made.schedule = draw_schedule(settings_.seed, number);
  const Schedule& schedule = made.schedule;
  script(schedule);
  std::vector<std::string> headers{"Idempotency-Key: schedule-" + std::to_string(number)};
  if (schedule.wait) headers.push_back("Prefer: wait=" + std::to_string(*schedule.wait));
  const Answer answer = ask_until_answered("", boost::json::serialize(schedule.body),
                                           std::move(headers), daemon, made.unanswered);
  made.status = answer.status;
  if (answer.status >= 400) made.problem = answer.text;
  // A 409 names the call that is in the way.
  const bool stored =
      answer.status == 201 || answer.status == 202 || answer.status == 502 || answer.status == 504;
  if (stored) made.call = answer.at("callId");
  const bool refused = answer.status == 400 || answer.status == 409 || answer.status == 503;
  if ((!stored && !refused) || (stored && made.call.empty()))
    throw std::runtime_error("POST /v1/calls answers " + std::to_string(answer.status) + " " +
                             answer.text + " to " + boost::json::serialize(schedule.body));
  const std::lock_guard guard(lock_);
  if (stored) ++accepted_;
  if (stored && schedule.hang_up_after) {
    hang_ups_.emplace(Clock::now() + Millis{*schedule.hang_up_after}, made.call);
  }
  made_.push_back(std::move(made));
  changed_.notify_all();
}

void ScheduleLoad::hang_up() {
  try {
    for (;;) {
      std::string call;
      {
        std::unique_lock guard(lock_);
        if (hang_ups_.empty()) {
          if (made_all_) return;
          changed_.wait(guard, [&] { return made_all_ || !hang_ups_.empty(); });
          continue;
        }
        const auto due = hang_ups_.begin()->first;
        if (due > Clock::now()) {
          changed_.wait_until(guard, due, [] { return false; });
          continue;
        }
        call = hang_ups_.begin()->second;
        hang_ups_.erase(hang_ups_.begin());
      }
      long unanswered = 0;
      const Answer answer = ask_until_answered("/" + call + "/hangup", "", {}, 0, unanswered);
      if (answer.status != 200 && answer.status != 202)
        throw std::runtime_error("hanging up " + call + " answers " +
                                 std::to_string(answer.status) + " " + answer.text);
    }
  } catch (const std::exception&) {
    fail();
  }
}

}  // namespace cc::test
