// An application that makes random calls with all agents and does as it should: it asks whichever
// daemon answers, asks again with the same key what was not answered, leaves an agent that is
// engaged or offline for another one, and hangs some calls up in their midst.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "polling_fleet.hpp"

namespace cc::test {

class PollingLoad {
 public:
  struct Settings {
    std::uint64_t seed = 1;
    double per_second = 30;
    std::size_t threads = 24;
  };

  struct Made {
    std::string call, agent, called, kind;
    bool hung_up = false;  // the application wanted it to end
  };

  PollingLoad(const PollingFleet& fleet, Settings settings);
  ~PollingLoad();
  PollingLoad(const PollingLoad&) = delete;

  /// No further calls; what is under way is settled. All that were accepted. Throws at an answer
  /// that no application could expect.
  std::vector<Made> stop();

  /// How often each status was answered to a POST /v1/calls; 0 = none.
  const std::map<long, long>& statuses() const { return statuses_; }

 private:
  using Clock = std::chrono::steady_clock;
  struct Wish {
    long number = 0;
    std::string kind, called, script;
    Millis hang_up_after{0};  // 0 = not at all
  };

  void make_calls(std::size_t thread);
  void hang_up();
  bool await_turn();
  Wish next_wish();
  std::string next_agent();
  void make(const Wish& wish, std::size_t daemon);
  Answer ask_until_answered(const std::string& path, const std::string& body,
                            const std::string& key, std::size_t daemon);
  void fail();
  void end();

  const PollingFleet& fleet_;
  const Settings settings_;

  std::mutex lock_;  // of what is below
  std::condition_variable changed_;
  bool stopping_ = false, made_all_ = false;
  std::mt19937_64 random_;
  std::deque<std::string> agents_;
  long wished_ = 0;
  Clock::time_point next_turn_;
  std::vector<Made> made_;
  std::multimap<Clock::time_point, std::string> hang_ups_;  // when: which call
  std::map<long, long> statuses_;
  std::exception_ptr failure_;
  std::atomic<long> keys_{0};
  std::vector<std::thread> threads_;
  std::thread hanging_up_;
};

}  // namespace cc::test
