#include "numbers_scene.hpp"

#include <algorithm>
#include <fstream>

#include <boost/test/unit_test.hpp>

#include "process.hpp"

namespace cc::test {

Scene::Scene()
    : stack("50", {"--gateway", "--gateway-options", "--poll-ms 2000", "--cc-yaml", make_yaml()}) {
  stack.make_agents(first_agent, last_agent);
  for (int agent = first_agent; agent <= last_agent; ++agent) {
    stack.await_agent(std::to_string(agent));
  }
}

/// A stack's configuration with one key more, and with all that there is to log.
std::string Scene::make_yaml() const {
  std::ofstream(folder_.file("key")) << key_;
  const Outcome sum = run({.command = {"/usr/bin/sha256sum", folder_.file("key")}});
  std::ofstream(folder_.file("key.sha256")) << sum.output.substr(0, 64) << "\n";
  std::string yaml = read_file(CC_SOURCE_DIR "/scripts/stack.d/cc.yaml");
  const auto put = [&](const std::string& before, const std::string& after) {
    const auto at = yaml.find(before);
    BOOST_REQUIRE_MESSAGE(at != std::string::npos, "cc.yaml has no " << before);
    yaml.replace(at, before.size(), after);
  };
  put("      - id: demo-plain\n",
      "      - id: demo-admin\n        sha256: \"file:" + folder_.file("key.sha256") +
          "\"\n        scopes: [call, read, admin]\n"
          "      - id: demo-plain\n");
  put("level: info", "level: debug");
  std::ofstream(folder_.file("cc.yaml")) << yaml;
  return folder_.file("cc.yaml");
}

Call Scene::request(const std::string& method, const std::string& path, const std::string& body,
                    const std::vector<std::string>& headers, const std::string& by) const {
  Call call{.method = method, .url = stack.env(by) + path, .body = body, .headers = headers};
  call.headers.push_back("Authorization: Bearer " + key_);
  return call;
}

Answer Scene::ask(const std::string& method, const std::string& path, const std::string& body,
                  const std::vector<std::string>& headers, const std::string& by) {
  return hear(method + " " + path, send(request(method, path, body, headers, by)));
}

Answer Scene::hear(const std::string& asked, Answer answer) {
  std::string text = answer.text;
  for (const auto& [name, value] : answer.headers) text += "\n" + name + ": " + value;
  look("the answer to " + asked, text);
  return answer;
}

long Scene::call_back(const std::string& body, const std::string& query, const std::string& type,
                      const std::string& path) {
  const std::string url =
      path.empty() ? stack.env("CC_CALLBACK_URL") : stack.env("CC_NGINX") + path;
  const Call call{
      .method = "POST", .url = url + query, .body = body, .headers = {"Content-Type: " + type}};
  return hear("a callback", send(call)).status;
}

void Scene::look(const std::string& where, std::string_view text) {
  const std::vector<std::string> numbers = planted.found_in(text);
  if (numbers.empty() || found.size() >= 50) return;
  std::string_view line;  // the first that has one
  while (!text.empty() && planted.found_in(line).empty()) {
    line = text.substr(0, text.find_first_of("\n{"));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
  }
  found.push_back(std::to_string(numbers.size()) + " numbers, as " + numbers.front() + ", are in " +
                  where + ": " + std::string(line.substr(0, 600)));
}

std::vector<std::string> Scene::read_list(const std::string& path, const std::string& id) {
  std::vector<std::string> ids;
  std::string cursor;
  do {
    const Answer page =
        ask("GET", path + "?limit=200" + (cursor.empty() ? "" : "&cursor=" + cursor));
    BOOST_REQUIRE_MESSAGE(page.status == 200, path << ": " << page.text);
    const json::value body = page.body();
    for (const json::value& item : body.at("items").as_array()) ids.push_back(text_at(item, id));
    cursor = page.at("next");
  } while (!cursor.empty());
  return ids;
}

void Scene::look_at_answers(std::size_t least_calls) {
  const std::vector<std::string> calls = read_list("/v1/calls", "callId");
  BOOST_TEST(calls.size() >= least_calls);
  for (std::size_t i = 0; i < calls.size(); i += std::max<std::size_t>(1, calls.size() / 300)) {
    ask("GET", "/v1/calls/" + calls[i]);
    ask("GET", "/v1/calls/" + calls[i] + "/events");
    ask("POST", "/v1/calls/" + calls[i] + "/hangup");
  }
  BOOST_TEST(!read_list("/v1/rejections", "requestId").empty());
  BOOST_TEST(!read_list("/v1/audit", "id").empty());
  const std::vector<std::string> letters = read_list("/v1/dead-letters", "id");
  BOOST_TEST(letters.size() >= 20U);
  for (const std::string& letter : letters) ask("GET", "/v1/dead-letters/" + letter);
  for (std::size_t i = 0; i < letters.size(); i += 3) {
    ask("POST", "/v1/dead-letters/" + letters[i] + "/replay");
  }
  const std::string today = stack.sql("SELECT (now() AT TIME ZONE 'Asia/Shanghai')::date");
  for (const std::string& path :
       {std::string("/v1/export.csv"), std::string("/v1/health"), std::string("/v1/channels"),
        std::string("/v1/channels/e9"), std::string("/v1/agents?limit=1000"),
        std::string("/v1/agents/hw/1000"), std::string("/v1/bindings"),
        std::string("/v1/reconciliation"), "/v1/reconciliation/" + today, std::string("/healthz"),
        std::string("/readyz"), std::string("/openapi.json")}) {
    BOOST_TEST(ask("GET", path).status == 200, path);
  }
  look("ccd's metrics", send({.url = stack.env("CC_API") + "/metrics"}).text);
  for (const char* path : {"/cc/metrics", "/cc/status"}) {
    look(path, send({.url = stack.env("CC_NGINX") + path}).text);
  }
  look("NGINX's list of what it turned away",
       stack.redis({"XREVRANGE", "cc:rejects", "+", "-", "COUNT", "10000"}));
}

std::vector<std::string> Scene::own_logs() const {
  std::vector<std::string> logs;
  for (const std::string& file : files_below(stack.env("CC_DIR") + "/log")) {
    const std::string name = file.substr(file.rfind('/') + 1);
    if (!name.starts_with("simulator") && !name.starts_with("gateway") &&
        !name.starts_with("journal")) {
      logs.push_back(file);
    }
  }
  return logs;
}

void Scene::look_at_files() {
  for (const std::string& log : own_logs()) look(log, read_file(log));
  for (const char* root : {"CC_DIR", "CC_PRIVATE"}) {
    for (const std::string& file : files_below(stack.env(root))) look("a file's name", file);
  }
  look("a process' arguments", process_arguments());
}

}  // namespace cc::test
