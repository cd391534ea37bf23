#include "query/call_story.hpp"

#include <algorithm>
#include <string_view>

#include "phone.hpp"
#include "query/call_signs.hpp"
#include "text.hpp"

namespace cc {
namespace {

constexpr std::size_t longest_words = 120;    // of a channel: characters
constexpr std::int64_t coarseness_ms = 1000;  // of the channels' clocks: some count seconds

/// One half of the call. Only a channel that says so is known to have made the phone ring.
struct Leg {
  std::string name;
  OptMs called, ringing;
};

class Story {
 public:
  Story(const StoredRecord& record, const Timeline& timeline, std::int64_t now_ms, Tongue tongue)
      : record_(record.folded),
        timeline_(timeline),
        now_ms_(now_ms),
        chinese_(tongue == Tongue::chinese),
        inbound_(record.constants.direction != "out"),
        recovered_(record.constants.recovered),
        signs_(call_signs(timeline)) {
    // A is the agent's half whoever called.
    a_ = {say("the agent", "坐席"), record_.a_call_time, signs_.a_ringing};
    b_ = {say("the customer", "客户"), record_.b_call_time, signs_.b_ringing};
    if (!timeline.attempts.empty()) last_ = &timeline.attempts.back();
    channel_ =
        record_.channel ? say("channel ", "渠道 ") + *record_.channel : say("the channel", "渠道");
    channel_then_ = channel_ + (chinese_ && record_.channel ? " " : "");
    const std::string detail = record_.close_detail.value_or("");
    own_end_ = record_.close_source == "cc" &&
               (detail == "no_final_event" || detail == "outcome_unknown" || signs_.hangup_unended);
  }

  std::string tell() const {
    std::string text = record_.state == "close" ? closed() + asked_before() : open() + asked();
    text = failed_over() + text + afterwards();
    if (inbound_) text.insert(0, say("inbound call: ", "呼入："));
    if (!chinese_ && !text.empty() && text.front() >= 'a' && text.front() <= 'z') {
      text.front() = static_cast<char>(text.front() - 'a' + 'A');
    }
    return text + say(".", "。");
  }

 private:
  std::string say(std::string_view english, std::string_view chinese) const {
    return std::string(chinese_ ? chinese : english);
  }

  /// In Chinese it is put behind a word as it is.
  std::string seconds(std::int64_t count) const {
    if (count <= 0) return say("less than a second", "不足 1 秒");
    return say("", " ") + std::to_string(count) + say(" s", " 秒");
  }

  /// "12 s" between both; empty where they are not known or make no sense.
  std::string span(OptMs from, OptMs to) const {
    if (!from || !to || *to < *from) return {};
    return seconds((*to - *from + 500) / 1000);
  }

  /// " for 12 s"
  std::string for_time(OptMs from, OptMs to) const {
    const std::string time = span(from, to);
    return time.empty() ? "" : say(" for ", "") + time;
  }

  /// " for 12 s" until now, of what goes on.
  std::string for_now(OptMs from) const {
    const std::string time = span(from, now_ms_);
    return time.empty() ? "" : say(" for ", "（已") + time + say("", "）");
  }

  /// The end by the channel's clock, not by our own.
  OptMs ended() const { return record_.close_source == "cc" ? OptMs{} : record_.close_time; }

  bool a_called() const { return a_.called || a_.ringing || a_answered(); }
  bool a_answered() const { return record_.a_offhook_time || record_.conn_time; }
  bool b_answered() const { return record_.b_offhook_time || record_.conn_time; }
  bool b_called() const { return b_.called || b_.ringing || b_answered(); }
  bool refused() const { return last_ != nullptr && last_->state == "refused"; }

  /// "; the customer was never called", where that is known. Only what is between A's answer and
  /// B's phone may have got lost, unless nobody told of the end either.
  std::string b_untouched() const {
    if (inbound_ || b_called()) return {};
    if (own_end_ || a_answered() || record_.close_detail == "no_final_event") {
      return say("; the customer is not known to have been called", "，没有呼叫客户的消息");
    }
    return say("; the customer was never called", "，未呼叫客户");
  }

  /// The channel's words for it: " (code 1003: quota exceeded)".
  std::string words(const TimelineAttempt* attempt) const {
    if (attempt == nullptr || (!attempt->code && !attempt->message)) return {};
    std::string text = say(" (", "（");
    if (attempt->code) text += say("code ", "代码 ") + mask_numbers_in(*attempt->code);
    if (attempt->message) {
      bool cut = false;
      const std::string masked = mask_numbers_in(repair_utf8(*attempt->message));
      text += (attempt->code ? say(": ", "：") : "") + cut_to_width(masked, longest_words, cut);
      if (cut) text += "…";
    }
    return text + say(")", "）");
  }

  // Open

  std::string open() const {
    if (last_ != nullptr && last_->state == "unknown" && !a_called()) return unknown();
    if (record_.state == "conn") {
      return say(
          "the agent and the customer have been talking" + for_time(record_.conn_time, now_ms_),
          "坐席与客户已通话" + for_time(record_.conn_time, now_ms_));
    }
    if (record_.progress == "queued") {
      return say("the call is stored and about to be sent to ", "呼叫已入库，即将发往") + channel_;
    }
    if (b_answered()) {
      return say("the customer has answered, but is not connected yet", "客户已接听，双方尚未接通");
    }
    if (b_called()) {
      return (a_answered() ? say("the agent has answered and ", "坐席已接听，") : "") +
             going_on(b_);
    }
    if (a_answered()) {
      return say("the agent has answered", "坐席已接听") +
             (inbound_ ? say("; both are not known to be connected yet", "，尚无双方接通的消息")
                       : say("; the customer's phone is not known to ring yet",
                             "，客户的电话尚无振铃消息"));
    }
    if (a_called()) {
      return going_on(a_) + (inbound_ ? ""
                                      : say("; the customer is not known to have been called yet",
                                            "，尚无呼叫客户的消息"));
    }
    if (last_ != nullptr && last_->state == "accepted") {
      return channel_then_ + say(" has taken the call; nobody's phone is known to ring yet",
                                 "已受理呼叫，尚无电话振铃的消息");
    }
    return say(channel_ + " has been asked for the call and has not answered yet",
               "已向" + channel_then_ + "发出呼叫请求，尚未答复");
  }

  std::string unknown() const {
    std::string why = words(last_);
    if (last_->code == "timed_out") {
      why = say(", for it did not answer in time", "（它未及时答复）");
    } else if (last_->code == "owner_died") {
      why =
          say(", for CC's own process died while it was asking", "（CC 自身的进程在请求途中终止）");
    }
    return say("it is not known whether ", "尚不清楚") + channel_then_ +
           say(" placed the call", "是否已发起呼叫") + why +
           say("; the record will tell when that is known", "，有消息后记录会更新");
  }

  std::string going_on(const Leg& leg) const {
    if (leg.ringing) {
      return leg.name + say("'s phone has been ringing", "的电话正在振铃") + for_now(leg.ringing);
    }
    return channel_then_ + say(" has been calling ", "正在呼叫") + leg.name + for_now(leg.called);
  }

  std::string asked() const {
    if (!signs_.hangup_asked) return {};
    return say("; the application has asked to hang up", "；应用已请求挂断");
  }

  // Closed

  std::string closed() const {
    const std::string detail = record_.close_detail.value_or("");
    if (record_.conn_time) return talked(detail);
    if (detail.starts_with("a_")) return missed(a_, detail.substr(2)) + b_untouched();
    if (detail.starts_with("b_")) {
      return (a_answered() ? say("the agent answered, but ", "坐席已接听，但") : "") +
             missed(b_, detail.substr(2));
    }
    if (detail == "channel_error" || detail == "network_error") return failed(detail);
    if (detail == "cancelled") {
      return (record_.closed_by == "app"
                  ? say("the application cancelled the call ", "应用取消呼叫时，")
                  : say("the call was cancelled ", "呼叫被取消时，")) +
             when() + own_clock();
    }
    if (detail == "not_sent") {
      return say("CC did not get the call to a channel in time", "CC 未能及时把呼叫发往渠道") +
             words(last_) + say("; nobody's phone rang", "，没有电话振铃");
    }
    if (detail == "outcome_unknown") {
      return channel_then_ +
             say(" never said whether it placed the call, and CC closed the record by its own "
                 "clock; phones may have rung",
                 "始终未说明是否已发起呼叫，CC 按自己的时钟关闭了记录；电话可能响过");
    }
    if (detail == "no_final_event") return no_final_event();
    if (detail == "max_duration") {
      return say("the call reached its maximum duration ", "呼叫达到最长时限时，") + when();
    }
    const std::string text = say("the call ended ", "呼叫结束时，") + when();
    if (detail.starts_with("other:")) {
      return text + say("; the channel's reason is its code ", "；渠道给出的原因代码为 ") +
             mask_numbers_in(repair_utf8(detail.substr(6))) +
             say(", which CC has no word for", "（CC 未收录）");
    }
    if (detail == "normal") return text + hung_up() + own_clock();
    return text + say("; nobody said why", "；原因不详");
  }

  /// How far it had come, as a clause; empty where nothing was heard of either phone.
  std::string standing() const {
    if (record_.conn_time)
      return say("the agent and the customer were connected", "坐席与客户已接通");
    if (b_answered()) {
      return say("the customer had answered, but was not connected yet",
                 "客户已接听，双方尚未接通");
    }
    if (b_called()) return stood(b_);
    if (a_answered()) return say("the agent had answered", "坐席已接听") + b_untouched();
    if (a_called()) return stood(a_) + b_untouched();
    return {};
  }

  std::string stood(const Leg& leg) const {
    if (leg.ringing) return leg.name + say("'s phone was ringing", "的电话正在振铃");
    return say(leg.name + " was being called", "正在呼叫" + leg.name);
  }

  /// The same after "the call ended".
  std::string when() const {
    const std::string standing = this->standing();
    if (!standing.empty()) {
      const bool state = !record_.conn_time && (b_answered() || (a_answered() && !b_called()));
      return say(state ? "when " : "while ", "") + standing;
    }
    if (last_ != nullptr && (last_->state == "planned" || (refused() && !last_->sent))) {
      return say("before it was sent; nobody's phone rang", "尚未发往渠道，没有电话振铃");
    }
    return say("before any phone is known to have rung", "尚无电话振铃的消息");
  }

  std::string no_final_event() const {
    const std::string standing = this->standing();
    std::string text =
        own_end_ ? say("how the call ended is not known", "呼叫如何结束不得而知")
                 : channel_then_ + say(" says that the call is over, but not how it ended",
                                       "只说明呼叫已结束，未说明如何结束");
    if (!standing.empty()) {
      text += say(": when it was last heard of, ", "：最后一次收到消息时，") + standing;
    } else if (own_end_ && last_ != nullptr && last_->state == "accepted") {
      text += say(": nothing was heard of it but that " + channel_ + " had taken it",
                  "：除" + channel_then_ + "已受理外没有任何消息");
    } else {
      text += say("; nobody's phone is known to have rung", "；没有电话振铃的消息");
    }
    return text + own_clock();
  }

  std::string who_ended() const {
    if (record_.closed_by == "a") return say("the agent hung up", "坐席挂机");
    if (record_.closed_by == "b") return say("the customer hung up", "客户挂机");
    if (record_.closed_by == "app") return say("the application ended the call", "由应用挂断");
    if (record_.closed_by == "channel") return say("the channel ended the call", "由渠道挂断");
    if (record_.closed_by == "cc") return say("CC ended the call", "由 CC 结束");
    return {};
  }

  std::string hung_up() const {
    const std::string who = who_ended();
    return who.empty() ? "" : say("; ", "，") + who;
  }

  std::string own_clock() const {
    if (!own_end_) return {};
    if (signs_.hangup_unended) {
      return say(
          "; the channel took the hang-up but reported no end, and CC closed the record by "
          "its own clock",
          "；渠道受理了挂断但未报告结束，CC 按自己的时钟关闭了记录");
    }
    return say("; CC closed the record by its own clock", "；CC 按自己的时钟关闭了记录");
  }

  std::string talked(const std::string& detail) const {
    const std::string both = say("the agent and the customer", "坐席与客户");
    if (detail == "no_final_event") {
      return both +
             say(" were connected; how and when the call ended is not known",
                 "已接通；何时、如何结束不得而知") +
             own_clock();
    }
    std::string text =
        record_.duration
            ? both + say(" talked for ", "通话") + seconds(*record_.duration)
            : both + say(" were connected; for how long is not known", "已接通，时长不详");
    if (detail == "max_duration") {
      return text + say("; then the call's maximum duration was over", "，达到最长时限后结束");
    }
    if (detail == "channel_error") {
      return text + say("; then the channel failed", "，随后渠道出错而中断");
    }
    if (detail == "network_error") {
      return text + say("; then the channel's network failed", "，随后渠道网络出错而中断");
    }
    if (detail.starts_with("other:")) {
      return text +
             say("; the channel's reason for the end is its code ", "；渠道给出的结束原因代码为 ") +
             mask_numbers_in(repair_utf8(detail.substr(6)));
    }
    return text + hung_up() + own_clock();
  }

  std::string missed(const Leg& leg, std::string_view how) const {
    if (how == "busy") return leg.name + say("'s phone was busy", "的电话占线");
    if (how == "no_answer") return unanswered(leg);
    if (how == "rejected") return declined(leg);
    return unreached(leg);
  }

  std::string unanswered(const Leg& leg) const {
    if (leg.ringing) {
      return leg.name + say("'s phone rang", "的电话振铃") + for_time(leg.ringing, ended()) +
             say(" and was not answered", "，无人接听");
    }
    if (leg.called) {
      return say(leg.name + " was called", "呼叫" + leg.name) + for_time(leg.called, ended()) +
             say(" and did not answer", "，无人接听");
    }
    return leg.name + say(" did not answer", "未接听");
  }

  std::string declined(const Leg& leg) const {
    const std::string text = leg.name + say(" declined the call", "拒接");
    const std::string time = span(leg.ringing ? leg.ringing : leg.called, ended());
    if (time.empty()) return text;
    return text + say(" after ", leg.ringing ? "（振铃" : "（呼叫") + time +
           say(leg.ringing ? " of ringing" : "", "后）");
  }

  /// "Unreachable" is the channels' word for no answer too: no more is said than they do.
  std::string unreached(const Leg& leg) const {
    if (leg.ringing) {
      return leg.name + say("'s phone rang", "的电话振铃") + for_time(leg.ringing, ended()) +
             say(" without an answer (the channel gives no cause)", "，无人应答（渠道未说明原因）");
    }
    if (refused() && !a_called()) {
      return leg.name + say("'s phone could not be reached", "的电话无法接通") + words(last_) +
             (&leg == &b_ ? say("; nobody's phone rang", "，没有电话振铃") : "");
    }
    const bool called = leg.called && !(inbound_ && &leg == &b_);
    const std::string time = called ? for_time(leg.called, ended()) : "";
    const std::string text =
        called ? say(leg.name + " was called" + time + " and not reached",
                     "呼叫" + leg.name + time + (time.empty() ? "" : "，") + "未接通")
               : leg.name + say(" was not reached", "未接通");
    return text +
           say(" (the channel does not say whether the phone rang)", "（渠道未说明是否振铃）");
  }

  std::string failed(const std::string& detail) const {
    const bool network = detail == "network_error";
    if (!a_called() && refused()) {
      return channel_then_ +
             (network ? say(" could not be reached", "无法连通")
                      : say(" refused the call", "拒绝了呼叫")) +
             words(last_) + say("; nobody's phone rang", "，没有电话振铃");
    }
    return channel_then_ +
           (network ? say("'s network failed ", "网络出错时，") : say(" failed ", "出错时，")) +
           when();
  }

  // Around it

  /// Whether the wish led to the end the channel does not say; what came first is known.
  std::string asked_before() const {
    const OptMs asked = signs_.hangup_asked;
    if (!asked || record_.closed_by == "app") return {};
    if (own_end_) return say("; the application had asked to hang up", "；此前应用已请求挂断");
    if (!record_.close_time || *record_.close_time + coarseness_ms >= *asked) {
      return say("; that was after the application had asked to hang up", "；此前应用已请求挂断");
    }
    if (signs_.end_heard && *signs_.end_heard < *asked) return {};
    return say("; the application asked to hang up before CC had heard of the end",
               "；收到结束消息之前，应用曾请求挂断");
  }

  std::string failed_over() const {
    std::string text;
    bool again = false;
    for (const TimelineAttempt& attempt : timeline_.attempts) {
      if (!attempt.superseded) continue;
      text += (text.empty() ? say("after ", "") : say(" and ", "、")) + say("channel ", "渠道 ") +
              attempt.channel + say(" had not taken it", " 未受理") + words(&attempt);
      again = again || attempt.channel == record_.channel;
    }
    if (text.empty()) return {};
    return text + say(", the call went to " + channel_ + (again ? " again: " : ": "),
                      (again ? "，再由" : "，改由") + channel_then_ + "呼叫：");
  }

  std::string afterwards() const {
    std::string text;
    if (record_.late_life) {
      text +=
          say("; afterwards the channel still showed signs of life, so phones may have been on "
              "for longer",
              "；此后渠道仍报告了通话活动，电话实际持续可能更久");
    }
    if (recovered_) {
      text += say("; the record was made anew from the channel's events after data was lost",
                  "；该记录在数据丢失后由渠道事件重建");
    }
    return text + recording();
  }

  std::string recording() const {
    const std::string state = record_.recording_state.value_or("");
    if (record_.state != "close" || state.empty()) return {};
    if (state == "stored") return say("; its recording is stored", "；录音已保存");
    if (state == "deleted") return say("; its recording has been deleted", "；录音已删除");
    if (state == "expected") {
      return say("; its recording is still to be fetched from the channel", "；录音尚待从渠道获取");
    }
    const std::string text = say("; its recording could not be had", "；录音未能取得");
    if (!record_.recording_reason) return text;
    return text + say(": ", "：") + mask_numbers_in(repair_utf8(*record_.recording_reason));
  }

  const Folded& record_;
  const Timeline& timeline_;
  std::int64_t now_ms_;
  bool chinese_, inbound_, recovered_;
  CallSigns signs_;
  Leg a_, b_;
  std::string channel_, channel_then_;  // the second before a Chinese word: "渠道 e9 拒绝"
  const TimelineAttempt* last_ = nullptr;
  bool own_end_ = false;  // CC gave up waiting: nobody told of the end
};

}  // namespace

std::string call_story(const StoredRecord& record, const Timeline& timeline, std::int64_t now_ms,
                       Tongue tongue) {
  return Story(record, timeline, now_ms, tongue).tell();
}

}  // namespace cc
