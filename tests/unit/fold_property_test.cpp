// The fold's promise: whatever the order and however often events come, one and the same record.
#include <map>

#include <boost/test/unit_test.hpp>

#include "history.hpp"

using namespace cc;
using namespace cc::test;

namespace {

constexpr int event_names = static_cast<int>(EventName::recording_deleted) + 1;

/// Few distinct values, so that ties of every kind come up.
Facts random_facts(Rand& rand) {
  Facts f;
  for (auto* time : {&f.a_call_time, &f.b_call_time, &f.a_offhook_time, &f.b_offhook_time,
                     &f.conn_time, &f.close_time}) {
    if (rand.one_in(3)) {
      const std::int64_t far = rand.one_in(10) ? rand.between(-100, 100) * 3'600'000 : 0;
      *time =
          TimeFact{t0 + far + rand.between(0, 4) * 1000, static_cast<TimeOrigin>(rand.below(3))};
    }
  }
  for (auto* text : {&f.ch_state, &f.ch_audio_url, &f.channel_call_id, &f.ivr_url, &f.ivr_text,
                     &f.caller, &f.called, &f.channel, &f.agent, &f.reason, &f.audio_url}) {
    if (rand.one_in(3)) *text = std::string(1, static_cast<char>('a' + rand.below(4)));
  }
  if (rand.one_in(3)) f.duration = rand.between(0, 5);
  if (rand.one_in(4)) f.audio_after = rand.between(-1, 3);
  if (rand.one_in(4)) f.file = "ivr";
  if (rand.one_in(3)) {
    f.close = CloseFact{std::to_string(rand.below(8)), rand.one_in(2) ? "x" : "y",
                        rand.one_in(2) ? "" : "a"};
  }
  f.never_connected = rand.one_in(4);
  f.truncated = rand.one_in(20);
  return f;
}

Event random_event(Rand& rand, int id) {
  const bool ours = rand.one_in(3);
  const int name =
      ours ? 10 + static_cast<int>(rand.below(event_names - 10)) : static_cast<int>(rand.below(10));
  const Source channel_source =
      rand.pick(std::array{Source::callback, Source::poll, Source::query});
  Ev event(id, static_cast<EventName>(name), ours ? Source::cc : channel_source,
           t0 + rand.between(0, 5) * 1000);
  event.attempt = static_cast<int>(rand.below(4));
  event.with_ordinal(static_cast<std::uint8_t>(rand.below(3)));
  if (rand.one_in(2)) event.at(t0 + rand.between(0, 3) * 1000);
  event.facts = random_facts(rand);
  return event;
}

std::vector<Event> random_history(Rand& rand, std::size_t longest) {
  std::vector<Event> events;
  const auto length = rand.below(longest + 1);
  for (std::size_t i = 0; i < length; ++i) {
    // Keys in no relation to the order.
    events.push_back(random_event(rand, static_cast<int>(i * 37 % 256 + 256 * rand.below(200))));
  }
  return events;
}

/// call_event as the dispatcher keeps it: a key once, with its smallest received-ms.
class Store {
 public:
  void insert(const Event& event) {
    const auto [at, fresh] = events_.try_emplace(event.key, event);
    if (!fresh && event.received_ms < at->second.received_ms) {
      at->second.received_ms = event.received_ms;
    }
  }

  std::vector<Event> all() const {
    std::vector<Event> out;
    for (const auto& [key, event] : events_) out.push_back(event);
    return out;
  }

 private:
  std::map<EventKey, Event> events_;
};

/// What arrives when each event comes at least once, in any order; repeats may be received later.
std::vector<Event> arrivals(Rand& rand, const std::vector<Event>& history) {
  std::vector<Event> out = history;
  for (const Event& event : history) {
    while (rand.one_in(3)) {
      out.push_back(event);
      out.back().received_ms += rand.between(0, 90'000);
    }
  }
  std::shuffle(out.begin(), out.end(), rand.engine());
  return out;
}

void check_invariants(const Folded& r) {
  BOOST_REQUIRE(r.state == "init" || r.state == "conn" || r.state == "close");
  BOOST_REQUIRE_EQUAL(r.state == "close", r.progress == "closed");
  if (r.state == "conn") BOOST_REQUIRE_EQUAL(r.progress, "talking");
  if (r.duration) BOOST_REQUIRE(*r.duration >= 0);
  BOOST_REQUIRE(r.close_type.has_value() == r.close_detail.has_value());
  BOOST_REQUIRE(r.close_type.has_value() == r.close_source.has_value());
  if (r.closed_by) BOOST_REQUIRE(r.close_type.has_value());
  if (r.close_type || r.close_time) BOOST_REQUIRE_EQUAL(r.state, "close");
  if (r.late_life) BOOST_REQUIRE_EQUAL(r.state, "close");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(fold_property_test)

BOOST_AUTO_TEST_CASE(a_thousand_orders_with_repeats_give_one_record) {
  Rand rand(13);
  for (int round = 0; round < 20; ++round) {
    const auto history = random_history(rand, 14);
    Store direct;
    for (const Event& event : history) direct.insert(event);
    const auto constants = rand.one_in(2) ? outbound() : inbound();
    const Folded record = fold(constants, direct.all());
    for (int order = 0; order < 1000; ++order) {
      Store store;
      for (const Event& event : arrivals(rand, history)) store.insert(event);
      auto events = store.all();
      std::shuffle(events.begin(), events.end(), rand.engine());
      const Folded again = fold(constants, events);
      if (again != record) BOOST_REQUIRE_EQUAL(show(again), show(record));
    }
  }
}

BOOST_AUTO_TEST_CASE(thousands_of_histories_fold_the_same_in_any_order) {
  Rand rand(14);
  for (int round = 0; round < 5000; ++round) {
    const auto history = random_history(rand, 20);
    const auto constants = rand.one_in(2) ? outbound() : inbound();
    const Folded record = fold(constants, history);
    check_invariants(record);
    auto events = history;
    for (int order = 0; order < 10; ++order) {
      std::shuffle(events.begin(), events.end(), rand.engine());
      const Folded again = fold(constants, events);
      if (again != record) BOOST_REQUIRE_EQUAL(show(again), show(record));
    }
  }
}

BOOST_AUTO_TEST_CASE(events_repeated_in_the_input_change_nothing) {
  Rand rand(15);
  for (int round = 0; round < 2000; ++round) {
    Store store;
    for (const Event& event : random_history(rand, 12)) store.insert(event);
    const auto once = store.all();
    const auto twice = arrivals(rand, once);
    if (fold(outbound(), twice) != fold(outbound(), once)) {
      BOOST_REQUIRE_EQUAL(show(fold(outbound(), twice)), show(fold(outbound(), once)));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_superseded_attempts_channel_events_leave_no_trace) {
  Rand rand(16);
  for (int round = 0; round < 2000; ++round) {
    auto history = random_history(rand, 12);
    Ev over(65535, EventName::attempt_superseded, Source::cc);
    history.push_back(over.of_attempt(2));
    auto without = history;
    std::erase_if(without, [](const Event& event) {
      return event.attempt == 2 && event.name != EventName::attempt_superseded;
    });
    const auto with_them = fold(outbound(), history);
    BOOST_REQUIRE_EQUAL(show(with_them), show(fold(outbound(), without)));
  }
}

BOOST_AUTO_TEST_CASE(facts_that_went_through_json_fold_the_same) {
  Rand rand(17);
  for (int round = 0; round < 500; ++round) {
    const auto history = random_history(rand, 12);
    auto stored = history;
    for (Event& event : stored) event.facts = *facts_from_json(to_json(event.facts));
    BOOST_REQUIRE(fold(outbound(), stored) == fold(outbound(), history));
  }
}

BOOST_AUTO_TEST_SUITE_END()
