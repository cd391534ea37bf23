#include "query/call_story.hpp"

#include <algorithm>
#include <string_view>

#include "phone.hpp"
#include "text.hpp"

namespace cc {
namespace {

constexpr std::size_t longest_words = 120;  // of a channel: characters

class Story {
 public:
  Story(const StoredRecord& record, const Timeline& timeline, std::int64_t now_ms, Tongue tongue)
      : record_(record.folded),
        timeline_(timeline),
        now_ms_(now_ms),
        chinese_(tongue == Tongue::chinese) {
    const bool inbound = record.constants.direction != "out";
    a_ = inbound ? say("the customer", "客户") : say("the agent", "坐席");
    b_ = inbound ? say("the agent", "坐席") : say("the customer", "客户");
    recovered_ = record.constants.recovered;
    if (!timeline.attempts.empty()) last_ = &timeline.attempts.back();
    channel_ =
        record_.channel ? say("channel ", "渠道 ") + *record_.channel : say("the channel", "渠道");
  }

  std::string tell() const {
    std::string text = record_.state == "close" ? closed() : open();
    text = failed_over() + text + afterwards();
    if (!chinese_ && !text.empty() && text.front() >= 'a' && text.front() <= 'z') {
      text.front() = static_cast<char>(text.front() - 'a' + 'A');
    }
    return text + say(".", "。");
  }

 private:
  std::string say(std::string_view english, std::string_view chinese) const {
    return std::string(chinese_ ? chinese : english);
  }

  std::string seconds(std::int64_t count) const {
    return std::to_string(std::max<std::int64_t>(count, 0)) + say(" s", " 秒");
  }

  /// " for 12 s" between both, where both are known.
  std::string for_time(OptMs from, OptMs to) const {
    if (!from || !to) return {};
    return say(" for ", "了 ") + seconds((*to - *from + 500) / 1000);
  }

  /// Whether the end's time is the channel's and not our own clock's.
  OptMs ended() const { return record_.close_source == "cc" ? OptMs{} : record_.close_time; }

  bool a_rang() const { return record_.a_call_time || a_answered(); }
  bool a_answered() const { return record_.a_offhook_time || record_.conn_time; }
  bool b_rang() const { return record_.b_call_time || record_.b_offhook_time || record_.conn_time; }

  /// "; the customer was never called", unless he was.
  std::string b_untouched() const {
    if (b_rang()) return {};
    return say("; ", "，") + b_ + say(" was never called", "未被呼叫");
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
    if (last_ != nullptr && last_->state == "unknown" && !a_rang()) {
      return say("it is not known whether ", "尚不清楚") + channel_ +
             say(" placed the call, for it did not answer in time; the record will tell when it "
                 "does",
                 "是否已发起呼叫（它未及时答复），有消息后记录会更新");
    }
    if (record_.state == "conn") {
      return a_ + say(" and ", "与") + b_ + say(" have been talking", "已通话") +
             for_time(record_.conn_time, now_ms_);
    }
    if (record_.progress == "queued") {
      return say("the call is stored and about to be sent to ", "呼叫已入库，即将发往") + channel_;
    }
    if (!a_rang()) {
      return channel_ + (last_ != nullptr && last_->state == "accepted"
                             ? say(" has taken the call; nobody's phone is known to ring yet",
                                   "已受理呼叫，尚无电话振铃的消息")
                             : say(" has been asked for the call and has not answered yet",
                                   "已收到呼叫请求，尚未答复"));
    }
    if (!a_answered()) {
      return a_ + say("'s phone has been ringing", "的电话已振铃") +
             for_time(record_.a_call_time, now_ms_) +
             (b_rang() ? "" : say("; ", "，") + b_ + say(" has not been called yet", "尚未被呼叫"));
    }
    if (!b_rang()) {
      return a_ + say(" has answered; ", "已接听，") + b_ +
             say("'s phone is not known to ring yet", "的电话尚无振铃消息");
    }
    return a_ + say(" has answered and ", "已接听，") + b_ +
           say("'s phone has been ringing", "的电话已振铃") +
           for_time(record_.b_call_time, now_ms_);
  }

  // Closed

  std::string closed() const {
    const std::string detail = record_.close_detail.value_or("");
    if (record_.conn_time) return talked(detail);
    if (detail.starts_with("a_")) return a_missed(detail);
    if (detail.starts_with("b_")) return b_missed(detail);
    if (detail == "channel_error" || detail == "network_error") return failed(detail);
    if (detail == "cancelled") {
      return (record_.closed_by == "app" || !record_.closed_by
                  ? say("the application cancelled the call ", "应用取消了呼叫，当时")
                  : say("the call was cancelled ", "呼叫被取消，当时")) +
             when();
    }
    if (detail == "not_sent") {
      return say("CC did not get the call to a channel in time", "CC 未能及时把呼叫发往渠道") +
             words(last_) + say("; nobody's phone rang", "，没有电话振铃");
    }
    if (detail == "outcome_unknown") {
      return channel_ +
             say(" never said whether it placed the call, and CC closed the record by its own "
                 "clock; phones may have rung",
                 "始终未说明是否已发起呼叫，CC 按自己的时钟关闭了记录；电话可能响过");
    }
    if (detail == "no_final_event") {
      return say("how the call ended is not known: nothing more was heard ",
                 "通话如何结束不得而知：此后再无消息，当时") +
             when() + own_clock();
    }
    if (detail == "max_duration") {
      return say("the call reached its maximum duration ", "呼叫达到最长时限，当时") + when();
    }
    if (detail.starts_with("other:")) {
      return say("the call ended ", "呼叫结束，当时") + when() +
             say("; the channel's reason is its code ", "；渠道给出的原因代码为 ") +
             mask_numbers_in(repair_utf8(detail.substr(6))) +
             say(", which CC has no word for", "，CC 不认识该代码");
    }
    if (detail == "normal") {
      return say("the call ended ", "呼叫结束，当时") + when() + hung_up();
    }
    return say("the call ended ", "呼叫结束，当时") + when() +
           say("; nobody said why", "；原因无人说明");
  }

  /// How far it had come when it ended.
  std::string when() const {
    if (record_.conn_time) {
      return say("while " + a_ + " and " + b_ + " were connected", a_ + "与" + b_ + "已接通");
    }
    if (b_rang()) {
      return record_.b_offhook_time
                 ? say("when " + b_ + " had answered, before both were connected",
                       b_ + "已接听但双方未接通")
                 : say("while " + b_ + "'s phone was ringing", b_ + "的电话正在振铃");
    }
    if (a_answered()) {
      return say("when " + a_ + " had answered; " + b_ + " was never called",
                 a_ + "已接听，" + b_ + "未被呼叫");
    }
    if (a_rang()) {
      return say("while " + a_ + "'s phone was ringing; " + b_ + " was never called",
                 a_ + "的电话正在振铃，" + b_ + "未被呼叫");
    }
    if (last_ != nullptr &&
        (last_->state == "planned" || (last_->state == "refused" && !last_->sent))) {
      return say("before it was sent; nobody's phone rang", "尚未发往渠道，没有电话振铃");
    }
    return say("before any phone is known to have rung", "尚无电话振铃的消息");
  }

  std::string who_ended() const {
    if (record_.closed_by == "a") return a_ + say(" hung up", "挂机");
    if (record_.closed_by == "b") return b_ + say(" hung up", "挂机");
    if (record_.closed_by == "app") return say("the application ended the call", "由应用结束");
    if (record_.closed_by == "channel") return say("the channel ended the call", "由渠道结束");
    if (record_.closed_by == "cc") return say("CC ended the call", "由 CC 结束");
    return {};
  }

  std::string hung_up() const {
    const std::string who = who_ended();
    return who.empty() ? "" : say("; ", "，") + who;
  }

  std::string own_clock() const {
    if (record_.close_source != "cc") return {};
    return say("; CC closed the record by its own clock", "；CC 按自己的时钟关闭了记录");
  }

  std::string talked(const std::string& detail) const {
    const std::string both = a_ + say(" and ", "与") + b_;
    if (detail == "no_final_event") {
      return both +
             say(" were connected; how and when the call ended is not known",
                 "已接通；何时、如何结束不得而知") +
             own_clock();
    }
    std::string text =
        record_.duration
            ? both + say(" talked for ", "通话 ") + seconds(*record_.duration)
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
    return text + hung_up();
  }

  std::string a_missed(const std::string& detail) const {
    const OptMs begun = record_.a_call_time;
    if (detail == "a_no_answer") {
      return a_ + say("'s phone rang", "的电话振铃") + for_time(begun, ended()) +
             say(" and was not answered", "，无人接听") + b_untouched();
    }
    if (detail == "a_rejected") {
      return a_ + say(" declined the call", "拒接") + after_ringing(begun) + b_untouched();
    }
    if (detail == "a_busy") return a_ + say("'s phone was busy", "的电话占线") + b_untouched();
    return a_ + say("'s phone could not be reached", "的电话无法接通") + words(last_) +
           b_untouched();
  }

  std::string b_missed(const std::string& detail) const {
    std::string text = a_answered() ? a_ + say(" answered, but ", "已接听，但") : "";
    const OptMs begun = record_.b_call_time;
    if (detail == "b_no_answer") {
      return text + b_ + say("'s phone rang", "的电话振铃") + for_time(begun, ended()) +
             say(" and was not answered", "，无人接听");
    }
    if (detail == "b_rejected") {
      return text + b_ + say(" declined the call", "拒接") + after_ringing(begun);
    }
    if (detail == "b_busy") return text + b_ + say("'s phone was busy", "的电话占线");
    text += b_ + say("'s phone could not be reached", "的电话无法接通");
    if (!a_rang() && last_ != nullptr && last_->state == "refused") {
      text += words(last_) + say("; nobody's phone rang", "，没有电话振铃");
    }
    return text;
  }

  std::string after_ringing(OptMs begun) const {
    if (!begun || !ended()) return {};
    return say(" after ", "（振铃 ") + seconds((*ended() - *begun + 500) / 1000) + say("", "）");
  }

  std::string failed(const std::string& detail) const {
    const bool network = detail == "network_error";
    const bool taken = a_rang() || (last_ != nullptr && last_->state == "accepted");
    if (!taken) {
      return channel_ +
             (network ? say(" could not be reached", "无法连通")
                      : say(" refused the call", "拒绝了呼叫")) +
             words(last_) + say("; nobody's phone rang", "，没有电话振铃");
    }
    return channel_ +
           (network ? say("'s network failed ", "网络出错，当时") : say(" failed ", "出错，当时")) +
           when();
  }

  // Around it

  std::string failed_over() const {
    std::string text;
    for (const TimelineAttempt& attempt : timeline_.attempts) {
      if (!attempt.superseded) continue;
      text += (text.empty() ? say("after ", "") : say(" and ", "、")) + say("channel ", "渠道 ") +
              attempt.channel + say(" had not taken it", " 未受理") + words(&attempt);
    }
    if (text.empty()) return {};
    return text + say(", the call went to ", "，改由") + channel_ + say(": ", "呼叫：");
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
    return text;
  }

  const Folded& record_;
  const Timeline& timeline_;
  std::int64_t now_ms_;
  bool chinese_;
  bool recovered_ = false;
  std::string a_, b_, channel_;
  const TimelineAttempt* last_ = nullptr;
};

}  // namespace

std::string call_story(const StoredRecord& record, const Timeline& timeline, std::int64_t now_ms,
                       Tongue tongue) {
  return Story(record, timeline, now_ms, tongue).tell();
}

}  // namespace cc
