#include "schedules_journal.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace cc::test {
namespace {

Instant at_of(const json::object& line) {
  return std::stoll(text_at(line, "at"));
}

bool is_leg_a(const json::object& line) {
  const std::string leg = text_at(line, "leg");
  return leg == "a" || leg == "A";
}

}  // namespace

Journals::Journals(const Stack& stack)
    : files_{{"e9", stack.env("CC_JOURNAL")},
             {"e9b", stack.env("CC_JOURNAL2")},
             {"hw", stack.env("CC_GATEWAY_JOURNAL")}} {
  for (const auto& [channel, file] : files_) {
    std::ifstream lines(file);
    for (std::string text; std::getline(lines, text);) {
      json::object line = json::parse(text).as_object();
      const std::string event = text_at(line, "event");
      if (event == "violation") {
        line["channel"] = channel;
        violations_.push_back(line);
      } else if (channel == "hw") {
        read_gateway(line);
      } else {
        read_jiuyun(channel, line);
      }
    }
  }
  for (std::size_t i = 0; i < dials_.size(); ++i) by_called_.emplace(dials_[i].called, i);
}

Dial& Journals::dial(const std::string& key) {
  const auto [at, added] = places_.emplace(key, dials_.size());
  if (added) dials_.emplace_back();
  return dials_[at->second];
}

void Journals::read_jiuyun(const std::string& channel, const json::object& line) {
  const std::string event = text_at(line, "event"), echo = text_at(line, "userData");
  if (!echo.starts_with("cc1.")) return;
  const bool request = event == "request" && text_at(line, "func") == "Calls/callBack";
  const std::string key = channel + "/" + echo;
  if (!request && !places_.contains(key)) return;
  Dial& one = dial(key);
  if (request) {
    one.channel = channel;
    one.at = at_of(line);
    const std::size_t dot = echo.rfind('.');
    one.call = echo.substr(4, dot - 4);
    one.attempt = std::stoi(echo.substr(dot + 1));
    const json::value& body = line.at("body");
    if (body.is_object() && body.as_object().contains("callback")) {
      one.called = text_at(body.at("callback"), "to");
      one.handset = text_at(body.at("callback"), "from");
    }
  } else if (event == "refused") {
    one.code = text_at(line, "statusCode");
  } else if (event == "reply") {
    one.unsaid = text_at(line, "fault") != "none";
  } else if (event == "random") {
    ++drawn_[text_at(line, "answer")];
    for (const char* more : {"ends", "lose", "doubled", "reordered", "lateMs", "slowMs"}) {
      const json::value* value = line.if_contains(more);
      if (value != nullptr && *value != json::value(false) && !value->is_null()) ++drawn_[more];
    }
  } else if (event == "originate") {
    one.id = text_at(line, "callId");
  } else if (event == "undialled") {
    one.withdrawn = true;
  } else if (event == "ring") {
    ++(is_leg_a(line) ? one.rings_a : one.rings_b);
    if (is_leg_a(line)) one.rang = at_of(line);
  } else if (event == "failed" && is_leg_a(line)) {
    one.freed = at_of(line);
  } else if (event == "hangup") {
    one.over = true;
    one.end = text_at(line, "byeType");
    one.duration = std::stol(text_at(line, "duration"));
    one.answered_b = text_at(line, "answeredB") == "true";
    if (one.freed == 0) one.freed = at_of(line);
  } else if (event == "push" && text_at(line, "action") == "Hangup") {
    one.told_end |= text_at(line, "status") == "200";
  } else if (event == "query") {
    one.asked_end |= one.over;
  }
}

void Journals::read_gateway(const json::object& line) {
  const std::string event = text_at(line, "event"), id = text_at(line, "callId");
  if (event == "random") {
    ++drawn_["hw " + text_at(line, "answer")];
    const json::value* lose = line.if_contains("lose");
    const bool loses = lose != nullptr && lose->is_array() && !lose->as_array().empty();
    if (loses) ++lossy_[text_at(line, "called")];
    if (loses) ++drawn_["hw lose"];
    if (!text_at(line, "ends").empty()) ++drawn_["hw ends"];
    return;
  }
  if (event == "event_kept_back" && !text_at(line, "called").empty()) {
    ++lossy_[text_at(line, "called")];
    return;
  }
  if (event == "callout") {
    Dial& one = id.empty() ? dials_.emplace_back() : dial("hw/" + id);
    one.channel = "hw";
    one.id = id;
    one.at = at_of(line);
    one.agent = text_at(line, "agent");
    one.called = text_at(line, "called");
    one.handset = text_at(line, "phonenum");
    const std::string code = text_at(line, "retcode");
    if (code != "0") one.code = code;
    return;
  }
  if (id.empty() || (event != "ring" && event != "call_over" && event != "connected")) return;
  // A callout that an outage struck has no line of its own: its phones tell of it.
  Dial& one = dial("hw/" + id);
  if (one.called.empty()) {
    one.channel = "hw";
    one.id = id;
    one.at = at_of(line);
    one.agent = text_at(line, "agent");
    one.called = text_at(line, "called");
    one.unsaid = true;
  }
  if (event == "ring") {
    ++(is_leg_a(line) ? one.rings_a : one.rings_b);
    if (is_leg_a(line)) {
      one.rang = at_of(line);
      one.handset = text_at(line, "number");
    }
  } else if (event == "connected") {
    one.answered_b = true;
  } else {
    one.over = true;
    one.end = text_at(line, "cause");
    one.freed = at_of(line);
  }
}

std::vector<const Dial*> Journals::of(const std::string& called) const {
  std::vector<const Dial*> found;
  const auto [from, to] = by_called_.equal_range(called);
  for (auto at = from; at != to; ++at) found.push_back(&dials_[at->second]);
  std::ranges::sort(found, {}, &Dial::at);
  return found;
}

std::string Journals::figures() const {
  std::ostringstream text;
  std::map<std::string, std::array<long, 2>> rings;
  for (const Dial& one : dials_) {
    ++rings[one.channel][0];
    rings[one.channel][1] += one.rings_a;
  }
  for (const auto& [channel, n] : rings)
    text << channel << ": " << n[0] << " requests, " << n[1] << " rang  ";
  text << "\n  drawn:";
  for (const auto& [what, n] : drawn_) text << "  " << what << ": " << n;
  return text.str();
}

std::string Journals::seat_lines(const std::string& agent, Instant at) const {
  std::string all;
  std::ifstream lines(files_.at("hw"));
  for (std::string text; std::getline(lines, text);) {
    if (text.find("\"agent\":" + agent) == std::string::npos) continue;
    const json::value line = json::parse(text);
    if (std::abs(std::stoll(text_at(line, "at")) - at) <= 2000)
      all += "\n    " + text.substr(0, 300);
  }
  return all;
}

std::string Journals::lines_with(const std::vector<std::string>& words) const {
  std::multimap<Instant, std::string> found;
  for (const auto& [channel, file] : files_) {
    std::ifstream lines(file);
    for (std::string text; std::getline(lines, text);) {
      const bool names = std::ranges::any_of(words, [&](const std::string& word) {
        return !word.empty() && text.find(word) != std::string::npos;
      });
      if (!names || text.find("\"what\":\"script\"") != std::string::npos) continue;
      found.emplace(std::stoll(text_at(json::parse(text), "at")),
                    channel + " " + text.substr(0, 700));
    }
  }
  std::string all;
  for (const auto& [at, text] : found) all += "    " + text + "\n";
  return all;
}

}  // namespace cc::test
