// The one sentence on what happened, row by row: every way in which a call may stand or end.
#include "query/call_story.hpp"

#include <functional>
#include <set>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

using namespace cc;

namespace {

constexpr std::int64_t begun = 1'781'524'800'000;
constexpr std::int64_t second = 1000;

/// A call and what its timeline says, as a row changes them.
struct Told {
  StoredRecord record;
  Timeline timeline;

  Folded& folded() { return record.folded; }
  TimelineAttempt& attempt() { return timeline.attempts.back(); }

  Told& close(const char* detail, const char* by = nullptr, const char* source = "callback") {
    folded().state = "close";
    folded().progress = "closed";
    folded().close_detail = detail;
    if (by != nullptr) folded().closed_by = by;
    folded().close_source = source;
    folded().close_time = begun + 100 * second;
    return *this;
  }
  Told& a_rings(std::int64_t at = 80) {
    folded().progress = "a_ringing";
    folded().a_call_time = begun + at * second;
    return *this;
  }
  Told& a_answers(std::int64_t at = 85) {
    a_rings();
    folded().progress = "a_answered";
    folded().a_offhook_time = begun + at * second;
    return *this;
  }
  Told& b_rings(std::int64_t at = 90) {
    a_answers();
    folded().progress = "b_ringing";
    folded().b_call_time = begun + at * second;
    return *this;
  }
  Told& talk(std::optional<std::int64_t> duration = 63) {
    b_rings();
    folded().progress = "talking";
    folded().state = "conn";
    folded().b_offhook_time = folded().conn_time = begun + 95 * second;
    folded().duration = duration;
    return *this;
  }
  Told& attempt_is(const char* state, const char* code = nullptr, const char* message = nullptr) {
    attempt().state = state;
    if (code != nullptr) attempt().code = code;
    if (message != nullptr) attempt().message = message;
    return *this;
  }
};

struct Row {
  const char* what;
  std::function<void(Told&)> change;
  const char* english;
  const char* chinese;
};

Told sent_call() {
  Told told;
  told.record.constants.created = begun;
  told.folded().channel = "e9";
  told.folded().progress = "sent";
  TimelineAttempt attempt;
  attempt.channel = "e9";
  attempt.state = "accepted";
  attempt.sent = begun;
  told.timeline.attempts.push_back(attempt);
  return told;
}

const std::vector<Row> rows{
    // open
    {"queued",
     [](Told& t) {
       t.folded().progress = "queued";
       t.attempt_is("planned");
     },
     "The call is stored and about to be sent to channel e9.", "呼叫已入库，即将发往渠道 e9。"},
    {"asked", [](Told& t) { t.attempt_is("sending"); },
     "Channel e9 has been asked for the call and has not answered yet.",
     "渠道 e9已收到呼叫请求，尚未答复。"},
    {"taken", [](Told&) {}, "Channel e9 has taken the call; nobody's phone is known to ring yet.",
     "渠道 e9已受理呼叫，尚无电话振铃的消息。"},
    {"unknown", [](Told& t) { t.attempt_is("unknown"); },
     "It is not known whether channel e9 placed the call, for it did not answer in time; the "
     "record "
     "will tell when it does.",
     "尚不清楚渠道 e9是否已发起呼叫（它未及时答复），有消息后记录会更新。"},
    {"unknown, but it rings", [](Told& t) { t.a_rings().attempt_is("unknown"); },
     "The agent's phone has been ringing for 30 s; the customer has not been called yet.",
     "坐席的电话已振铃了 30 秒，客户尚未被呼叫。"},
    {"A answered", [](Told& t) { t.a_answers(); },
     "The agent has answered; the customer's phone is not known to ring yet.",
     "坐席已接听，客户的电话尚无振铃消息。"},
    {"B rings", [](Told& t) { t.b_rings(); },
     "The agent has answered and the customer's phone has been ringing for 20 s.",
     "坐席已接听，客户的电话已振铃了 20 秒。"},
    {"talking", [](Told& t) { t.talk(); }, "The agent and the customer have been talking for 15 s.",
     "坐席与客户已通话了 15 秒。"},
    // closed, connected
    {"A hung up", [](Told& t) { t.talk().close("normal", "a"); },
     "The agent and the customer talked for 63 s; the agent hung up.",
     "坐席与客户通话 63 秒，坐席挂机。"},
    {"B hung up", [](Told& t) { t.talk().close("normal", "b"); },
     "The agent and the customer talked for 63 s; the customer hung up.",
     "坐席与客户通话 63 秒，客户挂机。"},
    {"the application hung up", [](Told& t) { t.talk().close("normal", "app"); },
     "The agent and the customer talked for 63 s; the application ended the call.",
     "坐席与客户通话 63 秒，由应用结束。"},
    {"nobody knows who", [](Told& t) { t.talk().close("normal"); },
     "The agent and the customer talked for 63 s.", "坐席与客户通话 63 秒。"},
    {"nor for how long", [](Told& t) { t.talk(std::nullopt).close("normal"); },
     "The agent and the customer were connected; for how long is not known.",
     "坐席与客户已接通，时长不详。"},
    {"maximum duration", [](Told& t) { t.talk(3600).close("max_duration", "channel"); },
     "The agent and the customer talked for 3600 s; then the call's maximum duration was over.",
     "坐席与客户通话 3600 秒，达到最长时限后结束。"},
    {"channel failed in the midst", [](Told& t) { t.talk().close("channel_error"); },
     "The agent and the customer talked for 63 s; then the channel failed.",
     "坐席与客户通话 63 秒，随后渠道出错而中断。"},
    {"network failed in the midst", [](Told& t) { t.talk().close("network_error"); },
     "The agent and the customer talked for 63 s; then the channel's network failed.",
     "坐席与客户通话 63 秒，随后渠道网络出错而中断。"},
    {"a foreign reason", [](Told& t) { t.talk().close("other:77"); },
     "The agent and the customer talked for 63 s; the channel's reason for the end is its code 77.",
     "坐席与客户通话 63 秒；渠道给出的结束原因代码为 77。"},
    {"no final event after talking",
     [](Told& t) { t.talk(std::nullopt).close("no_final_event", "cc", "cc"); },
     "The agent and the customer were connected; how and when the call ended is not known; CC "
     "closed "
     "the record by its own clock.",
     "坐席与客户已接通；何时、如何结束不得而知；CC 按自己的时钟关闭了记录。"},
    // closed, A
    {"A no answer", [](Told& t) { t.a_rings(88).close("a_no_answer"); },
     "The agent's phone rang for 12 s and was not answered; the customer was never called.",
     "坐席的电话振铃了 12 秒，无人接听，客户未被呼叫。"},
    {"A no answer, no times", [](Told& t) { t.close("a_no_answer"); },
     "The agent's phone rang and was not answered; the customer was never called.",
     "坐席的电话振铃，无人接听，客户未被呼叫。"},
    {"A rejected", [](Told& t) { t.a_rings(97).close("a_rejected"); },
     "The agent declined the call after 3 s; the customer was never called.",
     "坐席拒接（振铃 3 秒），客户未被呼叫。"},
    {"A unreachable",
     [](Told& t) { t.close("a_unreachable").attempt_is("refused", "1205", "not on the net"); },
     "The agent's phone could not be reached (code 1205: not on the net); the customer was never "
     "called.",
     "坐席的电话无法接通（代码 1205：not on the net），客户未被呼叫。"},
    {"A busy", [](Told& t) { t.close("a_busy"); },
     "The agent's phone was busy; the customer was never called.",
     "坐席的电话占线，客户未被呼叫。"},
    // closed, B
    {"B no answer", [](Told& t) { t.b_rings(80).close("b_no_answer"); },
     "The agent answered, but the customer's phone rang for 20 s and was not answered.",
     "坐席已接听，但客户的电话振铃了 20 秒，无人接听。"},
    {"B rejected", [](Told& t) { t.b_rings(95).close("b_rejected"); },
     "The agent answered, but the customer declined the call after 5 s.",
     "坐席已接听，但客户拒接（振铃 5 秒）。"},
    {"B unreachable", [](Told& t) { t.a_answers().close("b_unreachable"); },
     "The agent answered, but the customer's phone could not be reached.",
     "坐席已接听，但客户的电话无法接通。"},
    {"B's number refused",
     [](Told& t) {
       t.close("b_unreachable", "channel", "cc")
           .attempt_is("refused", "900203", ("\"to\" " + std::string(200, 'x')).c_str());
     },
     "The customer's phone could not be reached (code 900203: \"to\" "
     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…); nobody's phone rang.",
     "客户的电话无法接通（代码 900203：\"to\" "
     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…），没有电话振铃。"},
    {"B busy", [](Told& t) { t.a_answers().close("b_busy"); },
     "The agent answered, but the customer's phone was busy.", "坐席已接听，但客户的电话占线。"},
    // closed, neither
    {"refused", [](Told& t) { t.close("channel_error").attempt_is("refused", "1003", "quota"); },
     "Channel e9 refused the call (code 1003: quota); nobody's phone rang.",
     "渠道 e9拒绝了呼叫（代码 1003：quota），没有电话振铃。"},
    {"out of reach", [](Told& t) { t.close("network_error").attempt_is("refused"); },
     "Channel e9 could not be reached; nobody's phone rang.", "渠道 e9无法连通，没有电话振铃。"},
    {"failed after it was taken", [](Told& t) { t.a_rings().close("channel_error"); },
     "Channel e9 failed while the agent's phone was ringing; the customer was never called.",
     "渠道 e9出错，当时坐席的电话正在振铃，客户未被呼叫。"},
    {"network failed after it was taken", [](Told& t) { t.b_rings().close("network_error"); },
     "Channel e9's network failed while the customer's phone was ringing.",
     "渠道 e9网络出错，当时客户的电话正在振铃。"},
    {"cancelled before it was sent",
     [](Told& t) {
       t.close("cancelled", "app", "cc").attempt_is("refused");
       t.attempt().sent.reset();
     },
     "The application cancelled the call before it was sent; nobody's phone rang.",
     "应用取消了呼叫，当时尚未发往渠道，没有电话振铃。"},
    {"cancelled while A rang", [](Told& t) { t.a_rings().close("cancelled", "app", "cc"); },
     "The application cancelled the call while the agent's phone was ringing; the customer was "
     "never "
     "called.",
     "应用取消了呼叫，当时坐席的电话正在振铃，客户未被呼叫。"},
    {"cancelled by somebody else", [](Told& t) { t.b_rings().close("cancelled", "channel"); },
     "The call was cancelled while the customer's phone was ringing.",
     "呼叫被取消，当时客户的电话正在振铃。"},
    {"not sent", [](Told& t) { t.close("not_sent", "cc", "cc").attempt_is("refused"); },
     "CC did not get the call to a channel in time; nobody's phone rang.",
     "CC 未能及时把呼叫发往渠道，没有电话振铃。"},
    {"outcome unknown",
     [](Told& t) { t.close("outcome_unknown", "cc", "cc").attempt_is("unknown"); },
     "Channel e9 never said whether it placed the call, and CC closed the record by its own clock; "
     "phones may have rung.",
     "渠道 e9始终未说明是否已发起呼叫，CC 按自己的时钟关闭了记录；电话可能响过。"},
    {"no final event", [](Told& t) { t.a_rings().close("no_final_event", "cc", "cc"); },
     "How the call ended is not known: nothing more was heard while the agent's phone was ringing; "
     "the customer was never called; CC closed the record by its own clock.",
     "通话如何结束不得而知：此后再无消息，当时坐席的电话正在振铃，客户未被呼叫；CC "
     "按自己的时钟关闭了记录。"},
    {"no event at all", [](Told& t) { t.close("no_final_event", "cc", "cc"); },
     "How the call ended is not known: nothing more was heard before any phone is known to have "
     "rung; CC closed the record by its own clock.",
     "通话如何结束不得而知：此后再无消息，当时尚无电话振铃的消息；CC 按自己的时钟关闭了记录。"},
    {"maximum duration, never connected",
     [](Told& t) { t.a_answers().close("max_duration", "channel"); },
     "The call reached its maximum duration when the agent had answered; the customer was never "
     "called.",
     "呼叫达到最长时限，当时坐席已接听，客户未被呼叫。"},
    {"a foreign reason, never connected", [](Told& t) { t.b_rings().close("other:901"); },
     "The call ended while the customer's phone was ringing; the channel's reason is its code 901, "
     "which CC has no word for.",
     "呼叫结束，当时客户的电话正在振铃；渠道给出的原因代码为 901，CC 不认识该代码。"},
    {"normal, never connected", [](Told& t) { t.b_rings().close("normal", "a"); },
     "The call ended while the customer's phone was ringing; the agent hung up.",
     "呼叫结束，当时客户的电话正在振铃，坐席挂机。"},
    {"B answered, never connected",
     [](Told& t) {
       t.b_rings().folded().b_offhook_time = begun + 99 * second;
       t.close("normal", "channel");
     },
     "The call ended when the customer had answered, before both were connected; the channel ended "
     "the call.",
     "呼叫结束，当时客户已接听但双方未接通，由渠道结束。"},
    {"nobody said why",
     [](Told& t) {
       t.a_answers().close("normal");
       t.folded().close_detail.reset();
     },
     "The call ended when the agent had answered; the customer was never called; nobody said why.",
     "呼叫结束，当时坐席已接听，客户未被呼叫；原因无人说明。"},
    // around it
    {"failed over",
     [](Told& t) {
       t.attempt_is("refused", "1003").attempt().superseded = true;
       t.timeline.attempts.push_back(t.attempt());
       t.timeline.attempts.push_back({});
       t.timeline.attempts[1].channel = "jy";
       t.timeline.attempts[1].code.reset();
       t.attempt_is("accepted").attempt().channel = "hw";
       t.folded().channel = "hw";
       t.talk().close("normal", "b");
     },
     "After channel e9 had not taken it (code 1003) and channel jy had not taken it, the call went "
     "to channel hw: the agent and the customer talked for 63 s; the customer hung up.",
     "渠道 e9 未受理（代码 1003）、渠道 jy 未受理，改由渠道 hw呼叫：坐席与客户通话 63 "
     "秒，客户挂机。"},
    {"late life",
     [](Told& t) {
       t.close("no_final_event", "cc", "cc");
       t.folded().late_life = true;
     },
     "How the call ended is not known: nothing more was heard before any phone is known to have "
     "rung; CC closed the record by its own clock; afterwards the channel still showed signs of "
     "life, so phones may have been on for longer.",
     "通话如何结束不得而知：此后再无消息，当时尚无电话振铃的消息；CC 按自己的时钟关闭了记录；"
     "此后渠道仍报告了通话活动，电话实际持续可能更久。"},
    {"recovered",
     [](Told& t) {
       t.talk().close("normal", "a");
       t.record.constants.recovered = true;
     },
     "The agent and the customer talked for 63 s; the agent hung up; the record was made anew from "
     "the channel's events after data was lost.",
     "坐席与客户通话 63 秒，坐席挂机；该记录在数据丢失后由渠道事件重建。"},
    {"inbound",
     [](Told& t) {
       t.record.constants.direction = "in";
       t.talk().close("normal", "a");
     },
     "The customer and the agent talked for 63 s; the customer hung up.",
     "客户与坐席通话 63 秒，客户挂机。"},
    {"the channel's words hold a number",
     [](Told& t) { t.close("channel_error").attempt_is("refused", nullptr, "13812345678 barred"); },
     "Channel e9 refused the call (138****5678 barred); nobody's phone rang.",
     "渠道 e9拒绝了呼叫（138****5678 barred），没有电话振铃。"},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(call_story_test)

BOOST_AUTO_TEST_CASE(each_way_a_call_may_stand_or_end_has_its_sentence) {
  for (const Row& row : rows) {
    Told told = sent_call();
    row.change(told);
    const std::int64_t now = begun + 110 * second;
    BOOST_TEST_CONTEXT(row.what) {
      BOOST_TEST(call_story(told.record, told.timeline, now, Tongue::english) == row.english);
      BOOST_TEST(call_story(told.record, told.timeline, now, Tongue::chinese) == row.chinese);
    }
  }
}

BOOST_AUTO_TEST_CASE(every_detail_of_a_close_is_among_the_rows) {
  std::set<std::string> covered;
  for (const Row& row : rows) {
    Told told = sent_call();
    row.change(told);
    covered.insert(told.folded().close_detail.value_or("").substr(0, 6));
  }
  for (const char* detail :
       {"normal", "a_no_answer", "a_rejected", "a_unreachable", "a_busy", "b_no_answer",
        "b_rejected", "b_unreachable", "b_busy", "max_duration", "channel_error", "network_error",
        "cancelled", "not_sent", "outcome_unknown", "no_final_event", "other:1"}) {
    BOOST_TEST(covered.contains(std::string(detail).substr(0, 6)), detail);
  }
}

BOOST_AUTO_TEST_CASE(a_call_without_its_timeline_has_one_too) {
  Told told = sent_call();
  told.timeline = {};
  told.folded().channel.reset();
  told.close("outcome_unknown");
  BOOST_TEST(
      call_story(told.record, told.timeline, begun, Tongue::english) ==
      "The channel never said whether it placed the call, and CC closed the record by its own "
      "clock; phones may have rung.");
}

BOOST_AUTO_TEST_SUITE_END()
