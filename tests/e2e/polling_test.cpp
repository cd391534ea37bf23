// Hundreds of agents in random calls, kept by two daemons, while everything around dies: ccd is
// killed and stopped, Redis and PostgreSQL are killed, the gateway is restarted, expires guids,
// answers nonsense or nothing. No agent is signed out for lack of polls, what was told is in its
// record, every call closes as it ended; only one answer an agent may be lost with each kill.
//
// One minute; with CC_SOAK=long 2,000 agents for five minutes. CC_SEED repeats a run's calls and
// strikes, as far as two runs can be alike.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <sstream>

#include <boost/test/unit_test.hpp>

#include "polling_fleet.hpp"
#include "polling_load.hpp"
#include "polling_oracle.hpp"
#include "polling_strikes.hpp"

using namespace cc::test;

namespace {

bool long_form() {
  const char* soak = std::getenv("CC_SOAK");
  return soak != nullptr && std::string(soak) == "long";
}

std::uint64_t seed() {
  const char* given = std::getenv("CC_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
}

PollingFleet::Settings fleet_settings() {
  if (!long_form()) return {};
  return {.agents = 2000, .poll_ms = 10'000, .idle_ms = 120'000, .poll_timeout_s = 15};
}

/// As CC has it.
struct Record {
  std::string call, state, type, by, detail, source, called, attempt, channel_call_id;
};

std::map<std::string, Record> records_of(const Stack& stack) {
  std::map<std::string, Record> records;
  std::istringstream lines(stack.sql(
      "SELECT concat_ws('|', r.id, r.state, coalesce(r.close_type, ''), coalesce(r.closed_by, ''), "
      "coalesce(r.close_detail, ''), coalesce(r.close_source, ''), r.called, a.state, "
      "coalesce(a.channel_call_id, '')) FROM call_record r JOIN call_attempt a ON a.call = r.id "
      "AND NOT a.superseded WHERE r.merged_into IS NULL"));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    Record one;
    for (std::string* word : {&one.call, &one.state, &one.type, &one.by, &one.detail, &one.source,
                              &one.called, &one.attempt, &one.channel_call_id})
      std::getline(words, *word, '|');
    records[one.call] = one;
  }
  return records;
}

/// By the gateway's number of the event: the calls whose history has it, as often as it has it.
std::map<long, std::vector<std::string>> stored_events(const Stack& stack) {
  std::map<long, std::vector<std::string>> stored;
  std::istringstream lines(stack.sql(
      "SELECT call || ' ' || (regexp_match(convert_from(substring(raw FROM position('\\x0a'::bytea "
      "IN raw) + 1), 'UTF8'), '\"simSeq\":([0-9]+)'))[1] FROM call_event WHERE source = 'poll'"));
  std::string call;
  for (long seq = 0; lines >> call >> seq;) stored[seq].push_back(call);
  return stored;
}

std::string streams_behind(const Stack& stack) {
  std::istringstream streams(stack.redis({"--raw", "KEYS", "cc:events:*"}));
  for (std::string stream; streams >> stream;) {
    std::istringstream last(stack.redis({"--raw", "XINFO", "STREAM", stream}));
    std::string word;
    while (last >> word && word != "last-generated-id") {
    }
    last >> word;
    if (stack.sql("SELECT entry_id FROM stream_cursor WHERE stream = '" + stream + "'") != word)
      return stream;
  }
  return {};
}

/// Nothing is under way any more, in the world or in CC; or what still is.
std::string under_way(const PollingFleet& fleet) {
  const Stack& stack = fleet.stack();
  const json::value health = stack.gateway("health");
  for (const char* what : {"calls_living", "events_queued"})
    if (text_at(health, what) != "0") return std::string(what) + " " + text_at(health, what);
  if (text_at(health, "agents_online") != std::to_string(fleet.settings().agents))
    return "agents online " + text_at(health, "agents_online");
  if (const long away = fleet.agents_away(); away != 0)
    return std::to_string(away) + " agents are not online";
  if (const std::string behind = streams_behind(stack); !behind.empty()) return behind;
  return stack.sql(
      "SELECT concat((SELECT count(*) || ' spools ' FROM daemon WHERE spool_since IS NOT NULL "
      "HAVING count(*) > 0), (SELECT count(*) || ' waiting events ' FROM waiting_event HAVING "
      "count(*) > 0), (SELECT count(*) || ' open calls ' FROM call_record WHERE state <> 'close' "
      "AND merged_into IS NULL HAVING count(*) > 0))");
}

/// What must not be: the first of it is told, any of it fails the test.
struct Complaints {
  explicit Complaints(std::string given) : what(std::move(given)) {}
  void add(const std::string& one) {
    if (++count <= 8) BOOST_TEST_MESSAGE("  " << what << ": " << one);
  }
  ~Complaints() { BOOST_TEST(count == 0, what << ": " << count); }
  Complaints(const Complaints&) = delete;
  std::string what;
  long count = 0;
};

/// An answer is lost with a kill if it was written shortly before, or to a poll of the dead.
constexpr Instant before_kill_ms = 5000, after_kill_ms = 1000;

class Judge {
 public:
  Judge(const PollingFleet& fleet, const std::vector<PollingLoad::Made>& made,
        const std::vector<PollingStrike>& strikes, const PollingOracle& oracle)
      : fleet_(fleet),
        made_(made),
        strikes_(strikes),
        oracle_(oracle),
        records_(records_of(fleet.stack())),
        stored_(stored_events(fleet.stack())) {}

  void judge() {
    judge_gateway();
    judge_events();
    judge_calls();
    judge_rest();
  }

  std::string figures() const {
    std::ostringstream text;
    text << fleet_.settings().agents << " agents, " << made_.size() << " calls, " << handed_out_
         << " events handed out, " << lost_answers_ << " answers lost with kills, " << lost_there_
         << " events lost at the gateway; " << strict_ << " records compared strictly, " << excused_
         << " had lost an event\n  they ended:";
    for (const auto& [end, n] : ends_) text << "  " << end << ": " << n;
    text << "\n  strikes";
    std::map<std::string, int> kinds;
    for (const PollingStrike& strike : strikes_) ++kinds[strike.what];
    for (const auto& [what, n] : kinds) text << " " << what << ": " << n;
    return text.str();
  }

 private:
  void judge_gateway() {
    Complaints violations("violation"), idle("signed out for lack of polls");
    for (const std::string& line : oracle_.violations()) {
      if (!answered_to_the_dead(json::parse(line))) violations.add(line);
    }
    for (const auto& out : oracle_.idle()) {
      if (!away_all_the_time(out.at - out.since_last_poll_ms, out.at))
        idle.add(out.agent + " at " + std::to_string(out.at) + " after " +
                 std::to_string(out.since_last_poll_ms) + " ms");
    }
  }

  /// Polls of a killed daemon stand at the gateway until they are answered: to nobody, and who
  /// polls the agent by then cannot know of it.
  bool answered_to_the_dead(const json::value& violation) const {
    if (text_at(violation, "what") != "poll_too_soon") return false;
    const Instant at = std::stoll(text_at(violation, "at"));
    return std::ranges::any_of(strikes_, [&](const PollingStrike& strike) {
      return strike.what == "kill" && at >= strike.from &&
             at <= strike.to + fleet_.settings().poll_ms + after_kill_ms;
    });
  }

  /// Whoever asked a gateway that hangs learns of it when its patience ends.
  bool away_all_the_time(Instant from, Instant to) const {
    return std::ranges::any_of(strikes_, [&](const PollingStrike& strike) {
      return strike.polls_away && from >= strike.from &&
             to <= strike.to + 1000 * fleet_.settings().poll_timeout_s;
    });
  }

  void judge_events() {
    std::map<std::string, std::string> ours;  // by the gateway's id
    std::map<std::string, std::string> by_called;
    for (const auto& made : made_) by_called[made.called] = made.call;
    Complaints lost("lost without a kill"), twice("stored twice"),
        strange("in another call's record");
    std::map<std::pair<std::string, Instant>, std::string> taken;  // by agent and kill
    for (const auto& [seq, event] : oracle_.events()) {
      if (event.fate == ToldEvent::Fate::lost) {
        ++lost_there_;
        if (event.of_call) incomplete_.insert(event.call);
        continue;
      }
      handed_out_ += event.fate != ToldEvent::Fate::queued;
      if (!event.of_call) continue;
      const auto found = stored_.find(seq);
      const std::string told = std::to_string(seq) + " " + event.type + " of call " + event.call +
                               " to agent " + event.agent + " at " + std::to_string(event.at);
      if (found == stored_.end()) {
        incomplete_.insert(event.call);
        ++lost_answers_;
        if (!lost_with_a_kill(event, taken))
          lost.add(told + (event.fate == ToldEvent::Fate::peer_gone ? ", to nobody" : ""));
        continue;
      }
      if (found->second.size() > 1) twice.add(told);
      const DialledCall& call = oracle_.calls().at(event.call);
      for (const std::string& in : found->second) {
        if (in != by_called[call.called])
          strange.add(told + ", which is our " + by_called[call.called] + ": in " + in);
      }
    }
    Complaints invented("stored, but never told");
    for (const auto& [seq, calls] : stored_)
      if (!oracle_.events().contains(seq)) invented.add(std::to_string(seq));
  }

  bool lost_with_a_kill(const ToldEvent& event,
                        std::map<std::pair<std::string, Instant>, std::string>& taken) const {
    const bool to_nobody = event.fate == ToldEvent::Fate::peer_gone;
    const Instant after = to_nobody ? fleet_.settings().poll_ms + after_kill_ms : after_kill_ms;
    return std::ranges::any_of(strikes_, [&](const PollingStrike& strike) {
      return strike.what == "kill" && event.at >= strike.from - before_kill_ms &&
             event.at <= strike.from + after &&
             taken.emplace(std::pair{event.agent, strike.from}, event.type).second;
    });
  }

  void judge_calls() {
    Complaints missing("accepted, but no record"), open("not closed"), wrong("closed wrongly"),
        rung("rung more than once"), refused("refused, but rung"), name("another channel call id"),
        silent("no phone rang, but");
    for (const auto& made : made_) {
      const auto found = records_.find(made.call);
      if (found == records_.end()) {
        missing.add(made.call);
        continue;
      }
      const Record& record = found->second;
      if (record.state != "close") open.add(made.call);
      ++ends_[record.detail + " by " + record.source];
      const std::string told = made.call + " (" + made.kind + ", agent " + made.agent + "): type " +
                               record.type + " " + record.detail + " by " + record.by +
                               ", source " + record.source + ", attempt " + record.attempt;
      long rings_a = 0, rings_b = 0;
      const auto dialled = oracle_.dialled(made.called);
      for (const DialledCall* call : dialled) {
        rings_a += call->rings_a;
        rings_b += call->rings_b;
      }
      if (dialled.size() > 1 || rings_a > 1 || rings_b > 1) rung.add(told);
      if (record.attempt == "refused" && !dialled.empty()) refused.add(told);
      if (rings_b == 0 && (record.type == "2" || record.type == "6") && rings_a > 0 &&
          dialled.front()->cause != "restart")
        silent.add(told);
      if (dialled.empty() && (record.type == "0" || record.type == "2")) silent.add(told);
      if (dialled.empty()) continue;
      const DialledCall& call = *dialled.front();
      if (!record.channel_call_id.empty() && record.channel_call_id != call.id)
        name.add(told + ": " + record.channel_call_id + " instead of " + call.id);
      const auto right = right_close(call);
      if (incomplete_.contains(call.id) || !right) {
        ++excused_;
        continue;
      }
      ++strict_;
      if (record.type != right->type || (!right->by.empty() && !right->by.contains(record.by)))
        wrong.add(told + "; ended by " + call.cause + " in " + call.id);
    }
    BOOST_TEST(records_.size() == made_.size());
    BOOST_TEST(strict_ * 10 > static_cast<long>(made_.size()) * 6);
  }

  void judge_rest() const {
    const Stack& stack = fleet_.stack();
    BOOST_TEST(stack.sql("SELECT count(*) FROM dead_letter") == "0");
    BOOST_TEST(stack.sql("SELECT string_agg(DISTINCT reason, '; ') FROM dead_letter") == "");
    BOOST_TEST(stack.sql("SELECT count(*) FROM claim c WHERE released IS NULL AND (release_at IS "
                         "NULL OR release_at > extract(epoch FROM clock_timestamp()) * 1000 + "
                         "90000)") == "0");
    for (std::size_t i = 0; i < PollingFleet::daemons; ++i) BOOST_TEST(fleet_.ready(i));
    BOOST_TEST(std::filesystem::is_empty(stack.env("CC_DIR") + "/ccd/spool"));
    BOOST_TEST(stack.nginx_alarms() == "");
  }

  const PollingFleet& fleet_;
  const std::vector<PollingLoad::Made>& made_;
  const std::vector<PollingStrike>& strikes_;
  const PollingOracle& oracle_;
  const std::map<std::string, Record> records_;
  const std::map<long, std::vector<std::string>> stored_;
  std::set<std::string> incomplete_;  // the gateway's ids of calls that lost an event
  std::map<std::string, long> ends_;
  long handed_out_ = 0, lost_answers_ = 0, lost_there_ = 0, strict_ = 0, excused_ = 0;
};

}  // namespace

BOOST_AUTO_TEST_CASE(no_agent_and_no_event_is_lost_while_everything_around_dies) {
  const std::uint64_t chosen = seed();
  BOOST_TEST_MESSAGE("CC_SEED=" << chosen);
  const auto took = [begun = now_ms()] {
    return "after " + std::to_string((now_ms() - begun) / 1000) + " s: ";
  };
  PollingFleet fleet(fleet_settings());
  BOOST_TEST_MESSAGE(took() << "all agents are online");
  PollingLoad load(fleet, {.seed = chosen, .per_second = long_form() ? 100.0 : 60.0});
  PollingStrikes strikes(fleet, chosen, long_form());
  const std::vector<PollingStrike> struck = strikes.run();
  const std::vector<PollingLoad::Made> made = load.stop();
  BOOST_TEST_MESSAGE(took() << "all calls are made");
  for (const PollingStrike& strike : struck)
    BOOST_TEST_MESSAGE("  " << strike.from << " " << strike.what << " for "
                            << strike.to - strike.from << " ms");
  std::ostringstream posts;
  for (const auto& [status, n] : load.statuses()) posts << status << ": " << n << "  ";
  BOOST_TEST_MESSAGE("POST /v1/calls answered " << posts.str());

  std::string left;
  BOOST_TEST(eventually([&] { return (left = under_way(fleet)).empty(); },
                        Millis{long_form() ? 300'000 : 90'000}),
             "still under way: " << left);
  BOOST_TEST_MESSAGE(took() << "nothing is under way");

  const PollingOracle oracle(fleet.stack().env("CC_GATEWAY_JOURNAL"));
  Judge judge(fleet, made, struck, oracle);
  judge.judge();
  BOOST_TEST_MESSAGE(took() << judge.figures());
}
