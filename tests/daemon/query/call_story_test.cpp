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
  /// As the channel tells it: at `at` by its clock, heard of a second later.
  Told& happens(EventName name, std::int64_t at, Source source = Source::callback) {
    Event event;
    event.name = name;
    event.source = source;
    event.attempt = timeline.attempts.empty() ? 1 : attempt().attempt;
    event.channel_ms = begun + at * second;
    event.received_ms = begun + (at + 1) * second;
    timeline.events.push_back({event, ""});
    return *this;
  }
  Told& asks_to_hang_up(std::int64_t at) {
    return happens(EventName::hangup_requested, at - 1, Source::cc);
  }
  Told& a_called(std::int64_t at = 80) {
    folded().progress = "sent";
    folded().a_call_time = begun + at * second;
    return *this;
  }
  Told& a_rings(std::int64_t at = 80) {
    a_called(at);
    folded().progress = "a_ringing";
    return happens(EventName::a_ringing, at);
  }
  Told& a_answers(std::int64_t at = 85) {
    a_rings();
    folded().progress = "a_answered";
    folded().a_offhook_time = begun + at * second;
    return *this;
  }
  Told& b_called(std::int64_t at = 90) {
    a_answers();
    folded().b_call_time = begun + at * second;
    return *this;
  }
  Told& b_rings(std::int64_t at = 90) {
    b_called(at);
    folded().progress = "b_ringing";
    return happens(EventName::b_ringing, at);
  }
  Told& inbound() {
    record.constants.direction = "in";
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
     "已向渠道 e9 发出呼叫请求，尚未答复。"},
    {"taken", [](Told&) {}, "Channel e9 has taken the call; nobody's phone is known to ring yet.",
     "渠道 e9 已受理呼叫，尚无电话振铃的消息。"},
    {"taken, to be hung up", [](Told& t) { t.asks_to_hang_up(20); },
     "Channel e9 has taken the call; nobody's phone is known to ring yet; the application has "
     "asked to hang up.",
     "渠道 e9 已受理呼叫，尚无电话振铃的消息；应用已请求挂断。"},
    {"unknown: no answer in time",
     [](Told& t) { t.attempt_is("unknown", "timed_out", "Timeout was reached"); },
     "It is not known whether channel e9 placed the call, for it did not answer in time; the "
     "record will tell when that is known.",
     "尚不清楚渠道 e9 是否已发起呼叫（它未及时答复），有消息后记录会更新。"},
    {"unknown: an answer that can't be read",
     [](Told& t) { t.attempt_is("unknown", "http_500", "the answer is not readable as Jiuyun's"); },
     "It is not known whether channel e9 placed the call (code http_500: the answer is not "
     "readable as Jiuyun's); the record will tell when that is known.",
     "尚不清楚渠道 e9 是否已发起呼叫（代码 http_500：the answer is not readable as "
     "Jiuyun's），有消息后记录会更新。"},
    {"unknown: CC died", [](Told& t) { t.attempt_is("unknown", "owner_died"); },
     "It is not known whether channel e9 placed the call, for CC's own process died while it was "
     "asking; the record will tell when that is known.",
     "尚不清楚渠道 e9 是否已发起呼叫（CC 自身的进程在请求途中终止），有消息后记录会更新。"},
    {"unknown, but it rings", [](Told& t) { t.a_rings().attempt_is("unknown"); },
     "The agent's phone has been ringing for 30 s; the customer is not known to have been called "
     "yet.",
     "坐席的电话正在振铃（已 30 秒），尚无呼叫客户的消息。"},
    {"A is called", [](Told& t) { t.a_called(); },
     "Channel e9 has been calling the agent for 30 s; the customer is not known to have been "
     "called yet.",
     "渠道 e9 正在呼叫坐席（已 30 秒），尚无呼叫客户的消息。"},
    {"A answered", [](Told& t) { t.a_answers(); },
     "The agent has answered; the customer's phone is not known to ring yet.",
     "坐席已接听，客户的电话尚无振铃消息。"},
    {"B is called", [](Told& t) { t.b_called(); },
     "The agent has answered and channel e9 has been calling the customer for 20 s.",
     "坐席已接听，渠道 e9 正在呼叫客户（已 20 秒）。"},
    {"B rings", [](Told& t) { t.b_rings(); },
     "The agent has answered and the customer's phone has been ringing for 20 s.",
     "坐席已接听，客户的电话正在振铃（已 20 秒）。"},
    {"B answered", [](Told& t) { t.b_rings().folded().b_offhook_time = begun + 99 * second; },
     "The customer has answered, but is not connected yet.", "客户已接听，双方尚未接通。"},
    {"talking", [](Told& t) { t.talk(); }, "The agent and the customer have been talking for 15 s.",
     "坐席与客户已通话 15 秒。"},
    // closed, connected
    {"A hung up", [](Told& t) { t.talk().close("normal", "a"); },
     "The agent and the customer talked for 63 s; the agent hung up.",
     "坐席与客户通话 63 秒，坐席挂机。"},
    {"B hung up", [](Told& t) { t.talk().close("normal", "b"); },
     "The agent and the customer talked for 63 s; the customer hung up.",
     "坐席与客户通话 63 秒，客户挂机。"},
    {"B hung up at once", [](Told& t) { t.talk(0).close("normal", "b"); },
     "The agent and the customer talked for less than a second; the customer hung up.",
     "坐席与客户通话不足 1 秒，客户挂机。"},
    {"the application hung up, and the channel reported no end",
     [](Told& t) {
       t.talk(std::nullopt).close("normal", "app", "cc").asks_to_hang_up(97);
       t.happens(EventName::hangup_closed, 127, Source::cc);
     },
     "The agent and the customer were connected; for how long is not known; the application ended "
     "the call; the channel took the hang-up but reported no end, and CC closed the record by its "
     "own clock.",
     "坐席与客户已接通，时长不详，由应用挂断；渠道受理了挂断但未报告结束，CC "
     "按自己的时钟关闭了记录。"},
    {"nobody knows who", [](Told& t) { t.talk().close("normal"); },
     "The agent and the customer talked for 63 s.", "坐席与客户通话 63 秒。"},
    {"nobody says who, but the application had asked",
     [](Told& t) { t.talk().asks_to_hang_up(100).close("normal"); },
     "The agent and the customer talked for 63 s; that was after the application had asked to hang "
     "up.",
     "坐席与客户通话 63 秒；此前应用已请求挂断。"},
    {"the line was released, as the application had asked",
     [](Told& t) { t.talk().asks_to_hang_up(98).close("normal", "a"); },
     "The agent and the customer talked for 63 s; the agent hung up; that was after the "
     "application had asked to hang up.",
     "坐席与客户通话 63 秒，坐席挂机；此前应用已请求挂断。"},
    {"the application asked too late, but nobody had heard of the end",
     [](Told& t) {
       t.talk().close("normal", "b").asks_to_hang_up(105).happens(EventName::closed, 107);
     },
     "The agent and the customer talked for 63 s; the customer hung up; the application asked to "
     "hang up before CC had heard of the end.",
     "坐席与客户通话 63 秒，客户挂机；收到结束消息之前，应用曾请求挂断。"},
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
     "closed the record by its own clock.",
     "坐席与客户已接通；何时、如何结束不得而知；CC 按自己的时钟关闭了记录。"},
    // closed, A
    {"A no answer", [](Told& t) { t.a_rings(88).close("a_no_answer"); },
     "The agent's phone rang for 12 s and was not answered; the customer was never called.",
     "坐席的电话振铃 12 秒，无人接听，未呼叫客户。"},
    {"A no answer, and nobody says that it rang",
     [](Told& t) { t.a_called(88).close("a_no_answer"); },
     "The agent was called for 12 s and did not answer; the customer was never called.",
     "呼叫坐席 12 秒，无人接听，未呼叫客户。"},
    {"A no answer, no times", [](Told& t) { t.close("a_no_answer"); },
     "The agent did not answer; the customer was never called.", "坐席未接听，未呼叫客户。"},
    {"A rejected", [](Told& t) { t.a_rings(97).close("a_rejected"); },
     "The agent declined the call after 3 s of ringing; the customer was never called.",
     "坐席拒接（振铃 3 秒后），未呼叫客户。"},
    {"A rejected at once", [](Told& t) { t.a_called(100).close("a_rejected"); },
     "The agent declined the call after less than a second; the customer was never called.",
     "坐席拒接（呼叫不足 1 秒后），未呼叫客户。"},
    {"A's number refused",
     [](Told& t) { t.close("a_unreachable").attempt_is("refused", "1205", "not on the net"); },
     "The agent's phone could not be reached (code 1205: not on the net); the customer was never "
     "called.",
     "坐席的电话无法接通（代码 1205：not on the net），未呼叫客户。"},
    {"A rang in vain", [](Told& t) { t.a_rings(97).close("a_unreachable"); },
     "The agent's phone rang for 3 s without an answer (the channel gives no cause); the customer "
     "was never called.",
     "坐席的电话振铃 3 秒，无人应答（渠道未说明原因），未呼叫客户。"},
    {"A was called in vain, with a word on the number shown",
     [](Told& t) { t.a_called(97).close("a_unreachable").attempt_is("accepted", "900222"); },
     "The agent was called for 3 s and not reached (the channel does not say whether the phone "
     "rang); the customer was never called.",
     "呼叫坐席 3 秒，未接通（渠道未说明是否振铃），未呼叫客户。"},
    {"A was not reached, and only the end was told", [](Told& t) { t.close("a_unreachable"); },
     "The agent was not reached (the channel does not say whether the phone rang); the customer "
     "was never called.",
     "坐席未接通（渠道未说明是否振铃），未呼叫客户。"},
    {"A's attempt that was given up had rung",
     [](Told& t) {
       t.a_rings(50).attempt().superseded = true;
       t.timeline.attempts.push_back({});
       t.attempt().attempt = 2;
       t.attempt_is("accepted").attempt().channel = "hw";
       t.folded().channel = "hw";
       t.a_called(97).close("a_unreachable");
     },
     "After channel e9 had not taken it, the call went to channel hw: the agent was called for 3 s "
     "and not reached (the channel does not say whether the phone rang); the customer was never "
     "called.",
     "渠道 e9 未受理，改由渠道 hw 呼叫：呼叫坐席 3 秒，未接通（渠道未说明是否振铃），未呼叫客户。"},
    {"A rang until the application asked to hang up",
     [](Told& t) { t.a_rings(90).asks_to_hang_up(99).close("a_unreachable"); },
     "The agent's phone rang for 10 s without an answer (the channel gives no cause); the customer "
     "was never called; that was after the application had asked to hang up.",
     "坐席的电话振铃 10 秒，无人应答（渠道未说明原因），未呼叫客户；此前应用已请求挂断。"},
    {"A busy", [](Told& t) { t.close("a_busy"); },
     "The agent's phone was busy; the customer was never called.", "坐席的电话占线，未呼叫客户。"},
    // closed, B
    {"B no answer", [](Told& t) { t.b_rings(80).close("b_no_answer"); },
     "The agent answered, but the customer's phone rang for 20 s and was not answered.",
     "坐席已接听，但客户的电话振铃 20 秒，无人接听。"},
    {"B rejected", [](Told& t) { t.b_rings(95).close("b_rejected"); },
     "The agent answered, but the customer declined the call after 5 s of ringing.",
     "坐席已接听，但客户拒接（振铃 5 秒后）。"},
    {"B rang in vain", [](Told& t) { t.b_rings(80).close("b_unreachable"); },
     "The agent answered, but the customer's phone rang for 20 s without an answer (the channel "
     "gives no cause).",
     "坐席已接听，但客户的电话振铃 20 秒，无人应答（渠道未说明原因）。"},
    {"B was called in vain", [](Told& t) { t.b_called(80).close("b_unreachable"); },
     "The agent answered, but the customer was called for 20 s and not reached (the channel does "
     "not say whether the phone rang).",
     "坐席已接听，但呼叫客户 20 秒，未接通（渠道未说明是否振铃）。"},
    {"B unreachable", [](Told& t) { t.a_answers().close("b_unreachable"); },
     "The agent answered, but the customer was not reached (the channel does not say whether the "
     "phone rang).",
     "坐席已接听，但客户未接通（渠道未说明是否振铃）。"},
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
     "渠道 e9 拒绝了呼叫（代码 1003：quota），没有电话振铃。"},
    {"out of reach", [](Told& t) { t.close("network_error").attempt_is("refused"); },
     "Channel e9 could not be reached; nobody's phone rang.", "渠道 e9 无法连通，没有电话振铃。"},
    {"failed, and whether it was taken is not known",
     [](Told& t) { t.close("channel_error", "channel").attempt_is("unknown", "timed_out"); },
     "Channel e9 failed before any phone is known to have rung.",
     "渠道 e9 出错时，尚无电话振铃的消息。"},
    {"failed after it was taken", [](Told& t) { t.a_rings().close("channel_error"); },
     "Channel e9 failed while the agent's phone was ringing; the customer was never called.",
     "渠道 e9 出错时，坐席的电话正在振铃，未呼叫客户。"},
    {"network failed after it was taken", [](Told& t) { t.b_called().close("network_error"); },
     "Channel e9's network failed while the customer was being called.",
     "渠道 e9 网络出错时，正在呼叫客户。"},
    {"cancelled before it was sent",
     [](Told& t) {
       t.close("cancelled", "app", "cc").attempt_is("refused");
       t.attempt().sent.reset();
     },
     "The application cancelled the call before it was sent; nobody's phone rang.",
     "应用取消呼叫时，尚未发往渠道，没有电话振铃。"},
    {"cancelled while A rang",
     [](Told& t) {
       t.a_rings().asks_to_hang_up(90).close("cancelled", "app", "cc");
       t.happens(EventName::hangup_closed, 120, Source::cc);
     },
     "The application cancelled the call while the agent's phone was ringing; the customer is not "
     "known to have been called; the channel took the hang-up but reported no end, and CC closed "
     "the record by its own clock.",
     "应用取消呼叫时，坐席的电话正在振铃，没有呼叫客户的消息；渠道受理了挂断但未报告结束，CC "
     "按自己的时钟关闭了记录。"},
    {"cancelled by somebody else", [](Told& t) { t.b_rings().close("cancelled", "channel"); },
     "The call was cancelled while the customer's phone was ringing.",
     "呼叫被取消时，客户的电话正在振铃。"},
    {"not sent", [](Told& t) { t.close("not_sent", "cc", "cc").attempt_is("refused"); },
     "CC did not get the call to a channel in time; nobody's phone rang.",
     "CC 未能及时把呼叫发往渠道，没有电话振铃。"},
    {"outcome unknown",
     [](Told& t) { t.close("outcome_unknown", "cc", "cc").attempt_is("unknown"); },
     "Channel e9 never said whether it placed the call, and CC closed the record by its own clock; "
     "phones may have rung.",
     "渠道 e9 始终未说明是否已发起呼叫，CC 按自己的时钟关闭了记录；电话可能响过。"},
    {"no final event", [](Told& t) { t.a_rings().close("no_final_event", "cc", "cc"); },
     "How the call ended is not known: when it was last heard of, the agent's phone was ringing; "
     "the customer is not known to have been called; CC closed the record by its own clock.",
     "呼叫如何结束不得而知：最后一次收到消息时，坐席的电话正在振铃，没有呼叫客户的消息；CC "
     "按自己的时钟关闭了记录。"},
    {"no final event, and the application had asked",
     [](Told& t) { t.a_called().asks_to_hang_up(90).close("no_final_event", "cc", "cc"); },
     "How the call ended is not known: when it was last heard of, the agent was being called; the "
     "customer is not known to have been called; CC closed the record by its own clock; the "
     "application had asked to hang up.",
     "呼叫如何结束不得而知：最后一次收到消息时，正在呼叫坐席，没有呼叫客户的消息；CC "
     "按自己的时钟关闭了记录；此前应用已请求挂断。"},
    {"no event at all", [](Told& t) { t.close("no_final_event", "cc", "cc"); },
     "How the call ended is not known: nothing was heard of it but that channel e9 had taken it; "
     "CC closed the record by its own clock.",
     "呼叫如何结束不得而知：除渠道 e9 已受理外没有任何消息；CC 按自己的时钟关闭了记录。"},
    {"the channel's query tells of an end and no more",
     [](Told& t) { t.a_answers().close("no_final_event", nullptr, "query"); },
     "Channel e9 says that the call is over, but not how it ended: when it was last heard of, the "
     "agent had answered; the customer is not known to have been called.",
     "渠道 e9 "
     "只说明呼叫已结束，未说明如何结束：最后一次收到消息时，坐席已接听，没有呼叫客户的消息。"},
    {"the channel's query alone tells of it",
     [](Told& t) { t.close("no_final_event", nullptr, "query"); },
     "Channel e9 says that the call is over, but not how it ended; nobody's phone is known to have "
     "rung.",
     "渠道 e9 只说明呼叫已结束，未说明如何结束；没有电话振铃的消息。"},
    {"maximum duration, never connected",
     [](Told& t) { t.a_answers().close("max_duration", "channel"); },
     "The call reached its maximum duration when the agent had answered; the customer is not known "
     "to have been called.",
     "呼叫达到最长时限时，坐席已接听，没有呼叫客户的消息。"},
    {"a foreign reason, never connected", [](Told& t) { t.b_rings().close("other:901"); },
     "The call ended while the customer's phone was ringing; the channel's reason is its code 901, "
     "which CC has no word for.",
     "呼叫结束时，客户的电话正在振铃；渠道给出的原因代码为 901（CC 未收录）。"},
    {"normal, never connected", [](Told& t) { t.b_rings().close("normal", "a"); },
     "The call ended while the customer's phone was ringing; the agent hung up.",
     "呼叫结束时，客户的电话正在振铃，坐席挂机。"},
    {"B answered, never connected",
     [](Told& t) {
       t.b_rings().folded().b_offhook_time = begun + 99 * second;
       t.close("normal", "channel");
     },
     "The call ended when the customer had answered, but was not connected yet; the channel ended "
     "the call.",
     "呼叫结束时，客户已接听，双方尚未接通，由渠道挂断。"},
    {"nobody said why",
     [](Told& t) {
       t.a_answers().close("normal");
       t.folded().close_detail.reset();
     },
     "The call ended when the agent had answered; the customer is not known to have been called; "
     "nobody said why.",
     "呼叫结束时，坐席已接听，没有呼叫客户的消息；原因不详。"},
    // around it
    {"failed over",
     [](Told& t) {
       t.attempt_is("refused", "1003").attempt().superseded = true;
       t.timeline.attempts.push_back(t.attempt());
       t.timeline.attempts.push_back({});
       t.timeline.attempts[1].channel = "jy";
       t.timeline.attempts[1].code.reset();
       t.timeline.attempts[1].attempt = 2;
       t.attempt().attempt = 3;
       t.attempt_is("accepted").attempt().channel = "hw";
       t.folded().channel = "hw";
       t.talk().close("normal", "b");
     },
     "After channel e9 had not taken it (code 1003) and channel jy had not taken it, the call went "
     "to channel hw: the agent and the customer talked for 63 s; the customer hung up.",
     "渠道 e9 未受理（代码 1003）、渠道 jy 未受理，改由渠道 hw 呼叫：坐席与客户通话 63 "
     "秒，客户挂机。"},
    {"failed over to the same channel",
     [](Told& t) {
       t.attempt_is("refused", "000-003").attempt().superseded = true;
       t.timeline.attempts.push_back({});
       t.attempt().attempt = 2;
       t.attempt_is("accepted");
       t.talk().close("normal", "b");
     },
     "After channel e9 had not taken it (code 000-003), the call went to channel e9 again: the "
     "agent and the customer talked for 63 s; the customer hung up.",
     "渠道 e9 未受理（代码 000-003），再由渠道 e9 呼叫：坐席与客户通话 63 秒，客户挂机。"},
    {"late life",
     [](Told& t) {
       t.close("no_final_event", "cc", "cc");
       t.folded().late_life = true;
     },
     "How the call ended is not known: nothing was heard of it but that channel e9 had taken it; "
     "CC closed the record by its own clock; afterwards the channel still showed signs of life, so "
     "phones may have been on for longer.",
     "呼叫如何结束不得而知：除渠道 e9 已受理外没有任何消息；CC "
     "按自己的时钟关闭了记录；此后渠道仍报告了通话活动，电话实际持续可能更久。"},
    {"recovered",
     [](Told& t) {
       t.talk().close("normal", "a");
       t.record.constants.recovered = true;
     },
     "The agent and the customer talked for 63 s; the agent hung up; the record was made anew from "
     "the channel's events after data was lost.",
     "坐席与客户通话 63 秒，坐席挂机；该记录在数据丢失后由渠道事件重建。"},
    // inbound: A is the agent all the same
    {"inbound, A hung up", [](Told& t) { t.inbound().talk().close("normal", "a"); },
     "Inbound call: the agent and the customer talked for 63 s; the agent hung up.",
     "呼入：坐席与客户通话 63 秒，坐席挂机。"},
    {"inbound, B hung up", [](Told& t) { t.inbound().talk().close("normal", "b"); },
     "Inbound call: the agent and the customer talked for 63 s; the customer hung up.",
     "呼入：坐席与客户通话 63 秒，客户挂机。"},
    {"inbound, A rings", [](Told& t) { t.inbound().a_rings(); },
     "Inbound call: the agent's phone has been ringing for 30 s.",
     "呼入：坐席的电话正在振铃（已 30 秒）。"},
    {"inbound, A rang in vain", [](Told& t) { t.inbound().a_rings(97).close("a_unreachable"); },
     "Inbound call: the agent's phone rang for 3 s without an answer (the channel gives no cause).",
     "呼入：坐席的电话振铃 3 秒，无人应答（渠道未说明原因）。"},
    {"inbound, A answered and B was gone",
     [](Told& t) { t.inbound().a_answers().close("normal", "b"); },
     "Inbound call: the call ended when the agent had answered; the customer hung up.",
     "呼入：呼叫结束时，坐席已接听，客户挂机。"},
    {"the channel's words hold a number",
     [](Told& t) { t.close("channel_error").attempt_is("refused", nullptr, "13812345678 barred"); },
     "Channel e9 refused the call (138****5678 barred); nobody's phone rang.",
     "渠道 e9 拒绝了呼叫（138****5678 barred），没有电话振铃。"},
    // what became of the recording
    {"its recording is to come",
     [](Told& t) { t.talk().close("normal", "a").folded().recording_state = "expected"; },
     "The agent and the customer talked for 63 s; the agent hung up; its recording is still to be "
     "fetched from the channel.",
     "坐席与客户通话 63 秒，坐席挂机；录音尚待从渠道获取。"},
    {"its recording is there",
     [](Told& t) { t.talk().close("normal", "a").folded().recording_state = "stored"; },
     "The agent and the customer talked for 63 s; the agent hung up; its recording is stored.",
     "坐席与客户通话 63 秒，坐席挂机；录音已保存。"},
    {"its recording was never there",
     [](Told& t) {
       t.talk().close("normal", "a").folded().recording_state = "absent";
       t.folded().recording_reason = "the channel has had no such file for 24 h, says 13812345678";
     },
     "The agent and the customer talked for 63 s; the agent hung up; its recording could not be "
     "had: the channel has had no such file for 24 h, says 138****5678.",
     "坐席与客户通话 63 秒，坐席挂机；录音未能取得：the channel has had no such file for 24 h, "
     "says "
     "138****5678。"},
    {"its recording is gone",
     [](Told& t) { t.talk().close("normal", "a").folded().recording_state = "deleted"; },
     "The agent and the customer talked for 63 s; the agent hung up; its recording has been "
     "deleted.",
     "坐席与客户通话 63 秒，坐席挂机；录音已删除。"},
    {"of an open call nothing is said of it",
     [](Told& t) { t.talk().folded().recording_state = "expected"; },
     "The agent and the customer have been talking for 15 s.", "坐席与客户已通话 15 秒。"},
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
