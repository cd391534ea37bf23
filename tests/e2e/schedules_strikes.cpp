#include "schedules_strikes.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>

namespace cc::test {
namespace {

Instant epoch_ms() {
  return std::chrono::duration_cast<Millis>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

/// How long a strike lasts, and how far apart they are, is all that is waited for by the clock.
void pause(long ms) {
  std::this_thread::sleep_for(Millis{ms});
}

long between(std::mt19937_64& random, long least, long most) {
  return std::uniform_int_distribution<long>(least, most)(random);
}

constexpr const char* process_strikes[] = {"kill", "nginx", "kill", "redis", "freeze", "kill"};

constexpr const char* nothing_jiuyun =
    R"({"connections":null,"originate":null,"ends":null,"callbacks":null,)"
    R"("originateDelayMs":null,"slowDials":null,"cancel":null,"query":null})";
constexpr const char* jiuyun_outages[] = {R"({"connections":"refuse"})",
                                          R"({"originate":"hang"})",
                                          R"({"originate":"503"})",
                                          R"({"originate":"503-dialled"})",
                                          R"({"originate":"hang-dialled"})",
                                          R"({"originate":"drop-dialled"})",
                                          R"({"originate":"refuse:900117"})",
                                          R"({"ends":6})",
                                          R"({"ends":7,"endsRing":true})",
                                          R"({"callbacks":["CallInvite"]})",
                                          R"({"callbacks":"lose"})",
                                          R"({"originateDelayMs":2000})",
                                          R"({"originateDelayMs":5000,"slowDials":false})",
                                          R"({"cancel":"503","connections":null})"};
constexpr const char* nothing_gateway =
    R"({"connections":null,"kind":null,"calloutDelayMs":null,"slowDials":null,"ends":null,)"
    R"("lose":null,"dialled":false,"functions":[]})";
constexpr const char* gateway_outages[] = {
    R"({"connections":"refuse"})",
    R"({"kind":"http503","functions":["callout"]})",
    R"({"kind":"http503","functions":[]})",
    R"({"kind":"hang","functions":["callout"],"dialled":true})",
    R"({"kind":"drop","functions":["callout"],"dialled":true})",
    R"({"kind":"drop","functions":["poll","hangup"]})",
    R"({"kind":"retcode","code":"100-006","functions":["callout"]})",
    R"({"ends":"connectFail"})",
    R"({"calloutDelayMs":2000})"};

}  // namespace

ScheduleStrikes::ScheduleStrikes(Site& site, std::uint64_t seed)
    : site_(site), process_random_(seed), channel_random_(seed + 1) {}

ScheduleStrikes::~ScheduleStrikes() {
  if (channels_.joinable()) channels_.join();
}

std::vector<ScheduleStrike> ScheduleStrikes::run(const std::function<bool()>& enough) {
  channels_ = std::thread([this, &enough] {
    try {
      strike_channels(enough);
    } catch (const std::exception&) {
      const std::lock_guard guard(lock_);
      failure_ = std::current_exception();
    }
  });
  strike_processes(enough);
  channels_.join();
  if (failure_) std::rethrow_exception(failure_);
  return done_;
}

void ScheduleStrikes::note(std::string what, Instant from) {
  const std::lock_guard guard(lock_);
  done_.push_back({std::move(what), from, epoch_ms()});
}

void ScheduleStrikes::strike_processes(const std::function<bool()>& enough) {
  for (bool first = true; first || !enough(); first = false) {
    std::vector<std::string> plan(std::begin(process_strikes), std::end(process_strikes));
    std::ranges::shuffle(plan, process_random_);
    for (const std::string& what : plan) {
      if (!first && enough()) return;
      pause(between(process_random_, 300, 2500));
      strike_process(what);
    }
  }
}

void ScheduleStrikes::strike_process(const std::string& what) {
  const Instant from = epoch_ms();
  const auto daemon = static_cast<std::size_t>(between(process_random_, 0, 1));
  if (what == "kill") {
    site_.kill(daemon);
    // At once, in the midst of the other one's taking over, or after it.
    const long down[] = {0, 3000, 7000};
    pause(down[between(process_random_, 0, 2)]);
    site_.start(daemon);
  } else if (what == "freeze") {
    // Taken for dead or not, it goes on from where it stood.
    site_.freeze(daemon);
    pause(between(process_random_, 0, 1) == 0 ? 2500 : 8500);
    site_.thaw(daemon);
  } else if (what == "nginx") {
    site_.stack().part("restart", "nginx");
  } else {
    site_.stack().part("kill", "redis");
    pause(between(process_random_, 0, 1500));
    site_.stack().part("start", "redis");
  }
  note(what, from);
}

void ScheduleStrikes::strike_channels(const std::function<bool()>& enough) {
  while (!enough()) {
    pause(between(channel_random_, 200, 2000));
    strike_channel();
  }
}

void ScheduleStrikes::strike_channel() {
  std::vector<std::string> parts{"simulator", "simulator2", "gateway"};
  std::ranges::shuffle(parts, channel_random_);
  parts.resize(between(channel_random_, 0, 3) == 0 ? 2 : 1);
  const Instant from = epoch_ms();
  std::string what;
  for (const std::string& part : parts) {
    const bool gateway = part == "gateway";
    const long kinds = gateway ? std::ssize(gateway_outages) : std::ssize(jiuyun_outages);
    const auto kind = static_cast<std::size_t>(between(channel_random_, 0, kinds - 1));
    const std::string keys = gateway ? gateway_outages[kind] : jiuyun_outages[kind];
    site_.stack().outage(part, keys);
    what += (what.empty() ? "" : " and ") + part + " " + keys;
  }
  pause(between(channel_random_, 600, 2800));
  for (const std::string& part : parts) {
    site_.stack().outage(part, part == "gateway" ? nothing_gateway : nothing_jiuyun);
  }
  note(what, from);
}

}  // namespace cc::test
