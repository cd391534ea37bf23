#include "query/call_report.hpp"

#include <spdlog/fmt/fmt.h>

#include "beijing_time.hpp"
#include "phone.hpp"
#include "text.hpp"

namespace cc {
namespace {

/// "14:03:05.120"; of another day than `day_of`'s with its date.
std::string time_of_day(OptMs ms, std::int64_t day_of) {
  if (!ms) return "-";
  const std::string time = local_time(*ms);
  return time.substr(0, 10) == local_time(day_of).substr(0, 10) ? time.substr(11) : time;
}

std::string shown_number(const OptText& number, bool whole) {
  if (!number) return "-";
  return whole ? *number : mask_number(*number);
}

bool inbound(const StoredRecord& record) {
  return record.constants.direction != "out";
}

/// Leg B's.
const OptText& customer_of(const StoredRecord& record) {
  return inbound(record) ? record.folded.caller : record.folded.called;
}

std::string shown(const OptText& text, bool whole) {
  if (!text) return "-";
  const std::string sane = repair_utf8(*text);
  return whole ? sane : mask_numbers_in(sane);
}

/// "name=value …" of those that there are.
class Details {
 public:
  explicit Details(bool whole) : whole_(whole) {}
  void add(std::string_view name, const OptText& value) {
    if (!value || value->empty()) return;
    text_ += fmt::format("{}{}={}", text_.empty() ? "" : " ", name, shown(value, whole_));
  }
  /// A request's id holds no number, and logs are searched by it.
  void add_request(const OptText& id) {
    if (id && !id->empty()) text_ += (text_.empty() ? "request=" : " request=") + *id;
  }
  std::string take() && { return std::move(text_); }

 private:
  bool whole_;
  std::string text_;
};

std::string details_of(const Facts& facts, bool whole) {
  Details details(whole);
  details.add("channel", facts.channel);
  details.add("line", facts.agent);
  details.add("state", facts.ch_state);
  if (facts.close) {
    details.add("type", facts.close->type);
    details.add("close", facts.close->detail);
    details.add("by", facts.close->by);
  }
  if (facts.duration) details.add("duration", std::to_string(*facts.duration));
  details.add("code", facts.code);
  details.add("message", facts.message);
  details.add("reason", facts.reason);
  details.add("file", facts.file);
  details.add_request(facts.request_id);
  return std::move(details).take();
}

std::string head_of(const StoredRecord& record, const Timeline& timeline, bool whole) {
  const Constants& constants = record.constants;
  const Folded& folded = record.folded;
  Details details(whole);
  if (!timeline.attempts.empty()) details.add_request(timeline.attempts.front().request_id);
  details.add("initiator", constants.initiator);
  details.add("user", constants.user_id);
  details.add("business", constants.business);
  details.add("bizType", constants.biz_type);
  details.add("bizId", constants.biz_id);
  std::string text =
      fmt::format("call       {} of tenant {}, {}, {}\n", constants.id, constants.tenant,
                  inbound(record) ? "inbound" : "outbound", folded.state);
  text +=
      fmt::format("asked      {} {}\n", local_time(constants.created), std::move(details).take());
  text += fmt::format("phones     A (agent) {}, B (customer) {}\n",
                      shown_number(inbound(record) ? folded.called : folded.caller, whole),
                      shown_number(customer_of(record), whole));
  text += fmt::format("line       {} of channel {}, the channel's call id {}\n",
                      shown(folded.agent, whole), folded.channel.value_or("-"),
                      folded.call_id.value_or("-"));
  if (folded.recording_state) {
    text += fmt::format("recording  {}", *folded.recording_state);
    if (folded.recording_reason) text += ": " + shown(folded.recording_reason, whole);
    if (folded.recording_state == "expected" && folded.recording_expected_at) {
      text += ", not before " + local_time(*folded.recording_expected_at);
    }
    text += "\n";
  }
  return text;
}

std::string attempts_of(const Timeline& timeline, std::int64_t day, bool whole) {
  std::string text = "\nattempts\n";
  for (const TimelineAttempt& attempt : timeline.attempts) {
    Details details(whole);
    details.add("why", attempt.reason);
    details.add("code", attempt.code);
    details.add("message", attempt.message);
    text += fmt::format("  {}  {:<24} {:<9} sent {:<12} answered {:<12} {}{}\n", attempt.attempt,
                        attempt.channel + "/" + shown(attempt.agent, whole), attempt.state,
                        time_of_day(attempt.sent, day), time_of_day(attempt.answered, day),
                        std::move(details).take(), attempt.superseded ? " (given up)" : "");
  }
  return text;
}

std::string events_of(const Timeline& timeline, std::int64_t day, bool whole) {
  constexpr const char* line = "  {:<13} {:<13} {:<9} {:<2} {:<20} {}\n";
  std::string text = "\nevents\n";
  text += fmt::format(fmt::runtime(line), "channel says", "received", "source", "#", "event",
                      "what it says");
  for (const TimelineEvent& item : timeline.events) {
    const Event& event = item.event;
    text += fmt::format(fmt::runtime(line), time_of_day(event.channel_ms, day),
                        time_of_day(event.received_ms, day), to_text(event.source), event.attempt,
                        to_text(event.name), details_of(event.facts, whole));
  }
  return text;
}

}  // namespace

std::string local_time(std::int64_t epoch_ms) {
  const std::string digits = format_beijing(epoch_ms);
  const auto part = [&](std::size_t at, std::size_t size) { return digits.substr(at, size); };
  return fmt::format("{}-{}-{} {}:{}:{}.{:03}", part(0, 4), part(4, 2), part(6, 2), part(8, 2),
                     part(10, 2), part(12, 2), epoch_ms % 1000);
}

std::string call_report(const StoredRecord& record, const Timeline& timeline,
                        const std::string& story, bool whole) {
  const std::int64_t day = record.constants.created;
  return head_of(record, timeline, whole) + attempts_of(timeline, day, whole) +
         events_of(timeline, day, whole) + "\n" + story + "\n";
}

std::string call_line(const StoredRecord& record, const std::string& story, bool whole) {
  return fmt::format("{}  {}  {:<12}  {:<16}  {:<4}  {:<12}  {}", record.constants.id,
                     local_time(record.constants.created), record.constants.tenant,
                     shown(record.folded.agent, whole), record.folded.channel.value_or("-"),
                     shown_number(customer_of(record), whole), story);
}

std::string refused_line(const Rejection& rejection) {
  Details details(false);
  details.add("agent", rejection.agent);
  details.add("user", rejection.user);
  details.add("called", rejection.called);
  details.add_request(rejection.request_id);
  return fmt::format("refused  {}  {:<12}  {} {}: {}  {}", local_time(rejection.at),
                     rejection.tenant, rejection.status, rejection.code,
                     mask_numbers_in(repair_utf8(rejection.detail)), std::move(details).take());
}

}  // namespace cc
