// An application that makes random calls without pause and does as it should: what was not answered
// is asked again with the same key, a busy phone is left for another one, and some calls are hung
// up in their midst.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "oracle.hpp"
#include "random_calls.hpp"
#include "stack.hpp"

namespace cc::test {

class Application {
 public:
  struct Settings {
    std::uint64_t seed = 1;
    long calls = 100;
    long agents = 500;          // phones, used in turn
    std::size_t together = 24;  // requests at a time
    long living = 250;          // calls in progress, above which it waits
    double untold = 0.01;       // as RandomCalls says
  };

  Application(const Stack& stack, Settings settings);

  /// Until all calls are accepted. Throws at an answer that no application could expect.
  void run();
  /// For another thread: waits until `calls` are accepted; false if run() ended before.
  bool await_made(long calls);

  const std::vector<Asked>& asked() const { return asked_; }
  /// How often each status was answered; 0 = none.
  const std::map<long, long>& statuses() const { return statuses_; }

  /// The record of each call, in the order of asked().
  void each_record(const std::function<void(const Asked&, const Answer&)>& use) const;

 private:
  struct Wish {
    RandomCall call;
    std::string agent, tenant;
    long number = 0;
    Instant posted = 0;
  };

  void make_wishes();
  void post();
  void hang_up();
  void await_ready() const;
  void take(Wish& wish, const Answer& answer);
  void next_agent(Wish& wish);
  Call request(const std::string& method, const std::string& path, const std::string& tenant) const;

  const Stack& stack_;
  const Settings settings_;
  RandomCalls random_;
  std::deque<std::string> agents_;
  std::vector<Wish> wishes_;  // not accepted yet
  long wished_ = 0;
  std::vector<Asked> asked_;
  std::multimap<long, std::size_t> hangups_;  // after so many calls: of that one
  std::map<long, long> statuses_;

  std::mutex lock_;  // of what is below
  std::condition_variable changed_;
  long made_ = 0;
  bool over_ = false;
};

Instant now_ms();

}  // namespace cc::test
