#include "stories.hpp"

#include <algorithm>
#include <ctime>
#include <stdexcept>

#include "client.hpp"

namespace cc::test {
namespace {

std::int64_t number(const json::object& line, const char* name) {
  const json::value* value = line.if_contains(name);
  return value != nullptr && value->is_int64() ? value->get_int64() : 0;
}

std::string text(const json::object& line, const char* name) {
  const json::value* value = line.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
}

/// "cc1.<call>.<attempt>" → call.
std::string call_of(const std::string& user_data) {
  if (!user_data.starts_with("cc1.")) return "";
  return user_data.substr(4, user_data.find('.', 4) - 4);
}

// A field of a callback: XML that nobody escaped, or JSON, flat or in {"req":{…}}. The literal text
// null says nothing.
class Fields {
 public:
  explicit Fields(const std::string& body) : body_(body) {
    if (!body.starts_with("{")) return;
    json::value read = json::parse(body);
    if (const json::value* root = read.as_object().if_contains("req")) read = json::value(*root);
    object_ = read.as_object();
  }
  explicit Fields(json::object object) : object_(std::move(object)) {}

  std::string operator[](const std::string& name) const {
    std::string value = object_ ? text_at(json::value(*object_), name) : between_tags(name);
    return value == "null" ? "" : value;
  }

 private:
  std::string between_tags(const std::string& name) const {
    const std::string open = "<" + name + ">", close = "</" + name + ">";
    const std::size_t from = body_.find(open), to = body_.find(close);
    if (from == std::string::npos || to == std::string::npos) return "";
    return body_.substr(from + open.size(), to - from - open.size());
  }

  std::string body_;
  std::optional<json::object> object_;
};

std::optional<std::int64_t> maybe_number(const std::string& digits) {
  if (digits.empty()) return std::nullopt;
  return std::stoll(digits);
}

Word read_word(const Fields& fields) {
  Word word;
  word.action = fields["action"];
  word.leg_b = word.action == "CallInvite" && fields["userFlag"] == "1";
  word.created = beijing(fields["dateCreated"]);
  word.start_a = beijing(fields["startTimeA"]);
  word.start_b = beijing(fields["startTimeB"]);
  word.end = beijing(fields["endTime"]);
  word.duration = maybe_number(fields["duration"]);
  word.bye_type = maybe_number(fields["byeType"]);
  word.record_url = fields["recordUrl"];
  return word;
}

}  // namespace

Instant beijing(const std::string& text) {
  std::tm parts{};
  if (text.size() != 14 || strptime(text.c_str(), "%Y%m%d%H%M%S", &parts) == nullptr) return 0;
  return (static_cast<Instant>(timegm(&parts)) - 8 * 3600) * 1000;
}

Stories::Stories(const std::string& journal_file) : file_(journal_file) {
  if (!file_) throw std::runtime_error("no journal " + journal_file);
}

void Stories::read_on() {
  file_.clear();
  std::string line;
  while (std::getline(file_, line)) {
    if (file_.eof()) {  // still being written
      partial_ += line;
      break;
    }
    take(json::parse(partial_ + line).as_object());
    partial_.clear();
  }
}

const Story* Stories::of(const std::string& call) const {
  const auto found = stories_.find(call);
  return found == stories_.end() ? nullptr : &found->second;
}

Story& Stories::named(const json::object& line) {
  return stories_[call_of(text(line, "userData"))];
}

bool Stories::at_rest() const {
  return std::ranges::all_of(stories_, [&](const auto& entry) {
    const Story& story = entry.second;
    if (story.channel_call_id.empty()) return true;
    const auto repeat = repeats_.find(story.called);
    // What the script loses is lost once, whatever its repeats.
    return story.ended &&
           (story.events - story.lost) * (repeat == repeats_.end() ? 1 : repeat->second) ==
               story.pushes;
  });
}

void Stories::take(const json::object& line) {
  const std::string event = text(line, "event"), function = text(line, "func");
  const Instant at = number(line, "at");
  last_ = number(line, "seq");
  if (event == "control") {
    const json::value* script = line.if_contains("script");
    if (text(line, "what") != "script" || !script->is_object()) return;
    const json::value* callbacks = script->get_object().if_contains("callbacks");
    const long repeat = callbacks == nullptr ? 0 : number(callbacks->as_object(), "repeat");
    repeats_[text(line, "number")] = std::max(repeat, 1L);
  } else if (event == "request") {
    if (text(line, "checks") == "failed") bad_requests_.push_back(json::serialize(line));
    if (function != "Calls/callBack") return;
    Story& story = named(line);
    if (story.requests++ == 0) story.asked = at;
  } else if (event == "refused" && function == "Calls/callBack") {
    Story& story = named(line);
    story.reply = Story::Reply::refused;
    story.replied = at;
    story.code = text(line, "statusCode");
    story.http_status = number(line, "httpStatus");
  } else if (event == "refused" && function == "Records/query") {
    named(line).no_record.push_back(text(line, "statusCode"));
  } else if (event == "reply") {
    Story& story = named(line);
    story.reply =
        text(line, "statusCode") == "000000" ? Story::Reply::accepted : Story::Reply::unclear;
    story.replied = at;
  } else if (event == "originate") {
    Story& story = named(line);
    story.channel_call_id = text(line, "callId");
    story.called = text(line, "to");
  } else if (event == "dial") {
    ++named(line).events;  // a CallInvite
  } else if (event == "ring") {
    if (text(line, "leg") == "a") ++named(line).rings_a;
  } else if (event == "answer") {
    if (text(line, "leg") == "b") ++named(line).events;  // CallEstablish
  } else if (event == "hangup") {
    Story& story = named(line);
    ++story.events;
    story.ended = true;
  } else if (event == "lost") {
    ++named(line).lost;
  } else if (event == "push") {
    ++pushes_;
    take_push(named(line), line);
  } else if (event == "cancel") {
    named(line).cancelled = at;
  } else if (event == "query") {
    Word word = read_word(Fields(line.at("answer").as_object()));
    word.from = Word::From::query;
    word.answered = true;
    word.at = word.until = at;
    named(line).words.push_back(std::move(word));
  }
}

void Stories::take_push(Story& story, const json::object& line) {
  ++story.pushes;
  const std::string sha256 = text(line, "bodySha256");
  auto word = std::ranges::find(story.words, sha256, &Word::sha256);
  if (word == story.words.end()) {
    story.words.push_back(read_word(Fields(text(line, "body"))));
    word = story.words.end() - 1;
    word->sha256 = sha256;
    word->at = number(line, "sentAt");
  }
  const std::int64_t status = number(line, "status");
  word->answered = word->answered || status / 100 == 2;
  word->taken = word->taken || !text(line, "error").starts_with("connect");
  word->at = std::min(word->at, number(line, "sentAt"));
  word->until = std::max(word->until, number(line, "at"));
}

}  // namespace cc::test
