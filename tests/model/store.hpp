// PostgreSQL as far as calls need it. Each method is one transaction or a part of one: nothing else
// happens in between, as the record's lock has it. Mirrors daemon/store/record_store.cpp and
// daemon/call/booking.cpp.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "call/choose.hpp"
#include "health/standing.hpp"
#include "record.hpp"
#include "store/record_store.hpp"

namespace model {

using Ms = std::int64_t;
using cc::OptMs;
using cc::OptText;
using Key = std::pair<std::int64_t, int>;  // call, attempt

struct RecordRow {
  cc::Constants constants;
  cc::Folded folded;
  int version = 0;
  std::vector<cc::Event> events;
};

struct AttemptRow {
  std::int64_t call = 0;
  int attempt = 1;
  std::string channel, agent, handset, wish;
  std::string state = "planned";
  int owner = -1;
  std::int64_t epoch = 0;
  Ms created = 0, send_by = 0;
  OptMs sent, hangup_asked, hangup_sent, hangup_accepted, query_due;
  OptText channel_call_id;
  bool superseded = false, line_fault = false, given_up = false;
  int query_tries = 0;
  // For the checks only.
  bool was_settled = false;    // unknown, accepted or closed before
  bool retake_failed = false;  // its phone was somebody else's when it showed life
  bool hangup_ever_asked = false;
};

struct ClaimRow {
  bool line = false;  // else: handset
  std::string resource;
  std::int64_t call = 0;
  int attempt = 1;
  OptMs release_at;
};

struct AgentRow {
  std::string channel, agent, handset;
  Ms last_used = 0;
  int owner = -1;  // of a seat
  std::int64_t epoch = 0;
};

struct DaemonRow {
  std::int64_t epoch = 0;
  Ms seen = 0;
};

struct VerdictRow {
  std::string channel;
  cc::Judged judged;
  Ms judged_ms = 0;
};

class World;

class Store {
 public:
  explicit Store(World& world) : world_(world) {}

  std::map<std::int64_t, RecordRow> records;
  std::map<Key, AttemptRow> attempts;
  std::vector<ClaimRow> claims;  // unreleased
  std::vector<AgentRow> agents;
  std::vector<DaemonRow> daemons;
  cc::ChannelStates states;
  std::map<Key, VerdictRow> verdicts;
  std::set<std::int64_t> restless;  // calls with which something may still have to be done
  std::int64_t sequence = 0;
  int alarms_abandoned = 0, alarms_late_life = 0;

  AttemptRow* current(std::int64_t call);  // not superseded
  AttemptRow* latest(std::int64_t call);

  /// take_line(): false where the trial, the handset or the line can't be had; then nothing of it
  /// stays taken.
  bool take_line(const cc::Line& line, std::int64_t call, int attempt);
  void write_attempt(AttemptRow row);
  bool held(bool line, const std::string& resource, Ms now) const;
  void release(std::int64_t call, int attempt = 0);  // 0: all attempts'
  void release_due();

  struct Folding {
    std::optional<bool> judged_failed;  // an attempt's end or the legs' meeting was told
    int judged_attempt = 1;
  };
  Folding fold_events(std::int64_t call, std::vector<cc::NewEvent> events);

 private:
  bool insert_claim(bool line, const std::string& resource, std::int64_t call, int attempt);
  void release_due_of(const cc::Line& line);
  void update_attempts(std::int64_t call, const std::vector<cc::NewEvent>& events);

  World& world_;
};

}  // namespace model
