#include "stack.hpp"

#include <fstream>
#include <sstream>
#include <stdexcept>

namespace cc::test {
namespace {

const std::string script = CC_SOURCE_DIR "/scripts/stack";

Outcome must(const std::vector<std::string>& command) {
  Outcome outcome = run({.command = command}, Millis{90'000});
  if (outcome.status != 0) throw std::runtime_error(command[1] + " failed: " + outcome.output);
  return outcome;
}

}  // namespace

Stack::Stack(const std::string& speed, const std::vector<std::string>& options)
    : dir_(folder_.file("stack")) {
  std::vector<std::string> command{script,        "up",      dir_,  "--build", CC_BUILD_DIR,
                                   "--simulator", "--speed", speed, "--quiet"};
  command.insert(command.end(), options.begin(), options.end());
  must(command);
  std::istringstream lines(must({script, "env", dir_}).output);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t at = line.find('=');
    if (!line.starts_with("export ") || at == std::string::npos) continue;
    std::string value = line.substr(at + 1);
    std::erase(value, '\'');
    env_[line.substr(7, at - 7)] = value;
  }
}

Stack::~Stack() {
  try {
    run({.command = {script, "down", dir_, "--purge", "--quiet"}}, Millis{60'000});
  } catch (const std::exception&) {  // the test has failed anyhow, or the folder's removal will
  }
}

Answer Stack::get(const std::string& path) const {
  return send({.method = "GET",
               .url = env("CC_API") + path,
               .headers = {"Authorization: Bearer " + env("CC_KEY")}});
}

Answer Stack::ask(const std::string& method, const std::string& path,
                  const std::string& body) const {
  return send({.method = method,
               .url = env("CC_API") + path,
               .body = body,
               .headers = {"Authorization: Bearer " + env("CC_KEY")}});
}

Call Stack::post_later(const std::string& path, const std::string& body,
                       const std::vector<std::string>& headers) const {
  Call call{.method = "POST", .url = env("CC_API") + path, .body = body, .headers = headers};
  call.headers.push_back("Authorization: Bearer " + env("CC_KEY"));
  return call;
}

Answer Stack::post(const std::string& path, const std::string& body,
                   const std::vector<std::string>& headers) const {
  return send(post_later(path, body, headers));
}

json::value Stack::await_state(const std::string& call, const std::string& state,
                               Millis timeout) const {
  Answer last;
  const bool reached = eventually(
      [&] {
        last = get("/v1/calls/" + call);
        return last.at("state") == state;
      },
      timeout);
  if (!reached) {
    throw std::runtime_error("call " + call + " did not come to \"" + state +
                             "\": " + std::to_string(last.status) + " " + last.text +
                             "\nccd's log:\n" + log("ccd"));
  }
  return last.body();
}

void Stack::part(const std::string& verb, const std::string& name,
                 const std::vector<std::string>& options) {
  std::vector<std::string> command{script, verb, dir_, name};
  command.insert(command.end(), options.begin(), options.end());
  must(command);
}

void Stack::save(const std::string& name, const std::string& copy) {
  must({script, "save", dir_, name, copy});
}

void Stack::restore(const std::string& name, const std::string& copy) {
  must({script, "restore", dir_, name, copy});
}

pid_t Stack::pid(const std::string& name) const {
  return std::atoi(read_file(dir_ + "/run/" + name + ".pid").c_str());
}

bool Stack::running(const std::string& name) const {
  const pid_t found = pid(name);
  if (found <= 0) return false;
  // A killed process may stay a zombie for a while, where nobody hurries to reap it.
  const std::string stat = read_file("/proc/" + std::to_string(found) + "/stat");
  const std::size_t at = stat.rfind(')');
  return at != std::string::npos && at + 2 < stat.size() && stat[at + 2] != 'Z';
}

std::unique_ptr<Process> Stack::further_ccd(const std::string& name, const TempDir& folder) const {
  std::string yaml = read_file(dir_ + "/conf/cc.yaml");
  const auto replace = [&](const std::string& from, const std::string& until,
                           const std::string& text) {
    const std::size_t begin = yaml.find(from);
    const std::size_t end = begin == std::string::npos ? begin : yaml.find(until, begin);
    if (end == std::string::npos) throw std::runtime_error("cc.yaml has no \"" + from + "\"");
    yaml.replace(begin, end - begin, text);
  };
  replace("id: ", "\n", "id: " + name);
  replace("listen: [", "\n", "listen: [\"unix:" + folder.file(name + ".sock") + "\"]");
  std::ofstream(folder.file(name + ".yaml")) << yaml;
  return std::make_unique<Process>(
      Launch{.command = {env("CC_CCD"), "--config", folder.file(name + ".yaml")},
             .output = folder.file(name + ".log")});
}

void Stack::reconfigure(const std::string& before, const std::string& after) {
  const std::string path = dir_ + "/conf/cc.yaml";
  std::string yaml = read_file(path);
  const std::size_t at = yaml.find(before);
  if (at == std::string::npos) throw std::runtime_error(path + " holds no \"" + before + "\"");
  yaml.replace(at, before.size(), after);
  std::ofstream(path) << yaml;
  ::kill(pid("ccd"), SIGHUP);
}

std::vector<pid_t> children_of(pid_t pid) {
  const std::string task = "/proc/" + std::to_string(pid) + "/task/" + std::to_string(pid);
  std::istringstream text(read_file(task + "/children"));
  std::vector<pid_t> children;
  for (pid_t child = 0; text >> child;) children.push_back(child);
  return children;
}

Answer Stack::control(const std::string& part, const std::string& method, const std::string& path,
                      const std::string& body) const {
  static const std::map<std::string, std::string> addresses{{"simulator", "CC_SIM_CONTROL"},
                                                            {"simulator2", "CC_SIM2_CONTROL"},
                                                            {"gateway", "CC_GATEWAY_CONTROL"}};
  const std::string& address = env(addresses.at(part));
  if (address.empty()) throw std::runtime_error("this stack has no part " + part);
  return send({.method = method, .url = address + "/_control/" + path, .body = body});
}

json::value Stack::simulator(const std::string& path) const {
  return control("simulator", "GET", path).body();
}

Answer Stack::simulator(const std::string& method, const std::string& path,
                        const std::string& body) const {
  return control("simulator", method, path, body);
}

json::value Stack::second(const std::string& path) const {
  return control("simulator2", "GET", path).body();
}

Answer Stack::second(const std::string& method, const std::string& path,
                     const std::string& body) const {
  return control("simulator2", method, path, body);
}

namespace {

std::vector<json::object> lines_of(const json::value& journal, const std::string& event) {
  std::vector<json::object> found;
  for (const json::value& line : journal.at("lines").as_array()) {
    if (text_at(line, "event") == event) found.push_back(line.as_object());
  }
  return found;
}

json::value must_agree(const Answer& answer, const std::string& asked) {
  if (answer.status != 200) throw std::runtime_error(asked + ": " + answer.text);
  return answer.body();
}

}  // namespace

std::vector<json::object> Stack::journal(const std::string& event) const {
  return lines_of(simulator("journal?limit=100000"), event);
}

std::vector<json::object> Stack::second_journal(const std::string& event) const {
  return lines_of(second("journal?limit=100000"), event);
}

json::value Stack::outage(const std::string& part, const std::string& keys) const {
  return must_agree(control(part, "PUT", "outage", keys), part + ": outage " + keys);
}

json::value Stack::random_faults(const std::string& part, const std::string& keys) const {
  return must_agree(control(part, "PUT", "random", keys), part + ": random faults " + keys);
}

void Stack::no_random_faults(const std::string& part) const {
  must_agree(control(part, "DELETE", "random"), part + ": no random faults");
}

long Stack::violations() const {
  return std::stol(text_at(simulator("health"), "violations"));
}

json::value Stack::gateway(const std::string& path) const {
  return control("gateway", "GET", path).body();
}

Answer Stack::gateway(const std::string& method, const std::string& path,
                      const std::string& body) const {
  return control("gateway", method, path, body);
}

std::vector<json::object> Stack::gateway_journal(const std::string& event) const {
  std::vector<json::object> found;
  std::istringstream lines(read_file(env("CC_GATEWAY_JOURNAL")));
  for (std::string line; std::getline(lines, line);) {
    // Most are of others: parsed only where the name stands in them.
    if (line.find('"' + event + '"') == std::string::npos) continue;
    const json::value value = json::parse(line);
    if (text_at(value, "event") == event) found.push_back(value.as_object());
  }
  return found;
}

void Stack::make_agents(int first, int last) const {
  std::string csv = "channel,agent,tenant,handset,password,desired\n";
  for (int agent = first; agent <= last; ++agent) {
    csv += "hw," + std::to_string(agent) + ",demo,139" + std::to_string(70'000'000 + agent) + "," +
           env("CC_AGENT_PASSWORD") + ",online\n";
  }
  const std::string file = dir_ + "/agents.csv";
  std::ofstream(file) << csv;
  must({env("CC_CCD"), "--config", dir_ + "/conf/cc.yaml", "agent", "import", file});
}

json::value Stack::await_agent(const std::string& agent, const std::string& actual,
                               Millis timeout) const {
  Answer last;
  const bool reached = eventually(
      [&] {
        last = get("/v1/agents/hw/" + agent);
        return last.at("actual") == actual;
      },
      timeout);
  if (!reached) {
    throw std::runtime_error("agent " + agent + " did not come to \"" + actual +
                             "\": " + std::to_string(last.status) + " " + last.text +
                             "\nccd's log:\n" + log("ccd"));
  }
  return last.body();
}

std::string Stack::sql(const std::string& statement) const {
  std::string output = must({"/usr/bin/psql", "-h", env("PGHOST"), "-U", env("PGUSER"), "-d",
                             env("PGDATABASE"), "-qAtX", "-v", "ON_ERROR_STOP=1", "-c", statement})
                           .output;
  while (!output.empty() && output.back() == '\n') output.pop_back();
  return output;
}

std::string Stack::redis(const std::vector<std::string>& words) const {
  std::vector<std::string> command{"/usr/bin/redis-cli", "-s", env("REDIS_SOCK")};
  command.insert(command.end(), words.begin(), words.end());
  return must(command).output;
}

std::string Stack::nginx_alarms() const {
  std::string found;
  std::istringstream lines(log("nginx"));
  for (std::string line; std::getline(lines, line);) {
    if (line.find("exited on signal 9") != std::string::npos) continue;  // the test's own doing
    for (const char* mark : {"[alert]", "[crit]", "[emerg]"}) {
      if (line.find(mark) != std::string::npos) found += line + "\n";
    }
  }
  return found;
}

std::string Stack::log(const std::string& part) const {
  return read_file(dir_ + "/log/" + part + ".log");
}

std::string call_body(const std::string& caller, const std::string& called,
                      const std::string& more) {
  return R"({"caller":")" + caller + R"(","called":")" + called + '"' +
         (more.empty() ? "" : "," + more) + "}";
}

}  // namespace cc::test
