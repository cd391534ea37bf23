// Calls at random: what an application asks for, and what the phones, the channel's answer and its
// callbacks then do.
#pragma once

#include <cstdint>
#include <random>
#include <string>

#include <boost/json.hpp>

namespace cc::test {

namespace json = boost::json;

struct RandomCall {
  json::object body;    // of POST /v1/calls, but for the caller
  std::string called;   // never the same twice
  json::object script;  // of the simulator
  bool hangup = false;  // by the application, in the midst
};

class RandomCalls {
 public:
  /// `untold`: the share of calls whose end no callback reports, so that it must be asked for.
  RandomCalls(std::uint64_t seed, double untold) : random_(seed), untold_(untold) {}

  RandomCall next();
  bool chance(double probability);
  long between(long least, long most);

 private:
  template <typename T>
  const T& one_of(std::initializer_list<T> of) {
    return of.begin()[between(0, static_cast<long>(of.size()) - 1)];
  }
  json::object body();
  json::object originate();
  json::object callbacks();
  json::object script();

  std::mt19937_64 random_;
  const double untold_;
  long made_ = 0;
};

}  // namespace cc::test
