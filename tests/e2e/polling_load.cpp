#include "polling_load.hpp"

#include <algorithm>
#include <stdexcept>

namespace cc::test {
namespace {

struct Kind {
  const char* name;
  int weight;
  const char* script;  // what is not said of it is drawn at random
};

// Pauses are real ones: none outlasts the longest call.
constexpr Kind kinds[] = {
    {"answered", 28, R"({})"},
    {"agent-hangs-up", 10, R"({"hungUpBy":"agent"})"},
    {"b-no-answer", 8, R"({"outcome":"bNoAnswer"})"},
    {"a-no-answer", 6, R"({"outcome":"aNoAnswer"})"},
    {"platform-ends", 8, R"({"hungUpBy":"platform"})"},
    {"agent-gives-up", 5, R"({"outcome":"agentGivesUp"})"},
    {"hung-up", 8, R"({"talkMs":9000})"},
    {"result-null", 4, R"({"callout":{"result":false}})"},
    {"numbers", 4, R"({"camelCallId":true,"numbers":true})"},
    {"answer-after-events", 3, R"({"callout":{"afterEvents":2,"delayMs":300}})"},
    {"instant", 4, R"({"setupMs":0,"aRingMs":0,"bRingMs":0,"talkMs":0,"releaseMs":0,"readyMs":0})"},
    {"recorded", 3, R"({"record":true})"},
    {"unknown-events", 3, R"({"unknownEvents":true})"},
    {"answer-slow", 2, R"({"callout":{"delayMs":1500}})"},
    {"callout-drops", 1, R"({"callout":{"fault":"drop"}})"},
    {"callout-502", 1, R"({"callout":{"fault":"status"}})"},
    {"callout-hangs", 1, R"({"callout":{"fault":"hang"}})"},
    {"lost-end", 1, R"({"lostEnd":true})"},
    {"refused", 2, R"({"callout":{"retcode":"999-999"}})"},
    {"phone-refused", 1, R"({"callout":{"retcode":"100-013"}})"},
};
// An agent of whom nobody knows whether he was dialled is engaged for a minute and a half: a few.
constexpr Kind undialled[] = {
    {"callout-drops-undialled", 1, R"({"callout":{"fault":"drop","dialled":false}})"},
    {"callout-502-undialled", 1, R"({"callout":{"fault":"status","dialled":false}})"},
    {"callout-hangs-undialled", 1, R"({"callout":{"fault":"hang","dialled":false}})"},
};
constexpr long one_undialled_in = 150;

constexpr Millis ask_again{200}, patience{90'000};

}  // namespace

PollingLoad::PollingLoad(const PollingFleet& fleet, Settings settings)
    : fleet_(fleet), settings_(settings), random_(settings.seed), next_turn_(Clock::now()) {
  for (int i = 0; i < fleet.settings().agents; ++i)
    agents_.push_back(std::to_string(fleet.first_agent() + i));
  std::ranges::shuffle(agents_, random_);
  for (std::size_t i = 0; i < settings_.threads; ++i)
    threads_.emplace_back([this, i] { make_calls(i); });
  hanging_up_ = std::thread([this] { hang_up(); });
}

PollingLoad::~PollingLoad() {
  end();
}

void PollingLoad::end() {
  {
    const std::lock_guard guard(lock_);
    stopping_ = true;
    changed_.notify_all();
  }
  for (std::thread& thread : threads_)
    if (thread.joinable()) thread.join();
  {
    const std::lock_guard guard(lock_);
    made_all_ = true;
    changed_.notify_all();
  }
  if (hanging_up_.joinable()) hanging_up_.join();
}

std::vector<PollingLoad::Made> PollingLoad::stop() {
  end();
  if (failure_) std::rethrow_exception(failure_);
  return made_;
}

void PollingLoad::fail() {
  const std::lock_guard guard(lock_);
  if (!failure_) failure_ = std::current_exception();
  stopping_ = true;
  changed_.notify_all();
}

void PollingLoad::make_calls(std::size_t thread) {
  try {
    while (await_turn()) make(next_wish(), thread % PollingFleet::daemons);
  } catch (const std::exception&) {
    fail();
  }
}

/// Evenly spaced; what an outage has delayed is not made up for.
bool PollingLoad::await_turn() {
  std::unique_lock guard(lock_);
  const auto spacing = std::chrono::duration_cast<Clock::duration>(
      std::chrono::duration<double>(1 / settings_.per_second));
  const auto turn = std::max(next_turn_, Clock::now() - std::chrono::seconds{1});
  next_turn_ = turn + spacing;
  changed_.wait_until(guard, turn, [&] { return stopping_; });
  return !stopping_;
}

PollingLoad::Wish PollingLoad::next_wish() {
  const std::lock_guard guard(lock_);
  const auto between = [&](long least, long most) {
    return std::uniform_int_distribution<long>(least, most)(random_);
  };
  int weights = 0;
  for (const Kind& kind : kinds) weights += kind.weight;
  long drawn = between(0, weights - 1);
  const Kind* chosen = kinds;
  while (drawn >= chosen->weight) drawn -= chosen++->weight;
  if (between(1, one_undialled_in) == 1) chosen = &undialled[between(0, std::ssize(undialled) - 1)];

  json::object script{{"setupMs", between(0, 200)},
                      {"aRingMs", between(0, 600)},
                      {"bRingMs", between(0, 800)},
                      {"talkMs", between(0, 2500)}};
  const json::object said = json::parse(chosen->script).as_object();
  for (const auto& [key, value] : said) script[key] = value;
  Wish wish;
  wish.number = wished_++;
  wish.kind = chosen->name;
  wish.called = "138" + std::to_string(10'000'000 + wish.number);
  wish.script = json::serialize(script);
  if (wish.kind == "hung-up") wish.hang_up_after = Millis{between(0, 5000)};
  return wish;
}

std::string PollingLoad::next_agent() {
  const std::lock_guard guard(lock_);
  std::string agent = agents_.front();
  agents_.pop_front();
  agents_.push_back(agent);
  return agent;
}

Answer PollingLoad::ask_until_answered(const std::string& path, const std::string& body,
                                       const std::string& key, std::size_t daemon) {
  const auto until = Clock::now() + patience;
  for (;; ++daemon) {
    Call call{.method = "POST",
              .url = fleet_.url(daemon % PollingFleet::daemons) + "/v1/calls" + path,
              .body = body,
              .headers = {"Authorization: Bearer " + fleet_.stack().env("CC_KEY")},
              .timeout_ms = 5000};
    if (!key.empty()) call.headers.push_back("Idempotency-Key: " + key);
    Answer answer = send(call);
    std::unique_lock guard(lock_);
    if (path.empty()) ++statuses_[answer.status];
    if (answer.status != 0 && answer.status < 500) return answer;
    if (Clock::now() > until)
      throw std::runtime_error("no daemon answers: " + answer.problem + " " + answer.text);
    changed_.wait_for(guard, ask_again, [] { return false; });
  }
}

void PollingLoad::make(const Wish& wish, std::size_t daemon) {
  // A restart cuts this connection too, if it comes before the request.
  Answer put;
  const bool taken = eventually(
      [&] {
        put = fleet_.stack().gateway("PUT", "scripts/" + wish.called, wish.script);
        return put.status != 0;
      },
      patience);
  if (!taken || put.status != 200)
    throw std::runtime_error("the gateway refuses a script: " + put.problem + put.text);
  for (;;) {
    const std::string agent = next_agent();
    const std::string body =
        R"({"channel":"hw","agent":")" + agent + R"(","called":")" + wish.called + R"("})";
    const Answer answer =
        ask_until_answered("", body, "polling-" + std::to_string(keys_++), daemon);
    if (answer.status == 202) {
      const std::lock_guard guard(lock_);
      const bool hung_up = wish.hang_up_after > Millis{0};
      made_.push_back({answer.at("callId"), agent, wish.called, wish.kind, hung_up});
      if (hung_up) hang_ups_.emplace(Clock::now() + wish.hang_up_after, made_.back().call);
      changed_.notify_all();
      return;
    }
    if (answer.status != 409)
      throw std::runtime_error("POST /v1/calls answers " + std::to_string(answer.status) + " " +
                               answer.text + " to " + body);
    std::unique_lock guard(lock_);
    if (changed_.wait_for(guard, ask_again / 2, [&] { return stopping_; })) return;
  }
}

void PollingLoad::hang_up() {
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
      const Answer answer = ask_until_answered("/" + call + "/hangup", "", "", 0);
      if (answer.status != 200 && answer.status != 202)
        throw std::runtime_error("hanging up " + call + " answers " +
                                 std::to_string(answer.status) + " " + answer.text);
    }
  } catch (const std::exception&) {
    fail();
  }
}

}  // namespace cc::test
