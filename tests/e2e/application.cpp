#include "application.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>

namespace cc::test {

Instant now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

Application::Application(const Stack& stack, Settings settings)
    : stack_(stack), settings_(settings), random_(settings.seed, settings.untold) {
  for (long i = 0; i < settings_.agents; ++i)
    agents_.push_back("139" + std::to_string(10'000'000 + i));
}

void Application::run() {
  struct End {  // whoever waits for more calls learns that there will be none
    Application& app;
    ~End() {
      const std::lock_guard guard(app.lock_);
      app.over_ = true;
      app.changed_.notify_all();
    }
  } const end{*this};
  while (static_cast<long>(asked_.size()) < settings_.calls) {
    make_wishes();
    post();
    hang_up();
    const bool room = eventually(
        [&] { return std::stol(text_at(stack_.simulator("health"), "living")) < settings_.living; },
        Millis{60'000});
    if (!room) throw std::runtime_error("the simulator's calls do not end");
  }
  while (!hangups_.empty()) hang_up();
}

bool Application::await_made(long calls) {
  std::unique_lock guard(lock_);
  changed_.wait(guard, [&] { return made_ >= calls || over_; });
  return made_ >= calls;
}

void Application::make_wishes() {
  std::vector<Call> scripts;
  while (wishes_.size() < settings_.together && wished_ < settings_.calls) {
    Wish wish{.call = random_.next(),
              .agent = {},
              .tenant = random_.chance(0.1) ? "other" : "demo",
              .number = wished_++};
    next_agent(wish);
    scripts.push_back({.method = "PUT",
                       .url = stack_.env("CC_SIM") + "/_control/scripts/" + wish.call.called,
                       .body = json::serialize(wish.call.script)});
    wishes_.push_back(std::move(wish));
  }
  for (const Answer& answer : send_together(scripts)) {
    if (answer.status != 200)
      throw std::runtime_error("the simulator refuses a script: " + answer.problem + answer.text);
  }
}

void Application::next_agent(Wish& wish) {
  wish.agent = agents_.front();
  wish.call.body["caller"] = wish.agent;
  agents_.push_back(wish.agent);
  agents_.pop_front();
}

Call Application::request(const std::string& method, const std::string& path,
                          const std::string& tenant) const {
  const std::string& key = stack_.env(tenant == "demo" ? "CC_KEY" : "CC_KEY_OTHER");
  return {.method = method,
          .url = stack_.env("CC_API") + "/v1/calls" + path,
          .body = {},
          .headers = {"Authorization: Bearer " + key},
          .timeout_ms = 5000};
}

void Application::post() {
  std::vector<Call> calls;
  for (Wish& wish : wishes_) {
    Call call = request("POST", "", wish.tenant);
    call.headers.push_back("Idempotency-Key: truth-" + std::to_string(wish.number));
    call.body = json::serialize(wish.call.body);
    if (wish.posted == 0) wish.posted = now_ms();
    calls.push_back(std::move(call));
  }
  const std::vector<Answer> answers = send_together(calls);
  bool away = false;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    take(wishes_[i], answers[i]);
    away = away || answers[i].status == 0 || answers[i].status >= 500;
  }
  std::erase_if(wishes_, [](const Wish& wish) { return wish.number < 0; });
  {
    const std::lock_guard guard(lock_);
    made_ = static_cast<long>(asked_.size());
    changed_.notify_all();
  }
  if (away) await_ready();
}

void Application::await_ready() const {
  const Call ask{.method = "GET", .url = stack_.env("CC_API") + "/readyz"};
  if (!eventually([&] { return send(ask).status == 200; }, Millis{60'000}))
    throw std::runtime_error("ccd does not get ready: " + stack_.log("ccd"));
}

void Application::take(Wish& wish, const Answer& answer) {
  ++statuses_[answer.status];
  if (answer.status == 202) {
    asked_.push_back({.call = answer.at("callId"),
                      .tenant = wish.tenant,
                      .body = wish.call.body,
                      .posted = wish.posted,
                      .answered = now_ms(),
                      .hangup_asked = 0,
                      .created = answer.at("created")});
    if (wish.call.hangup) {
      const long made = static_cast<long>(asked_.size());
      hangups_.emplace(made + random_.between(0, 2 * static_cast<long>(settings_.together)),
                       asked_.size() - 1);
    }
    wish.number = -1;  // fulfilled
  } else if (answer.status == 409) {
    next_agent(wish);
  } else if (answer.status != 0 && answer.status < 500) {
    throw std::runtime_error("POST /v1/calls answers " + std::to_string(answer.status) + " " +
                             answer.text + " to " + json::serialize(wish.call.body));
  }
}

void Application::hang_up() {
  const long made = static_cast<long>(asked_.size());
  const bool last = made >= settings_.calls;
  std::vector<std::size_t> due;
  std::vector<Call> calls;
  while (!hangups_.empty() && due.size() < settings_.together &&
         (last || hangups_.begin()->first <= made)) {
    Asked& asked = asked_[hangups_.begin()->second];
    if (asked.hangup_asked == 0) asked.hangup_asked = now_ms();
    due.push_back(hangups_.begin()->second);
    calls.push_back(request("POST", "/" + asked.call + "/hangup", asked.tenant));
    hangups_.erase(hangups_.begin());
  }
  const std::vector<Answer> answers = send_together(calls);
  bool away = false;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const long status = answers[i].status;
    if (status == 0 || status >= 500) {
      away = true;
      hangups_.emplace(made, due[i]);
    } else if (status != 200 && status != 202) {
      throw std::runtime_error("hanging up " + asked_[due[i]].call + " answers " +
                               std::to_string(status) + " " + answers[i].text);
    }
  }
  if (away) await_ready();
}

void Application::each_record(const std::function<void(const Asked&, const Answer&)>& use) const {
  for (std::size_t from = 0; from < asked_.size(); from += settings_.together) {
    const std::size_t to = std::min(from + settings_.together, asked_.size());
    std::vector<Call> calls;
    for (std::size_t i = from; i < to; ++i)
      calls.push_back(request("GET", "/" + asked_[i].call, asked_[i].tenant));
    const std::vector<Answer> answers = send_together(calls);
    for (std::size_t i = from; i < to; ++i) use(asked_[i], answers[i - from]);
  }
}

}  // namespace cc::test
