// An application that makes the schedules' calls and does as it should: it asks whichever daemon
// answers, asks again with the same key what was not answered, takes no for an answer, and hangs
// calls up when it has had enough.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "schedules_draw.hpp"
#include "schedules_site.hpp"

namespace cc::test {

class ScheduleLoad {
 public:
  struct Settings {
    std::uint64_t seed = 1;
    long calls = 600;  // that are accepted
    double per_second = 22;
    std::size_t threads = 16;
  };

  struct Made {
    Schedule schedule;
    long status = 0;
    std::string call;     // empty = refused
    std::string problem;  // the answer's, where it is one
    long unanswered = 0;  // requests before that answer which nobody answered
  };

  ScheduleLoad(const Site& site, Settings settings);
  ~ScheduleLoad();
  ScheduleLoad(const ScheduleLoad&) = delete;

  /// So many calls were accepted, or there will be no more.
  bool done();
  /// Until so many calls were accepted; all that was asked for. Throws at an answer that no
  /// application could expect.
  std::vector<Made> join();

 private:
  using Clock = std::chrono::steady_clock;

  void make_calls(std::size_t thread);
  void hang_up();
  bool await_turn(long& number);
  void make(long number, std::size_t daemon);
  void script(const Schedule& schedule) const;
  Answer ask_until_answered(const std::string& path, const std::string& body,
                            std::vector<std::string> headers, std::size_t daemon, long& unanswered);
  void fail();
  void end();

  const Site& site_;
  const Settings settings_;

  std::mutex lock_;  // of what is below
  std::condition_variable changed_;
  bool stopping_ = false, made_all_ = false;
  long next_ = 0, accepted_ = 0;
  Clock::time_point next_turn_;
  std::vector<Made> made_;
  std::multimap<Clock::time_point, std::string> hang_ups_;  // when: which call
  std::exception_ptr failure_;
  std::vector<std::thread> threads_;
  std::thread hanging_up_;
};

}  // namespace cc::test
