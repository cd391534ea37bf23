// The daemons: what each does step by step, and dies, sleeps and comes back between any two steps.
// Mirrors daemon/call/*.cpp; which file, each method says.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <variant>
#include <vector>

#include "calls_asked.hpp"
#include "channel/provider.hpp"
#include "store.hpp"

namespace model {

struct Daemon {
  int id = 0;
  std::int64_t epoch = 0;
  bool alive = false;
  std::uint64_t incarnation = 0;
  Ms paused_until = 0;       // stopped, not dead
  Ms unconfirmed_until = 0;  // after a pause, until its heartbeat has got through
  std::set<Key> in_hand;
  struct Told {
    std::optional<cc::ChannelVerdict> taken, final;
    Ms at_ms = 0;
  };
  std::map<Key, Told> told;
  bool flushing = false;
};

class Fleet {
 public:
  explicit Fleet(World& world) : world_(world) {}

  std::vector<Daemon> daemons;

  // --- lives (fleet.cpp)
  void start(int id);
  void kill(int id);
  void pause(int id, Ms how_long);
  bool awake(const Daemon& daemon) const;
  int any_awake();  // -1: none
  /// A step of this daemon's present life.
  void at(int id, Ms when, std::function<void(Daemon&)> step);
  bool dead_owner(int id, std::int64_t epoch) const;

  // --- the application's requests
  void create(int id, const Asked& asked);  // create.cpp
  void ask_hang_up(std::int64_t call);      // hangups.cpp

  // --- sweeps
  void sweep();                // all of them, by everybody who is awake
  OptMs due();                 // when a sweep has something to do next
  void flush(Daemon& daemon);  // health/channel_health.cpp
  void look();
  void ended(int id, Key key, cc::ChannelVerdict verdict);

 private:
  enum class Fate { committed, answer_lost, failed };
  Fate commit_fate();
  bool crash_point(Daemon& daemon);

  // attempts.cpp
  void send(Daemon& daemon, Key key);
  void begin(Daemon& daemon, Key key);
  void first_byte(Daemon& daemon, Key key, Request request, Ms deadline);
  void answered(Daemon& daemon, Key key, const cc::OriginateAnswer& answer);
  void store_outcome(Daemon& daemon, Key key, const cc::OriginateAnswer& answer, int tries);
  void settle(Key key, cc::EventName name, cc::Facts facts);
  void adopt(Daemon& daemon);
  void told(Daemon& daemon, Key key, std::optional<cc::ChannelVerdict> taken,
            std::optional<cc::ChannelVerdict> final);

  // create.cpp
  void take_one(Daemon& daemon, const Asked& asked, const std::vector<cc::Line>& lines,
                bool answer_lost);

  // another_attempt.cpp
  std::optional<int> store_refusal(Daemon& daemon, Key key, const cc::OriginateAnswer& answer);

  // survey.cpp
  std::variant<std::vector<cc::Line>, cc::Refusal> find_lines(const cc::NewCall& request,
                                                              const cc::Needs& needs,
                                                              std::set<std::string> tried_channels,
                                                              std::set<std::string> tried_lines);

  // hangups.cpp, reaper.cpp
  void pursue(Daemon& daemon);
  bool hang_up_done(const AttemptRow& row, const RecordRow& record) const;
  OptMs hang_up_due(const AttemptRow& row, const RecordRow& record) const;
  void tell_hang_up(Daemon& daemon, Key key);
  void reap();
  void query();
  void reconcile();
  OptMs due_of(std::int64_t call);
  OptMs silence_due(std::int64_t call, Ms& base);
  void spread_seats();
  void judge(const std::string& channel, bool looks);

  World& world_;
  Ms looked_ = 0;
};

}  // namespace model
