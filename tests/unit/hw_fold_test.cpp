// The close type of a Huawei call follows from which events came (channels.md: no cause is given),
// whatever their order, and with any one of them missing it is never a wrong one.
#include <algorithm>
#include <map>

#include <boost/test/unit_test.hpp>

#include "fold.hpp"
#include "history.hpp"
#include "hw_samples.hpp"

using namespace cc;
using namespace cc::test;

namespace {

using Sequence = std::vector<std::string>;

const Sequence begun{"AgentOther_PhoneAlerting"};

Sequence operator+(Sequence a, const Sequence& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

const Sequence ringing =
    begun + Sequence{"AgentOther_PhoneOffhook", "AgentEvent_Customer_Alerting"};
const Sequence talking = ringing + Sequence{"AgentEvent_Talking"};

/// A second apart.
std::vector<Event> events_of(const Sequence& sequence) {
  std::vector<Event> events;
  std::int64_t at = hw_ms;
  for (const std::string& type : sequence) {
    Event event = hw_channel().understand(hw_poll(hw_said(type), at += 1000)).events.at(0).event;
    event.attempt = 1;
    events.push_back(std::move(event));
  }
  return events;
}

/// In the order given, and in others; all must agree.
Folded record_of(const Sequence& sequence) {
  std::vector<Event> events = events_of(sequence);
  const Folded first = fold(outbound(), events);
  Rand rand(7);
  for (int i = 0; i < 20; ++i) {
    for (std::size_t n = events.size(); n > 1; --n) std::swap(events[n - 1], events[rand.below(n)]);
    BOOST_TEST(show(fold(outbound(), events)) == show(first));
  }
  return first;
}

std::string end_of(const Folded& record) {
  return record.close_type.value_or("-") + " " + record.close_detail.value_or("-") + " by " +
         record.closed_by.value_or("-");
}

std::string end_of(const Sequence& sequence) {
  return end_of(record_of(sequence));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(hw_fold_test)

BOOST_AUTO_TEST_CASE(documented_ends) {
  BOOST_TEST(end_of(talking + Sequence{"AgentEvent_Customer_Release", "PhoneRelease3"}) ==
             "0 normal by b");
  BOOST_TEST(end_of(talking + Sequence{"AgentEvent_Call_Release", "PhoneRelease2"}) ==
             "0 normal by a");
  BOOST_TEST(end_of(begun + Sequence{"AgentEvent_Connect_Fail", "PhoneRelease3"}) ==
             "1 a_unreachable by -");
  BOOST_TEST(end_of(ringing + Sequence{"AgentEvent_Call_Out_Fail", "AgentEvent_Connect_Fail",
                                       "PhoneRelease3"}) == "2 b_unreachable by -");
  BOOST_TEST(end_of(talking + Sequence{"PhoneRelease3"}) == "6 channel_error by channel");
}

BOOST_AUTO_TEST_CASE(a_connect_fail_after_a_answered_never_means_a) {
  BOOST_TEST(end_of(ringing + Sequence{"AgentEvent_Connect_Fail", "PhoneRelease3"}) ==
             "2 b_unreachable by -");
  BOOST_TEST(end_of(talking + Sequence{"AgentEvent_Connect_Fail"}) == "0 normal by -");
}

BOOST_AUTO_TEST_CASE(the_phone_on_its_hook_alone_tells_what_it_can) {
  BOOST_TEST(end_of(begun + Sequence{"PhoneRelease2"}) == "1 a_rejected by a");
  BOOST_TEST(end_of(begun + Sequence{"PhoneRelease3"}) == "1 a_unreachable by -");
  BOOST_TEST(end_of(ringing + Sequence{"PhoneRelease2"}) == "0 normal by a");
  BOOST_TEST(end_of(talking + Sequence{"PhoneRelease2"}) == "0 normal by a");
}

BOOST_AUTO_TEST_CASE(with_any_event_missing_the_end_is_right_or_the_missing_one_s) {
  // By sequence: what may be said where one event is lost, beside the truth.
  const std::map<Sequence, std::vector<std::string>> cases{
      {talking + Sequence{"AgentEvent_Customer_Release", "PhoneRelease3"},
       {"0 normal by b", "6 channel_error by channel"}},
      {talking + Sequence{"AgentEvent_Call_Release", "PhoneRelease2"}, {"0 normal by a"}},
      {begun + Sequence{"AgentEvent_Connect_Fail", "PhoneRelease3"}, {"1 a_unreachable by -"}},
      {ringing + Sequence{"AgentEvent_Call_Out_Fail", "AgentEvent_Connect_Fail", "PhoneRelease3"},
       {"2 b_unreachable by -"}},
  };
  for (const auto& [whole, allowed] : cases) {
    for (std::size_t lost = 0; lost < whole.size(); ++lost) {
      Sequence rest = whole;
      rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(lost));
      const Folded record = record_of(rest);
      BOOST_TEST(record.state == "close");
      BOOST_TEST((std::find(allowed.begin(), allowed.end(), end_of(record)) != allowed.end()),
                 "without " << whole[lost] << ": " << end_of(record));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_second_release_only_adds) {
  const Folded one = record_of(talking + Sequence{"AgentEvent_Customer_Release"});
  const Folded two = record_of(talking + Sequence{"AgentEvent_Customer_Release", "PhoneRelease3"});
  BOOST_TEST(one.close_time.value() == two.close_time.value());
  BOOST_TEST(end_of(one) == end_of(two));
  BOOST_TEST(two.duration.value() == 1);
  BOOST_TEST(one.duration.value() == 1);
}

BOOST_AUTO_TEST_CASE(it_looks_like_any_record) {
  const Folded r = record_of(talking);
  BOOST_TEST(r.state == "conn");
  BOOST_TEST(r.progress == "talking");
  BOOST_TEST(r.call_id.value() == hw_call);
  BOOST_TEST(r.a_call_time.value() == hw_ms + 1000);
  BOOST_TEST(r.a_offhook_time.value() == hw_ms + 2000);
  BOOST_TEST(r.b_call_time.value() == hw_ms + 3000);
  BOOST_TEST(r.conn_time.value() == hw_ms + 4000);
  BOOST_TEST(r.caller.value() == "13900000001");
  BOOST_TEST(r.ch_state.value() == "AgentEvent_Talking");
  BOOST_TEST(record_of(begun).progress == "a_ringing");
  BOOST_TEST(record_of(ringing).progress == "b_ringing");
}

BOOST_AUTO_TEST_CASE(never_connected_is_said_where_it_is_known) {
  BOOST_TEST(record_of(begun + Sequence{"AgentEvent_Connect_Fail"}).duration.value() == 0);
  BOOST_TEST(record_of(ringing + Sequence{"AgentEvent_Call_Out_Fail"}).duration.value() == 0);
  BOOST_TEST(!record_of(ringing + Sequence{"PhoneRelease3"}).duration.has_value());
}

BOOST_AUTO_TEST_CASE(a_query_closes_what_nothing_else_has_closed) {
  Delivery answer = hw_poll(
      R"({"retcode":"0","result":{"callid":"7-1","begintime":1700000000500,"endtime":1700000009000}})",
      hw_ms + 60'000);
  answer.source = Source::query;
  answer.subject = "1";
  Event asked = hw_channel().understand(answer).events.at(0).event;
  asked.attempt = 1;
  const auto with_query = [&](const Sequence& sequence) {
    std::vector<Event> events = events_of(sequence);
    events.push_back(asked);
    return fold(outbound(), events);
  };
  BOOST_TEST(end_of(with_query(talking)) == "0 normal by -");
  BOOST_TEST(with_query(talking).close_source.value() == "query");
  BOOST_TEST(with_query(talking).close_time.value() == 1'700'000'009'000);
  BOOST_TEST(end_of(with_query(begun)) == "255 no_final_event by -");
  // Whoever says how it ended knows better, though the query's times are the channel's own.
  BOOST_TEST(end_of(with_query(ringing + Sequence{"AgentEvent_Call_Out_Fail"})) ==
             "2 b_unreachable by -");
  BOOST_TEST(end_of(with_query(begun + Sequence{"PhoneRelease2"})) == "1 a_rejected by a");
}

BOOST_AUTO_TEST_SUITE_END()
