#include "fold.hpp"

#include <boost/test/unit_test.hpp>

#include "e9.hpp"
#include "history.hpp"
#include "samples.hpp"

using namespace cc;
using namespace cc::test;
using enum EventName;
using enum TimeOrigin;

namespace {

constexpr std::int64_t hour = 3'600'000;
constexpr auto callback = Source::callback;
constexpr auto query = Source::query;
constexpr auto own_source = Source::cc;

Ev planned(int id, int attempt, std::string channel, std::string agent) {
  return Ev(id, attempt_planned, own_source)
      .of_attempt(attempt)
      .text(&Facts::channel, std::move(channel))
      .text(&Facts::agent, std::move(agent));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(fold_test)

BOOST_AUTO_TEST_CASE(no_events_are_a_queued_call) {
  const auto r = folded({});
  BOOST_TEST(r.state == "init");
  BOOST_TEST(r.progress == "queued");
  BOOST_TEST(r.caller.value() == "13900000001");
  BOOST_TEST(!r.duration.has_value());
}

BOOST_AUTO_TEST_CASE(the_vendors_samples_make_a_whole_record) {
  std::vector<Event> events;
  const std::string b_invite = with(e9_invite, "<userFlag>0", "<userFlag>1");
  for (const std::string_view body :
       {e9_invite, std::string_view(b_invite), e9_establish, e9_hangup}) {
    events.push_back(e9_channel().understand(e9_delivery(body)).events.at(0).event);
  }
  const auto r = fold(outbound(), events);
  BOOST_TEST(r.state == "close");
  BOOST_TEST(r.progress == "closed");
  BOOST_TEST(r.call_id.value() == e9_call);
  BOOST_TEST(r.ch_state.value() == "Hangup");
  BOOST_TEST(r.a_call_time.value() == e9_invite_ms);
  BOOST_TEST(r.a_offhook_time.value() == e9_invite_ms + 234'000);  // Hangup's own word
  BOOST_TEST(r.b_offhook_time.value() == e9_invite_ms + 240'000);
  BOOST_TEST(r.conn_time.value() == e9_invite_ms + 30'000);  // CallEstablish's own word
  BOOST_TEST(r.close_time.value() == e9_invite_ms + 249'000);
  BOOST_TEST(r.duration.value() == 9);
  BOOST_TEST(r.close_type.value() == "255");
  BOOST_TEST(r.close_detail.value() == "other:200");
  BOOST_TEST(r.close_source.value() == "callback");
  BOOST_TEST(r.caller.value() == "13900000001");  // the constants'
}

// Times.

BOOST_AUTO_TEST_CASE(an_own_time_beats_an_observed_one_and_that_an_inferred_one) {
  const auto field = &Facts::a_offhook_time;
  const auto inferred_one = Ev(1, b_calling).time(field, t0 + 1, inferred);
  const auto observed_one = Ev(2, other).time(field, t0 + 2, observed);
  const auto own_one = Ev(3, other).time(field, t0 + 3, own);
  BOOST_TEST(folded({inferred_one}).a_offhook_time.value() == t0 + 1);
  BOOST_TEST(folded({inferred_one, observed_one}).a_offhook_time.value() == t0 + 2);
  BOOST_TEST(folded({inferred_one, observed_one, own_one}).a_offhook_time.value() == t0 + 3);
}

BOOST_AUTO_TEST_CASE(of_times_of_one_origin_the_higher_rank_wins_then_the_earliest) {
  const auto field = &Facts::close_time;
  const auto late = Ev(1, closed).time(field, t0 + 9);
  const auto early = Ev(2, closed).time(field, t0 + 5);
  const auto asked = Ev(3, closed, query).time(field, t0 + 7);
  BOOST_TEST(folded({late, early}).close_time.value() == t0 + 5);
  BOOST_TEST(folded({late, early, asked}).close_time.value() == t0 + 7);
}

BOOST_AUTO_TEST_CASE(each_time_has_its_own_winner) {
  struct {
    std::optional<TimeFact> Facts::*fact;
    OptMs Folded::*column;
  } const pairs[] = {{&Facts::a_call_time, &Folded::a_call_time},
                     {&Facts::b_call_time, &Folded::b_call_time},
                     {&Facts::a_offhook_time, &Folded::a_offhook_time},
                     {&Facts::b_offhook_time, &Folded::b_offhook_time},
                     {&Facts::conn_time, &Folded::conn_time}};
  for (const auto& told : pairs) {
    const auto r = folded(
        {Ev(1, other).time(told.fact, t0 + 5, inferred), Ev(2, recorded).time(told.fact, t0 + 6)});
    for (const auto& pair : pairs) {
      const bool same = pair.fact == told.fact;
      BOOST_TEST((r.*pair.column).value_or(-1) == (same ? t0 + 6 : -1));
    }
  }
}

BOOST_AUTO_TEST_CASE(an_event_without_a_time_was_seen_when_we_heard_of_it) {
  BOOST_TEST(folded({Ev(1, a_calling, callback, t0 + 1)}).a_call_time.value() == t0 + 1);
  BOOST_TEST(folded({Ev(1, a_answered, Source::poll, t0 + 1)}).a_offhook_time.value() == t0 + 1);
  BOOST_TEST(folded({Ev(1, b_calling, callback, t0 + 1)}).b_call_time.value() == t0 + 1);
  BOOST_TEST(folded({Ev(1, b_answered, callback, t0 + 1)}).b_offhook_time.value() == t0 + 1);
  BOOST_TEST(folded({Ev(1, connected, callback, t0 + 1)}).conn_time.value() == t0 + 1);
  BOOST_TEST(folded({Ev(1, closed, callback, t0 + 1)}).close_time.value() == t0 + 1);
  // A query's answer tells of the past.
  BOOST_TEST(!folded({Ev(1, closed, query, t0 + 1)}).close_time.has_value());
}

BOOST_AUTO_TEST_CASE(a_clock_more_than_a_day_ahead_is_not_believed) {
  const auto field = &Facts::conn_time;
  BOOST_TEST(folded({Ev(1, connected).time(field, t0 + 24 * hour)}).conn_time.value() ==
             t0 + 24 * hour);
  BOOST_TEST(folded({Ev(1, connected).time(field, t0 + 24 * hour + 1)}).conn_time.value() == t0);
}

BOOST_AUTO_TEST_CASE(a_clock_more_than_two_days_behind_is_not_believed) {
  const auto field = &Facts::conn_time;
  BOOST_TEST(folded({Ev(1, connected).time(field, t0 - 48 * hour)}).conn_time.value() ==
             t0 - 48 * hour);
  BOOST_TEST(folded({Ev(1, connected).time(field, t0 - 48 * hour - 1)}).conn_time.value() == t0);
}

BOOST_AUTO_TEST_CASE(a_query_may_be_three_days_behind) {
  const auto field = &Facts::close_time;
  BOOST_TEST(folded({Ev(1, closed, query).time(field, t0 - 72 * hour)}).close_time.value() ==
             t0 - 72 * hour);
  BOOST_TEST(folded({Ev(1, closed, query).time(field, t0 - 72 * hour - 1)}).close_time.value() ==
             t0);
}

BOOST_AUTO_TEST_CASE(a_time_that_is_not_believed_counts_as_observed) {
  const auto field = &Facts::conn_time;
  const auto mad = Ev(1, connected).time(field, t0 + 99 * hour);
  const auto sane = Ev(2, closed, callback, t0 + 60'000).time(field, t0 + 30'000);
  const auto guess = Ev(3, closed, callback, t0 + 60'000).time(field, t0 - 30'000, inferred);
  BOOST_TEST(folded({mad, sane}).conn_time.value() == t0 + 30'000);
  BOOST_TEST(folded({mad, guess}).conn_time.value() == t0);
}

BOOST_AUTO_TEST_CASE(no_time_overflows) {
  for (const auto ms : {INT64_MIN, INT64_MAX, std::int64_t{0}}) {
    for (const auto received : {INT64_MIN, INT64_MAX, std::int64_t{0}}) {
      folded({Ev(1, connected, callback, received).time(&Facts::conn_time, ms),
              Ev(2, closed, callback, -received - 1)
                  .time(&Facts::close_time, ms)
                  .text(&Facts::ch_audio_url, "u"),
              Ev(3, closed, query, received).at(ms)});
    }
  }
}

// Other fields.

BOOST_AUTO_TEST_CASE(ch_state_is_the_latest_word_of_the_highest_rank) {
  const auto word = [](Ev event, std::int64_t ms, std::string value) {
    return event.at(ms).text(&Facts::ch_state, std::move(value));
  };
  const auto first = word(Ev(1, a_calling), t0 + 1, "CallInvite");
  const auto last = word(Ev(2, connected), t0 + 2, "CallEstablish");
  const auto asked = word(Ev(3, other, query), t0 + 1, "asked");
  const auto ended = word(Ev(4, closed, query), t0 - 5, "ended");
  BOOST_TEST(folded({first, last}).ch_state.value() == "CallEstablish");
  BOOST_TEST(folded({first, last, asked}).ch_state.value() == "CallEstablish");
  BOOST_TEST(folded({first, last, asked, ended}).ch_state.value() == "ended");
}

BOOST_AUTO_TEST_CASE(in_one_second_ch_state_is_the_word_of_the_later_life) {
  const auto r = folded({Ev(1, closed).at(t0).text(&Facts::ch_state, "Hangup"),
                         Ev(2, connected).at(t0).text(&Facts::ch_state, "CallEstablish")});
  BOOST_TEST(r.ch_state.value() == "Hangup");
}

BOOST_AUTO_TEST_CASE(other_texts_are_the_earliest_of_the_highest_rank) {
  struct {
    std::optional<std::string> Facts::*fact;
    OptText Folded::*column;
  } const pairs[] = {{&Facts::channel_call_id, &Folded::call_id},
                     {&Facts::ch_audio_url, &Folded::ch_audio_url},
                     {&Facts::ivr_url, &Folded::ivr_url},
                     {&Facts::ivr_text, &Folded::ivr_text}};
  for (const auto& [fact, column] : pairs) {
    const auto late = Ev(1, a_calling).at(t0 + 9).text(fact, "late");
    const auto early = Ev(2, recorded).at(t0 + 5).text(fact, "early");
    const auto asked = Ev(3, closed, query).at(t0 + 7).text(fact, "asked");
    BOOST_TEST((folded({late, early}).*column).value() == "early");
    BOOST_TEST((folded({late, early, asked}).*column).value() == "asked");
  }
}

BOOST_AUTO_TEST_CASE(a_mad_channel_time_orders_nothing) {
  const auto mad = Ev(1, a_calling, callback, t0 + 10).at(0).text(&Facts::ivr_url, "mad");
  const auto sane = Ev(2, closed).at(t0 + 5).text(&Facts::ivr_url, "sane");
  BOOST_TEST(folded({mad, sane}).ivr_url.value() == "sane");
}

BOOST_AUTO_TEST_CASE(ties_go_by_life_then_received_then_ordinal_then_key) {
  const auto say = [](Ev event, std::string value) {
    return event.at(t0).text(&Facts::ivr_url, std::move(value));
  };
  const auto by_life = say(Ev(9, a_calling, callback, t0 + 9).with_ordinal(9), "life");
  const auto by_received = say(Ev(8, b_calling, callback, t0 + 1).with_ordinal(8), "received");
  const auto by_ordinal = say(Ev(7, b_calling, callback, t0 + 2).with_ordinal(1), "ordinal");
  const auto by_key = say(Ev(1, b_calling, callback, t0 + 2).with_ordinal(2), "key");
  const auto last = say(Ev(2, b_calling, callback, t0 + 2).with_ordinal(2), "last");
  BOOST_TEST(folded({by_life, by_received, by_ordinal, by_key, last}).ivr_url.value() == "life");
  BOOST_TEST(folded({by_received, by_ordinal, by_key, last}).ivr_url.value() == "received");
  BOOST_TEST(folded({by_ordinal, by_key, last}).ivr_url.value() == "ordinal");
  BOOST_TEST(folded({by_key, last}).ivr_url.value() == "key");
}

BOOST_AUTO_TEST_CASE(an_accepted_attempt_gives_the_call_id) {
  const auto r = folded({planned(1, 1, "e9", "13900000001"),
                         Ev(2, attempt_accepted, own_source).text(&Facts::channel_call_id, "id")});
  BOOST_TEST(r.call_id.value() == "id");
  BOOST_TEST(r.progress == "sent");
}

BOOST_AUTO_TEST_CASE(outbound_numbers_are_the_constants_inbound_ones_the_events) {
  const auto event = Ev(1, a_calling).text(&Facts::caller, "1").text(&Facts::called, "2");
  BOOST_TEST(folded({event}).caller.value() == "13900000001");
  BOOST_TEST(folded({event}).called.value() == "13800000002");
  BOOST_TEST(folded({event}, inbound()).caller.value() == "1");
  BOOST_TEST(folded({event}, inbound()).called.value() == "2");
  Constants recovered;  // made anew from an echo: no numbers are known
  recovered.recovered = true;
  BOOST_TEST(folded({event}, recovered).caller.value() == "1");
}

BOOST_AUTO_TEST_CASE(a_truncated_value_marks_the_record) {
  auto event = Ev(1, a_calling);
  BOOST_TEST(!folded({event}).truncated);
  event.facts.truncated = true;
  BOOST_TEST(folded({event}).truncated);
}

// The end.

BOOST_AUTO_TEST_CASE(the_close_comes_whole_from_one_event) {
  const auto channel = Ev(1, closed).at(t0 + 5).close("4", "b_busy", "");
  const auto later = Ev(2, closed).at(t0 + 6).close("0", "normal", "a");
  const auto r = folded({channel, later});
  BOOST_TEST(r.close_type.value() == "4");
  BOOST_TEST(r.close_detail.value() == "b_busy");
  BOOST_TEST(!r.closed_by.has_value());
  BOOST_TEST(r.close_source.value() == "callback");
}

BOOST_AUTO_TEST_CASE(ranks_decide_the_close) {
  const auto reaper = Ev(1, reaped, own_source, t0).close("255", "no_final_event", "cc");
  const auto hangup = Ev(2, hangup_closed, own_source, t0 + 1).close("255", "cancelled", "app");
  const auto poll = Ev(3, closed, Source::poll, t0 + 2).close("2", "b_unreachable");
  const auto asked = Ev(4, closed, query, t0 + 3).close("0", "normal");
  BOOST_TEST(folded({reaper}).close_source.value() == "cc");
  BOOST_TEST(folded({reaper}).closed_by.value() == "cc");
  BOOST_TEST(folded({reaper, hangup}).close_detail.value() == "cancelled");
  BOOST_TEST(folded({reaper, hangup, poll}).close_source.value() == "poll");
  BOOST_TEST(folded({reaper, hangup, poll, asked}).close_source.value() == "query");
}

BOOST_AUTO_TEST_CASE(an_end_without_a_cause_leaves_the_cause_to_others) {
  const auto causeless = Ev(1, closed).time(&Facts::close_time, t0 + 3);
  const auto r = folded({causeless, Ev(2, reaped, own_source, t0 + 9).close("255", "x", "cc")});
  BOOST_TEST(r.state == "close");
  BOOST_TEST(r.close_time.value() == t0 + 3);
  BOOST_TEST(r.close_detail.value() == "x");
  BOOST_TEST(!folded({causeless}).close_type.has_value());
  BOOST_TEST(folded({causeless}).state == "close");
}

BOOST_AUTO_TEST_CASE(a_hangup_before_establish_closes_the_call) {
  const auto hangup = Ev(1, closed, callback, t0).at(t0 + 9).close("0", "normal");
  const auto establish = Ev(2, connected, callback, t0 + 50).at(t0 + 3);
  const auto r = folded({hangup, establish});
  BOOST_TEST(r.state == "close");
  BOOST_TEST(r.progress == "closed");
  BOOST_TEST(!r.late_life);
}

BOOST_AUTO_TEST_CASE(only_what_closes_gives_a_close_time_or_cause) {
  const auto r = folded({Ev(1, other).time(&Facts::close_time, t0).close("0", "normal")});
  BOOST_TEST(r.state == "init");
  BOOST_TEST(!r.close_time.has_value());
  BOOST_TEST(!r.close_type.has_value());
}

// Duration.

BOOST_AUTO_TEST_CASE(the_channels_duration_wins_over_ours) {
  const auto r = folded({Ev(1, connected).time(&Facts::conn_time, t0),
                         Ev(2, closed).time(&Facts::close_time, t0 + 9999).lasting(42)});
  BOOST_TEST(r.duration.value() == 42);
}

BOOST_AUTO_TEST_CASE(without_one_it_is_the_whole_seconds_from_conn_to_close) {
  const auto conn = Ev(1, connected).time(&Facts::conn_time, t0);
  const auto closing = [](std::int64_t ms) { return Ev(2, closed).time(&Facts::close_time, ms); };
  BOOST_TEST(folded({conn, closing(t0 + 9999)}).duration.value() == 9);
  BOOST_TEST(folded({conn, closing(t0 + 10000)}).duration.value() == 10);
  BOOST_TEST(folded({conn, closing(t0 - 10000)}).duration.value() == 0);  // never negative
}

BOOST_AUTO_TEST_CASE(our_own_clock_gives_no_duration) {
  const auto conn = Ev(1, connected).time(&Facts::conn_time, t0);
  for (const auto name : {hangup_closed, reaped}) {
    const auto close =
        Ev(2, name, own_source, t0 + 60'000).close("255").never_connected().lasting(5);
    BOOST_TEST(folded({conn, close}).close_time.value() == t0 + 60'000);
    BOOST_TEST(!folded({conn, close}).duration.has_value());
    BOOST_TEST(!folded({close}).duration.has_value());
    // The channel's late word amends it.
    const auto word = Ev(3, closed, callback, t0 + 90'000).time(&Facts::close_time, t0 + 30'000);
    BOOST_TEST(folded({conn, close, word}).duration.value() == 30);
  }
}

BOOST_AUTO_TEST_CASE(zero_needs_a_source_that_says_never_connected) {
  const auto closing = Ev(1, closed).close("2");
  BOOST_TEST(!folded({closing}).duration.has_value());
  auto never = closing;
  BOOST_TEST(folded({never.never_connected()}).duration.value() == 0);
}

BOOST_AUTO_TEST_CASE(who_connected_did_not_never_connect) {
  const auto r = folded({Ev(1, connected, query), Ev(2, closed).never_connected()});
  BOOST_TEST(!r.duration.has_value());
}

// Connection and progress.

BOOST_AUTO_TEST_CASE(both_legs_answered_are_connected) {
  const auto a = Ev(1, a_answered).time(&Facts::a_offhook_time, t0 + 5);
  const auto b = Ev(2, b_answered).time(&Facts::b_offhook_time, t0 + 9);
  BOOST_TEST(folded({a}).state == "init");
  BOOST_TEST(folded({b}).state == "init");
  BOOST_TEST(folded({a, b}).state == "conn");
  BOOST_TEST(folded({a, b}).conn_time.value() == t0 + 9);
  const auto told = Ev(3, connected).time(&Facts::conn_time, t0 + 7);
  BOOST_TEST(folded({a, b, told}).conn_time.value() == t0 + 7);
}

BOOST_AUTO_TEST_CASE(progress_is_the_furthest_step) {
  const auto after = [](EventName name) {
    return folded({Ev(1, name, name >= attempt_planned ? own_source : callback)}).progress;
  };
  BOOST_TEST(after(attempt_planned) == "queued");
  BOOST_TEST(after(attempt_sent) == "sent");
  BOOST_TEST(after(attempt_accepted) == "sent");
  BOOST_TEST(after(attempt_unknown) == "sent");
  BOOST_TEST(after(a_calling) == "sent");
  BOOST_TEST(after(a_ringing) == "a_ringing");
  BOOST_TEST(after(a_answered) == "a_answered");
  BOOST_TEST(after(b_calling) == "a_answered");
  BOOST_TEST(after(b_ringing) == "b_ringing");
  BOOST_TEST(after(b_answered) == "talking");
  BOOST_TEST(after(connected) == "talking");
  BOOST_TEST(after(closed) == "closed");
  BOOST_TEST(after(reaped) == "closed");
  BOOST_TEST(after(hangup_requested) == "queued");
  BOOST_TEST(after(other) == "queued");
  BOOST_TEST(folded({Ev(1, b_ringing), Ev(2, a_calling)}).progress == "b_ringing");
}

// Attempts.

BOOST_AUTO_TEST_CASE(the_line_is_the_current_attempts) {
  const auto first = planned(1, 1, "e9", "13900000001");
  const auto over = Ev(2, attempt_superseded, own_source);
  const auto second = planned(3, 2, "hw", "1001");
  BOOST_TEST(folded({first}).channel.value() == "e9");
  BOOST_TEST(folded({first, over, second}).channel.value() == "hw");
  BOOST_TEST(folded({first, over, second}).agent.value() == "1001");
  const auto over_too = Ev(4, attempt_superseded, own_source).of_attempt(2);
  BOOST_TEST(folded({first, second, over_too}).channel.value() == "e9");
}

BOOST_AUTO_TEST_CASE(a_superseded_attempt_never_closes_nor_sets_columns) {
  const std::vector<Ev> history = {
      planned(1, 1, "e9", "13900000001"),
      Ev(2, attempt_refused, own_source).close("6", "channel_error", "channel"),
      Ev(3, attempt_superseded, own_source),
      planned(4, 2, "hw", "1001"),
      Ev(5, closed).close("0", "normal").text(&Facts::ch_audio_url, "u").lasting(3),
      Ev(6, connected).time(&Facts::conn_time, t0).text(&Facts::ch_state, "x"),
      Ev(7, hangup_closed, own_source).close("255"),
  };
  const auto r = folded(history);
  BOOST_TEST(r.state == "init");
  BOOST_TEST(r.progress == "queued");
  BOOST_TEST(!r.close_type.has_value());
  BOOST_TEST(!r.ch_state.has_value());
  BOOST_TEST(!r.ch_audio_url.has_value());
  BOOST_TEST(!r.duration.has_value());
}

BOOST_AUTO_TEST_CASE(an_event_of_no_known_attempt_counts) {
  const auto r = folded({planned(1, 1, "e9", "a"), Ev(2, attempt_superseded, own_source),
                         planned(3, 2, "e9", "a"), Ev(4, connected).of_attempt(0)});
  BOOST_TEST(r.state == "conn");
}

BOOST_AUTO_TEST_CASE(a_refusal_of_the_current_attempt_closes_at_once) {
  const auto r =
      folded({planned(1, 1, "e9", "a"),
              Ev(2, attempt_refused, own_source, t0 + 7).close("1", "a_unreachable", "channel")});
  BOOST_TEST(r.state == "close");
  BOOST_TEST(r.close_type.value() == "1");
  BOOST_TEST(r.closed_by.value() == "channel");
  BOOST_TEST(r.close_source.value() == "cc");
  BOOST_TEST(r.close_time.value() == t0 + 7);
  BOOST_TEST(r.duration.value() == 0);
}

BOOST_AUTO_TEST_CASE(a_refusal_of_an_earlier_attempt_closes_nothing) {
  const auto r = folded({planned(1, 1, "e9", "a"), planned(2, 2, "hw", "b"),
                         Ev(3, attempt_refused, own_source).close("6")});
  BOOST_TEST(r.state == "init");
}

BOOST_AUTO_TEST_CASE(a_refusal_that_the_channel_belies_closes_nothing) {
  const auto refusal = Ev(2, attempt_refused, own_source).close("6");
  for (const auto source : {callback, Source::poll, query}) {
    const auto life = Ev(3, a_calling, source).text(&Facts::channel_call_id, "7-1");
    BOOST_TEST(folded({planned(1, 1, "e9", "a"), refusal, life}).state == "init");
  }
  // What a line tells without naming a call may be of another one.
  const auto nameless = Ev(3, a_ringing, Source::poll);
  BOOST_TEST(folded({planned(1, 1, "hw", "a"), refusal, nameless}).state == "close");
  const auto r = folded({planned(1, 1, "e9", "a"), refusal, Ev(3, connected), Ev(4, closed)});
  BOOST_TEST(!r.close_type.has_value());
  // An event of another attempt belies nothing.
  const auto second = folded({planned(1, 1, "e9", "a"), Ev(2, attempt_superseded, own_source),
                              planned(3, 2, "hw", "b"), Ev(4, a_calling),
                              Ev(5, attempt_refused, own_source).of_attempt(2).close("6")});
  BOOST_TEST(second.state == "close");
}

// Late life.

BOOST_AUTO_TEST_CASE(life_after_our_own_close_is_flagged) {
  const auto close = Ev(1, reaped, own_source, t0).close("255");
  BOOST_TEST(!folded({close, Ev(2, connected, callback, t0)}).late_life);
  BOOST_TEST(!folded({close, Ev(2, connected, callback, t0 - 1)}).late_life);
  BOOST_TEST(folded({close, Ev(2, connected, callback, t0 + 1)}).late_life);
  BOOST_TEST(folded({close, Ev(2, other, query, t0 + 1)}).late_life);
  BOOST_TEST(!folded({close, Ev(2, closed, callback, t0 + 1)}).late_life);
  BOOST_TEST(!folded({close, Ev(2, recorded, callback, t0 + 1)}).late_life);
  BOOST_TEST(!folded({close, Ev(2, attempt_accepted, own_source, t0 + 1)}).late_life);
  BOOST_TEST(!folded({Ev(1, closed), Ev(2, connected, callback, t0 + 1)}).late_life);
}

// Recording.

BOOST_AUTO_TEST_CASE(a_recording_is_expected_stored_absent_or_deleted) {
  const auto url = Ev(1, closed).time(&Facts::close_time, t0).text(&Facts::ch_audio_url, "u");
  const auto absent = Ev(2, recording_absent, own_source).text(&Facts::reason, "not found");
  const auto stored = Ev(3, recording_stored, own_source).text(&Facts::audio_url, "oss");
  const auto deleted = Ev(4, recording_deleted, own_source);
  BOOST_TEST(!folded({Ev(1, closed)}).recording_state.has_value());
  const auto expected = folded({url});
  BOOST_TEST(expected.recording_state.value() == "expected");
  BOOST_TEST(expected.recording_expected_at.value() == t0 + 600'000);
  const auto missing = folded({url, absent});
  BOOST_TEST(missing.recording_state.value() == "absent");
  BOOST_TEST(missing.recording_reason.value() == "not found");
  BOOST_TEST(!missing.recording_expected_at.has_value());
  const auto kept = folded({url, absent, stored});
  BOOST_TEST(kept.recording_state.value() == "stored");
  BOOST_TEST(kept.audio_url.value() == "oss");
  BOOST_TEST(!kept.recording_reason.has_value());
  const auto gone = folded({url, absent, stored, deleted});
  BOOST_TEST(gone.recording_state.value() == "deleted");
  BOOST_TEST(!gone.audio_url.has_value());
}

BOOST_AUTO_TEST_CASE(what_becomes_of_an_ivr_s_file_says_nothing_of_the_recording) {
  const auto end = Ev(1, closed)
                       .text(&Facts::ch_audio_url, "u")
                       .text(&Facts::ivr_url, "i")
                       .text(&Facts::ivr_text, "balance");
  const auto of_ivr = [](int id, EventName name) {
    return Ev(id, name, own_source).text(&Facts::file, "ivr");
  };
  const auto stored = of_ivr(2, recording_stored).text(&Facts::audio_url, "oss-ivr");
  const auto deleted = of_ivr(3, recording_deleted).text(&Facts::reason, "kept for 7 days");
  const auto absent = of_ivr(4, recording_absent).text(&Facts::reason, "not found");
  BOOST_TEST(folded({end, absent}).ivr_url.value() == "i");
  for (const auto& r : {folded({end, stored}), folded({end, absent, stored})}) {
    BOOST_TEST(r.ivr_url.value() == "oss-ivr");
    BOOST_TEST(r.ivr_text.value() == "balance");
    BOOST_TEST(r.recording_state.value() == "expected");
    BOOST_TEST(!r.audio_url.has_value());
    BOOST_TEST(!r.recording_reason.has_value());
  }
  const auto gone = folded({end, stored, deleted});
  BOOST_TEST(!gone.ivr_url.has_value());
  BOOST_TEST(gone.ivr_text.value() == "balance");
  BOOST_TEST(gone.recording_state.value() == "expected");
  const auto audio = Ev(5, recording_stored, own_source).text(&Facts::audio_url, "oss");
  const auto both = folded({end, stored, deleted, audio});
  BOOST_TEST(both.audio_url.value() == "oss");
  BOOST_TEST(!both.ivr_url.has_value());
  BOOST_TEST(folded({end, audio}).ivr_url.value() == "i");
}

BOOST_AUTO_TEST_CASE(a_recording_is_expected_when_its_channel_has_it) {
  const auto after = [](std::optional<std::int64_t> seconds) {
    auto end = Ev(1, closed).time(&Facts::close_time, t0).text(&Facts::ch_audio_url, "u");
    end.facts.audio_after = seconds;
    return folded({end}).recording_expected_at.value() - t0;
  };
  BOOST_TEST(after(std::nullopt) == 600'000);
  BOOST_TEST(after(60) == 60'000);
  BOOST_TEST(after(0) == 0);
  BOOST_TEST(after(-5) == 0);
  BOOST_TEST(after(INT64_MAX) == 86'400'000);
}

BOOST_AUTO_TEST_CASE(a_key_that_comes_twice_counts_once_with_its_smaller_received_ms) {
  auto first = Ev(1, closed, callback, t0 + 5);
  auto repeat = Ev(1, closed, callback, t0 + 1);
  BOOST_TEST(folded({first, repeat}).close_time.value() == t0 + 1);
  // Even what can't happen has one result.
  folded({Ev(1, closed).close("1"), Ev(1, closed).close("2"), Ev(1, connected)});
}

BOOST_AUTO_TEST_SUITE_END()
