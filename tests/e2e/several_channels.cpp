#include "several_channels.hpp"

#include <fstream>
#include <sstream>
#include <stdexcept>

namespace cc::test {

Configuration::Configuration(const Changes& changes) {
  std::string yaml = read_file(CC_SOURCE_DIR "/scripts/stack.d/cc.yaml");
  for (const auto& [before, after] : changes) {
    const std::size_t at = yaml.find(before);
    if (at == std::string::npos) throw std::runtime_error("cc.yaml holds no \"" + before + "\"");
    yaml.replace(at, before.size(), after);
  }
  std::ofstream(folder_.file("cc.yaml")) << yaml;
}

std::vector<std::string> Configuration::options(const std::vector<std::string>& more) const {
  std::vector<std::string> list{"--second", "--cc-yaml", folder_.file("cc.yaml")};
  list.insert(list.end(), more.begin(), more.end());
  return list;
}

std::pair<std::string, std::string> health(const std::string& limits) {
  return {"log:\n", "health: {" + limits + "}\n\nlog:\n"};
}

json::array attempts_of(const Stack& stack, const std::string& call) {
  const json::value timeline = stack.get("/v1/calls/" + call + "/events").body();
  return timeline.at("attempts").as_array();
}

std::string story(const Stack& stack, const std::string& call) {
  std::string words;
  for (const json::value& attempt : attempts_of(stack, call)) {
    words +=
        (words.empty() ? "" : ", ") + text_at(attempt, "channel") + " " + text_at(attempt, "state");
  }
  return words;
}

std::vector<std::string> steps(const Stack& stack, const std::string& call) {
  const json::value timeline = stack.get("/v1/calls/" + call + "/events").body();
  std::vector<std::string> names;
  for (const json::value& event : timeline.at("events").as_array()) {
    if (text_at(event, "source") != "cc") continue;
    names.push_back(text_at(event, "name") + " " + text_at(event, "attempt"));
  }
  return names;
}

std::size_t originates(const std::vector<json::object>& requests, const std::string& call) {
  std::size_t count = 0;
  for (const json::object& line : requests) {
    if (text_at(line, "func") != "Calls/callBack") continue;
    count += text_at(line, "userData").starts_with("cc1." + call + ".") ? 1U : 0U;
  }
  return count;
}

std::size_t rings(const Stack& stack, const std::string& phone) {
  std::size_t count = 0;
  const auto add = [&](const std::vector<json::object>& lines) {
    for (const json::object& line : lines) {
      const std::string leg = text_at(line, "leg");
      count += (leg == "a" || leg == "A") && text_at(line, "number") == phone ? 1U : 0U;
    }
  };
  add(stack.journal("ring"));
  add(stack.second_journal("ring"));
  add(stack.gateway_journal("ring"));
  return count;
}

std::string claims(const Stack& stack, const std::string& call) {
  return stack.sql("SELECT count(*) FROM claim WHERE released IS NULL AND call = " + call);
}

void set_channel(const Stack& stack, const std::string& channel, const std::string& wish) {
  const Answer answer = stack.ask("PATCH", "/v1/channels/" + channel, wish);
  if (answer.status == 200) return;
  throw std::runtime_error("PATCH of channel " + channel + ": " + std::to_string(answer.status) +
                           " " + answer.text);
}

json::value channel(const Stack& stack, const std::string& code) {
  return stack.get("/v1/channels/" + code).body();
}

bool await_channel(const Stack& stack, const std::string& code, const std::string& state,
                   Millis timeout) {
  return eventually([&] { return text_at(channel(stack, code), "state") == state; }, timeout);
}

double metric(const Stack& stack, const std::string& name, const std::string& labels) {
  return metric_of(stack.env("CC_API"), name, labels);
}

double metric_of(const std::string& url, const std::string& name, const std::string& labels) {
  std::istringstream lines(send({.url = url + "/metrics"}).text);
  double sum = 0;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(name + " ") && !line.starts_with(name + "{")) continue;
    if (line.find(labels) == std::string::npos) continue;
    sum += std::stod(line.substr(line.rfind(' ') + 1));
  }
  return sum;
}

void let_hours_pass(const Stack& stack, const std::string& call) {
  stack.sql("UPDATE call_event SET received = received - 30000000 WHERE call = " + call);
  stack.sql("UPDATE call_attempt SET sent = sent - 30000000 WHERE call = " + call);
}

}  // namespace cc::test
