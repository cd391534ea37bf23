// What CC itself says when all is over: its records, attempts and claims, as PostgreSQL has them.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "polling_strikes.hpp"  // Instant
#include "stack.hpp"

namespace cc::test {

struct KeptAttempt {
  int number = 0;
  std::string channel, agent, handset, state, code, channel_call_id;
  bool superseded = false;
  Instant created = 0, sent = 0;  // 0 = never
  bool alive = false;             // the channel told of it, and not only that it is over
  bool hung_up = false;           // or over by the channel's own word
  std::string line() const { return channel + "/" + agent; }
};

struct KeptRecord {
  std::string call, schedule, state, type, detail, source, channel, agent, caller, channel_call_id;
  std::string duration;
  Instant created = 0;
  bool our_clock = false;             // closed it, be it for a while
  std::vector<KeptAttempt> attempts;  // in order
  const KeptAttempt& last() const { return attempts.back(); }
};

struct KeptClaim {
  long id = 0;
  std::string kind, resource, call;
  int attempt = 0;
  Instant taken = 0, released = 0;  // 0 = not yet
};

struct KeptRecords {
  explicit KeptRecords(const Stack& stack);

  std::map<std::string, KeptRecord> records;      // by call
  std::multimap<std::string, std::string> calls;  // by schedule: bizId
  std::vector<KeptClaim> claims;                  // by resource, in order of taking
};

}  // namespace cc::test
