// A load of callbacks that needs no application: each echoes the id of a call that has no record,
// as if PostgreSQL had been set back, and so makes it anew. Four events a call, no two bodies
// alike.
#pragma once

#include <string>
#include <vector>

#include "open_load.hpp"
#include "stack.hpp"

namespace cc::test {

class RecoveredCalls {
 public:
  explicit RecoveredCalls(const Stack& stack);

  /// For an OpenLoad on this stack's NGINX.
  OpenLoad::Settings load(double per_second, unsigned senders = 16) const;
  /// The n-th callback's body, n from 0.
  std::string callback(long n) const;

  /// Until NGINX's spool is empty, all streams are drained and nobody waits; false after a minute.
  bool await_drained() const;

  struct Comparison {
    long missing = 0;  // answered 2xx, and neither an event nor a dead letter
    long twice = 0;    // more than one of these
    std::vector<std::string> missing_bodies;
  };
  Comparison compare(const std::vector<std::string>& accepted) const;

 private:
  const Stack& stack_;
  const long first_call_;
};

}  // namespace cc::test
