// What befalls a site while calls are made: daemons are killed and frozen, NGINX and Redis are
// restarted; and, beside that, channels are out, one or two at a time.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "polling_strikes.hpp"  // Instant
#include "schedules_site.hpp"

namespace cc::test {

struct ScheduleStrike {
  std::string what;  // "kill", "freeze", "nginx", "redis", or "simulator {…}"
  Instant from = 0, to = 0;
};

class ScheduleStrikes {
 public:
  ScheduleStrikes(Site& site, std::uint64_t seed);
  ~ScheduleStrikes();
  ScheduleStrikes(const ScheduleStrikes&) = delete;

  /// Strikes until it is enough, each kind at least once; channels in a thread, processes in the
  /// caller's: the kernel ends a process with the thread that started it. All is whole again when
  /// this returns.
  std::vector<ScheduleStrike> run(const std::function<bool()>& enough);

 private:
  void strike_processes(const std::function<bool()>& enough);
  void strike_channels(const std::function<bool()>& enough);
  void strike_process(const std::string& what);
  void strike_channel();
  void note(std::string what, Instant from);

  Site& site_;
  std::mt19937_64 process_random_, channel_random_;
  std::mutex lock_;  // of what is below
  std::vector<ScheduleStrike> done_;
  std::exception_ptr failure_;
  std::thread channels_;
};

}  // namespace cc::test
