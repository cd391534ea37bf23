#include "polling_strikes.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <thread>

namespace cc::test {
namespace {

struct Planned {
  const char* what;
  int times, times_long;
};

constexpr Planned planned[] = {
    {"kill", 4, 10},  {"stop", 1, 3},   {"redis", 1, 3}, {"postgres", 1, 3}, {"restart", 1, 3},
    {"forget", 1, 2}, {"expire", 1, 2}, {"polls", 1, 4}, {"signs", 1, 2},    {"callouts", 1, 3},
};

}  // namespace

Instant now_ms() {
  return std::chrono::duration_cast<Millis>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

PollingStrikes::PollingStrikes(PollingFleet& fleet, std::uint64_t seed, bool long_form)
    : fleet_(fleet), random_(seed), long_form_(long_form) {
  for (const Planned& one : planned)
    plan_.insert(plan_.end(), static_cast<std::size_t>(long_form ? one.times_long : one.times),
                 one.what);
  std::ranges::shuffle(plan_, random_);
}

std::vector<PollingStrike> PollingStrikes::run() {
  std::vector<PollingStrike> done;
  for (const std::string& what : plan_) {
    pause(Millis{long_form_ ? between(500, 6000) : between(300, 2500)});
    done.push_back(strike(what));
  }
  pause(Millis{2000});
  return done;
}

/// How long a strike lasts, and how far apart they are, is all that is waited for by the clock.
void PollingStrikes::pause(Millis time) {
  std::this_thread::sleep_for(time);
}

long PollingStrikes::between(long least, long most) {
  return std::uniform_int_distribution<long>(least, most)(random_);
}

void PollingStrikes::control(const std::string& method, const std::string& path,
                             const std::string& body) {
  const Answer answer = fleet_.stack().gateway(method, path, body);
  if (answer.status != 200)
    throw std::runtime_error("the gateway's " + path + ": " + answer.problem + answer.text);
}

std::string PollingStrikes::one_fault() {
  static const std::vector<std::string> faults{R"("http500")", R"("hang")", R"("drop")",
                                               R"("retcode","code":"105-006")"};
  return faults[static_cast<std::size_t>(between(0, std::ssize(faults) - 1))];
}

void PollingStrikes::outage(const std::string& kind, const std::string& functions, Millis time) {
  control("PUT", "outage", R"({"kind":)" + kind + R"(,"functions":[)" + functions + "]}");
  pause(time);
  control("PUT", "outage", R"({"kind":"none"})");
}

PollingStrike PollingStrikes::strike(const std::string& what) {
  PollingStrike one{.what = what, .from = now_ms()};
  Stack& stack = fleet_.stack();
  const auto daemon = static_cast<std::size_t>(between(0, 1));
  if (what == "kill") {
    fleet_.kill(daemon);
    // At once, in the midst of the other one's taking over, or after it.
    const long down[] = {0, 3000, 7000, 10'000};
    pause(Millis{down[between(0, long_form_ ? 3 : 2)]});
    fleet_.start(daemon);
  } else if (what == "stop") {
    fleet_.stop(daemon);
    pause(Millis{between(0, 3000)});
    fleet_.start(daemon);
  } else if (what == "redis" || what == "postgres") {
    stack.part("kill", what);
    pause(Millis{between(0, long_form_ ? 8000 : 3000)});
    stack.part("start", what);
  } else if (what == "restart" || what == "forget") {
    const long down = between(0, long_form_ ? 5000 : 2000);
    control("POST", "restart",
            std::string(R"({"forget":)") + (what == "forget" ? "true" : "false") +
                R"(,"down_ms":)" + std::to_string(down) + "}");
    pause(Millis{down});
    one.polls_away = true;
  } else if (what == "expire") {
    control("POST", "expire-guids", "");
  } else if (what == "polls") {
    const std::string fault = one_fault();
    one.what += " " + fault;
    outage(fault, R"("poll")", Millis{between(1000, long_form_ ? 6000 : 3000)});
    one.polls_away = true;
  } else if (what == "signs") {
    control("POST", "expire-guids", "");
    const std::string fault = one_fault();
    one.what += " " + fault;
    outage(fault, R"("signin","resetskill")", Millis{between(1000, 3000)});
  } else {
    const std::string fault = one_fault();
    one.what += " " + fault;
    outage(fault, R"("callout")", Millis{between(300, 1000)});
  }
  one.to = now_ms();
  return one;
}

}  // namespace cc::test
