// What befalls a stack while an application calls: at random moments ccd is killed, PostgreSQL and
// Redis are killed or restarted, also two at a time.
#pragma once

#include <cstdint>
#include <exception>
#include <thread>
#include <vector>

#include "application.hpp"
#include "oracle.hpp"
#include "stack.hpp"

namespace cc::test {

class Strikes {
 public:
  /// `count` strikes, spread at random over the application's `calls`.
  Strikes(Stack& stack, Application& application, long calls, int count, std::uint64_t seed);
  ~Strikes();
  Strikes(const Strikes&) = delete;

  /// After the application's run: what was struck and when. Throws what a strike threw.
  std::vector<Strike> join();

 private:
  void run();

  Stack& stack_;
  Application& application_;
  std::vector<long> moments_;  // so many calls made
  std::vector<std::size_t> kinds_;
  std::vector<Strike> done_;
  std::exception_ptr failure_;
  std::thread thread_;
};

}  // namespace cc::test
