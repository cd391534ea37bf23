#include "oracle.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "client.hpp"

namespace cc::test {
namespace {

// How long after a part came back what it did may still be half done.
constexpr Instant aftermath = 3000;

const std::string none;  // null, as text_at() says it

std::string time_text(Instant at) {
  return at == 0 ? none : std::to_string(at);
}

/// "9000xx, 9001xx (account, app, signature, quota) …": the codes that channels.md names.
bool documented(const std::string& code) {
  static const std::set<std::string> others{
      "900000", "900098", "900112", "900113", "900114", "900115", "900116", "900117",
      "900122", "900123", "900200", "900201", "900202", "900203", "900204", "900205",
      "900206", "900207", "900208", "900209", "900210", "900213", "900216", "900217",
      "900218", "900219", "900220", "900221", "900222", "900223", "900224"};
  return others.contains(code) || (code >= "900100" && code <= "900111");
}

struct Close {
  std::string type, detail, by;
};

// What a byeType means. Who hung up is not among the vendor's facts; what the channel itself ended,
// it ended.
Close close_of(std::int64_t bye_type) {
  switch (bye_type) {
    case 0:
      return {"0", "normal", none};
    case 1:
      return {"1", "a_unreachable", none};
    case 2:
      return {"2", "b_unreachable", none};
    case 3:
      return {"3", "a_busy", none};
    case 4:
      return {"4", "b_busy", none};
    case 5:
      return {"5", "max_duration", "channel"};
    case 6:
      return {"6", "channel_error", "channel"};
    case 7:
      return {"7", "network_error", "channel"};
    default:  // "unknown causes are 255 and keep the channel's own code"
      return {"255", "other:" + std::to_string(bye_type), none};
  }
}

// "Close types of what never rang": A's number 1, B's number 2, all others of e9's codes 6.
Close close_of_refusal(const std::string& code) {
  if (code == "900200" || code == "900201" || code == "900220")
    return {"1", "a_unreachable", "channel"};
  if (code == "900202" || code == "900203" || code == "900221")
    return {"2", "b_unreachable", "channel"};
  return {"6", "channel_error", "channel"};
}

// The last word: "a query answer that reports the call ended 3 > callback 2".
const Word* final_word(const std::vector<const Word*>& words) {
  const Word* found = nullptr;
  for (const Word* word : words) {
    if (!word->final()) continue;
    if (found == nullptr || word->from == Word::From::query) found = word;
  }
  return found;
}

// The order of life among words of one instant.
int step(const Word& word) {
  if (word.action == "CallInvite") return word.leg_b ? 1 : 0;
  return word.action == "CallEstablish" ? 2 : 3;
}

// "higher rank, then latest channel time for ch_state".
std::string channel_state(const std::vector<const Word*>& words) {
  const auto newer = [](const Word* a, const Word* b) {
    const auto place = [](const Word* word) {
      return std::tuple(word->from == Word::From::query, word->created, step(*word));
    };
    return place(a) < place(b);
  };
  const auto last = std::ranges::max_element(words, newer);
  return last == words.end() ? none : (*last)->action;
}

Instant earliest(Instant a, Instant b) {
  return a == 0 ? b : b == 0 ? a : std::min(a, b);
}

void set(Expected& expected, const std::string& field, const std::string& value) {
  expected.fields[field] = {.any = {value}};
}

void set_close(Expected& expected, const Close& close, const std::string& source) {
  set(expected, "closeType", close.type);
  set(expected, "closeDetail", close.detail);
  set(expected, "closedBy", close.by);
  set(expected, "closeSource", source);
}

void set_own_time(Expected& expected, Instant from, Instant to) {
  expected.fields["closeTime"] = {.any = {}, .from = from, .to = to};
  expected.tolerances.insert(tolerance::own_clock);
}

// "Constants are written at creation and never changed by events"; and what this stack never has.
void set_constants(Expected& expected, const Asked& asked, long max_duration) {
  set(expected, "callId", asked.call);
  set(expected, "tenant", asked.tenant);
  set(expected, "created", asked.created);
  set(expected, "direction", "out");
  set(expected, "initiator", "agent");
  set(expected, "channel", "e9");
  set(expected, "agent", text_at(asked.body, "caller"));
  for (const char* name : {"caller", "called", "bizData", "bizType", "bizId", "business"})
    set(expected, name, text_at(asked.body, name));
  set(expected, "userId", text_at(asked.body, "user"));
  const std::string longest = text_at(asked.body, "maxDuration");
  set(expected, "maxDuration", longest.empty() ? std::to_string(max_duration) : longest);
  for (const char* name : {"mainNum", "extNum", "audioUrl", "ivrUrl", "ivrText"})
    set(expected, name, none);
  // "the default is customer/agent", and this stack has no other policy.
  set(expected, "displayRequested", "toAgent=customer toCustomer=agent");
  set(expected, "recovered", "false");
  set(expected, "truncated", "false");
}

// All that words tell; without any, what an untold call has.
void set_words(Expected& expected, const std::vector<const Word*>& words) {
  Instant a_call = 0, b_call = 0, a_answer = 0, b_answer = 0, connected = 0;
  Instant a_implied = 0;  // "CallInvite userFlag 1 implies that A answered"
  for (const Word* word : words) {
    if (word->action == "CallInvite" && !word->leg_b) a_call = earliest(a_call, word->created);
    if (word->action == "CallInvite" && word->leg_b) {
      b_call = earliest(b_call, word->created);
      a_implied = earliest(a_implied, word->created);
    }
    if (word->action == "CallEstablish") connected = earliest(connected, word->created);
  }
  const Word* last = final_word(words);
  if (last != nullptr) {
    a_answer = last->start_a;
    b_answer = last->start_b;
    // "connected = the channel says so, or both legs answered."
    if (connected == 0 && a_answer != 0 && b_answer != 0) connected = std::max(a_answer, b_answer);
  }
  if (b_answer == 0) b_answer = connected;
  if (a_answer == 0) a_answer = a_implied;
  set(expected, "aCallTime", time_text(a_call));
  set(expected, "bCallTime", time_text(b_call));
  set(expected, "aOffhookTime", time_text(a_answer));
  set(expected, "bOffhookTime", time_text(b_answer));
  set(expected, "connTime", time_text(connected));
  set(expected, "chState", channel_state(words));
  set(expected, "chAudioUrl", last == nullptr ? none : last->record_url);
}

}  // namespace

bool Strike::hits(const std::string& part, Instant since, Instant until) const {
  return what.find(part) != std::string::npos && from <= until && to + aftermath >= since;
}

bool Must::allows(const std::string& value) const {
  if (!any.empty()) return std::ranges::find(any, value) != any.end();
  if (value.empty() || value.find_first_not_of("0123456789") != std::string::npos) return false;
  const Instant at = std::stoll(value);
  return at >= from && at <= to;
}

struct Oracle::Known {
  Story::Reply reply = Story::Reply::none;
  std::vector<const Word*> words;
  std::set<std::string> tolerances;
};

Oracle::Oracle(const Stories& stories, std::vector<Strike> strikes, Settings settings)
    : stories_(stories), strikes_(std::move(strikes)), settings_(settings) {}

bool Oracle::struck(const std::string& part, Instant since, Instant until) const {
  return std::ranges::any_of(strikes_,
                             [&](const Strike& strike) { return strike.hits(part, since, until); });
}

std::vector<Expected> Oracle::of(const Asked& asked, Instant now) const {
  const Story* story = stories_.of(asked.call);
  if (story == nullptr || story->requests == 0) return never_left(asked, now);
  std::vector<Expected> right;
  for (const Known& known : ways(asked, *story)) {
    Expected one = record(asked, *story, known, now);
    const bool new_one = std::ranges::none_of(
        right, [&](const Expected& other) { return other.fields == one.fields; });
    if (new_one) right.push_back(std::move(one));
  }
  return right;
}

std::vector<Oracle::Known> Oracle::ways(const Asked& asked, const Story& story) const {
  Known plain{.reply = story.reply, .words = {}, .tolerances = {}};
  std::vector<const Word*> doubtful;
  for (const Word& word : story.words) {
    if (word.answered)
      plain.words.push_back(&word);
    else if (word.taken)
      doubtful.push_back(&word);
  }
  // "timed out, broken after bytes were sent, 5xx without a documented code: unknown".
  if (story.reply == Story::Reply::none || story.replied - story.asked > settings_.answer_timeout ||
      (story.reply == Story::Reply::refused && story.http_status >= 500 &&
       !documented(story.code))) {
    plain.reply = Story::Reply::unclear;
  }
  std::vector<Known> all{plain};
  const auto also = [&](const std::string& why, const auto& change) {
    for (std::size_t i = 0, n = all.size(); i < n; ++i) {
      Known other = all[i];
      change(other);
      other.tolerances.insert(why);
      all.push_back(std::move(other));
    }
  };
  for (const Word* word : doubtful)
    also(tolerance::unanswered, [&](Known& known) { known.words.push_back(word); });
  if (plain.reply != Story::Reply::unclear && struck("ccd", asked.posted, story.replied)) {
    also(tolerance::answer_died, [](Known& known) { known.reply = Story::Reply::unclear; });
  }
  const auto died = [&](const Word* word) {
    return word->from == Word::From::query &&
           (struck("ccd", word->at, word->at) || struck("redis", word->at, word->at));
  };
  if (std::ranges::any_of(plain.words, died)) {
    also(tolerance::query_died, [&](Known& known) { std::erase_if(known.words, died); });
  }
  return all;
}

std::vector<Expected> Oracle::never_left(const Asked& asked, Instant now) const {
  Expected common;
  set_constants(common, asked, settings_.max_duration);
  set_words(common, {});
  set(common, "channelCallId", none);
  set(common, "state", "close");
  set(common, "progress", "closed");
  set(common, "lateLife", "false");
  set_own_time(common, asked.posted, now);

  Expected cancelled = common, not_sent = common, unknown = common;
  // "`planned → refused` by compare-and-set, by anyone: `cancelled` or `not_sent`", of rank 2: the
  // call certainly never connected.
  set_close(cancelled, {"255", "cancelled", "app"}, "cc");
  set(cancelled, "duration", "0");
  set_close(not_sent, {"255", "not_sent", "cc"}, "cc");
  set(not_sent, "duration", "0");
  set_close(unknown, {"7", "outcome_unknown", "cc"}, "cc");
  set(unknown, "duration", none);
  not_sent.tolerances.insert(tolerance::never_left);
  unknown.tolerances.insert(tolerance::never_left);

  std::vector<Expected> right;
  if (asked.hangup_asked != 0) right.push_back(cancelled);
  constexpr Instant sendable = 15'000;
  if (struck("ccd", asked.posted, asked.answered + sendable) ||
      struck("postgres", asked.posted, asked.answered + sendable)) {
    right.push_back(not_sent);
    right.push_back(unknown);
  }
  if (right.empty()) {  // it should have been sent: no record is right
    set(common, "progress", "sent");
    right.push_back(common);
  }
  return right;
}

Expected Oracle::record(const Asked& asked, const Story& story, const Known& known,
                        Instant now) const {
  Expected expected{.fields = {}, .tolerances = known.tolerances};
  set_constants(expected, asked, settings_.max_duration);
  set_words(expected, known.words);
  set(expected, "state", "close");
  set(expected, "progress", "closed");
  // The channel's id comes with the answer or with any word.
  const bool named = known.reply == Story::Reply::accepted || !known.words.empty();
  set(expected, "channelCallId", named ? story.channel_call_id : none);

  Instant heard = 0;
  for (const Word* word : known.words)
    if (word->from == Word::From::callback) heard = std::max(heard, word->until);
  set(expected, "lateLife", "false");
  if (heard > story.asked + settings_.silence) {
    expected.fields["lateLife"].any.push_back("true");
    expected.tolerances.insert(tolerance::late_life);
  }

  if (known.reply == Story::Reply::refused) {
    set_close(expected, close_of_refusal(story.code), "cc");
    set(expected, "duration", "0");
    set_own_time(expected, story.replied, now);
    return expected;
  }
  if (const Word* last = final_word(known.words)) {
    set_close(expected, close_of(last->bye_type.value_or(255)),
              last->from == Word::From::query ? "query" : "callback");
    set(expected, "closeTime", time_text(last->end));
    set(expected, "duration", last->duration ? std::to_string(*last->duration) : none);
    return expected;
  }
  // Nobody reported the end: our own clock did, and what it doesn't know it doesn't say.
  set(expected, "duration", none);
  const auto leg_b = [](const Word* word) {
    return word->action == "CallEstablish" || word->leg_b;
  };
  const std::string longest = expected.fields["maxDuration"].any.front();
  const Instant deadline = std::ranges::any_of(known.words, leg_b)
                               ? std::stoll(longest) * 1000 + settings_.grace
                               : settings_.silence;
  set_own_time(expected, asked.posted + deadline, now);
  if (!named) {
    set_close(expected, {"7", "outcome_unknown", "cc"}, "cc");
    return expected;
  }
  set_close(expected, {"255", "no_final_event", "cc"}, "cc");
  // "then puts the call on the list of those to be queried": it can only stay so if the channel has
  // no record.
  if (std::ranges::find(story.no_record, "900219") == story.no_record.end())
    set(expected, "closeSource", "query");
  return expected;
}

std::vector<Difference> differences(const Expected& expected, const json::value& record) {
  std::vector<Difference> found;
  const std::string call = text_at(record, "callId");
  for (const auto& [field, must] : expected.fields) {
    const bool there = record.is_object() && record.get_object().contains(field);
    const std::string is = text_at(record, field);
    if (there && must.allows(is)) continue;
    std::string wanted;
    for (const std::string& text : must.any)
      wanted += (wanted.empty() ? "" : " or ") + ("\"" + text + "\"");
    if (must.any.empty()) wanted = std::to_string(must.from) + " to " + std::to_string(must.to);
    found.push_back({call, field, there ? is : "(no such field)", wanted});
  }
  return found;
}

}  // namespace cc::test
