// Callbacks at a steady rate, whatever becomes of them: an open load, as channels are. A sender
// that was held up catches up, and the time that it lost counts as that of the answers.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace cc::test {

class OpenLoad {
 public:
  struct Settings {
    unsigned short port = 0;  // of NGINX, on 127.0.0.1
    std::string path;
    double per_second = 100;
    unsigned senders = 16;
  };

  struct Result {
    std::vector<std::string> accepted;  // bodies answered 2xx
    std::map<int, long> statuses;       // 0: no answer
    std::chrono::milliseconds p99{0};   // of the answered, from when each was due
    std::chrono::milliseconds longest{0};
  };

  /// Begins at once. `body` makes the n-th callback's, n from 0; called by several threads.
  OpenLoad(Settings settings, std::function<std::string(long)> body);
  ~OpenLoad();

  /// How many have been answered 2xx so far.
  long accepted() const { return accepted_; }
  Result stop();

 private:
  void send(unsigned sender);

  const Settings settings_;
  const std::function<std::string(long)> body_;
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  std::atomic<bool> stopping_{false};
  std::atomic<long> accepted_{0};
  std::mutex lock_;  // of what is below
  Result result_;
  std::vector<std::chrono::microseconds> times_;
  std::vector<std::thread> threads_;
};

}  // namespace cc::test
