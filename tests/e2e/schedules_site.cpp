#include "schedules_site.hpp"

#include <csignal>
#include <fstream>
#include <stdexcept>

#include "schedules_draw.hpp"

namespace cc::test {
namespace {

std::string replaced(std::string text, const std::string& before, const std::string& after) {
  const std::size_t at = text.find(before);
  if (at == std::string::npos) throw std::runtime_error("there is no \"" + before + "\"");
  return text.replace(at, before.size(), after);
}

std::string seconds(long value) {
  return std::to_string(value) + "s\n";
}

void must(const Answer& answer, const std::string& what) {
  if (answer.status / 100 != 2) {
    throw std::runtime_error(what + ": " + std::to_string(answer.status) + " " + answer.problem +
                             answer.text);
  }
}

}  // namespace

Site::Site() {
  write_configurations();
  std::vector<std::string> options = clock_.options();
  for (const std::string& option :
       {std::string("--second"), std::string("--gateway"), std::string("--gateway-options"),
        "--stamp on --idle-ms 600000 --poll-ms " + std::to_string(poll_ms),
        std::string("--query-limit"), std::string("1000000"), std::string("--nginx-conf"),
        folder_.file("nginx.conf"), std::string("--cc-yaml"), folder_.file("cc.yaml")}) {
    options.push_back(option);
  }
  stack_ = std::make_unique<Stack>("1", options);
  urls_ = {stack_->env("CC_API"), "http://127.0.0.1:" + std::to_string(free_port())};
  write_second();
  start(1);
  people();
}

void Site::write_configurations() {
  const std::string templates = std::string(CC_SOURCE_DIR) + "/scripts/stack.d/";
  std::ofstream(folder_.file("nginx.conf"))
      << replaced(read_file(templates + "nginx.conf"), "partitions=1", "partitions=2");
  std::string yaml = replaced(read_file(templates + "cc.yaml"), "partitions: 1", "partitions: 2");
  // Both accounts are equals, so that either is left for the other.
  yaml = replaced(yaml, "    priority: 150\n", "    priority: 100\n");
  const std::string timeout = "    answerTimeout: " + seconds(answer_timeout_s);
  yaml = replaced(yaml, "  e9:\n    kind: e9\n", "  e9:\n    kind: e9\n" + timeout);
  const std::size_t second = yaml.find("  e9b:");
  const std::size_t kind = yaml.find("    enabled:", second);
  if (second == std::string::npos || kind == std::string::npos)
    throw std::runtime_error("cc.yaml has no e9b");
  yaml.insert(kind, timeout);
  yaml = replaced(yaml, "    kind: hw\n", "    kind: hw\n" + timeout + "    pollTimeout: 12s\n");
  yaml += "\nreaper:\n  silence: " + seconds(silence_s) + "  grace: " + seconds(grace_s) +
          "  queriesPerMinute: 6000\n" + "calls:\n  maxDuration: " + seconds(max_duration_s) +
          "health:\n  slow: 500ms\n  open: 1s\n  openMost: 4s\n  overdue: 2s\n";
  std::ofstream(folder_.file("cc.yaml")) << yaml;
}

/// The second daemon's: the same but for its name and address.
void Site::write_second() {
  std::string yaml = read_file(stack_->env("CC_DIR") + "/conf/cc.yaml");
  yaml = replaced(yaml, "id: stack-1", "id: stack-2");
  const std::size_t from = yaml.find("listen: ["), to = yaml.find(']', from);
  if (from == std::string::npos || to == std::string::npos)
    throw std::runtime_error("cc.yaml has no listen: […]");
  const std::string address = urls_[1].substr(urls_[1].find("//") + 2);
  yaml.replace(from, to - from + 1, "listen: [\"" + address + "\"]");
  std::ofstream(folder_.file("second.yaml")) << yaml;
}

void Site::people() {
  stack_->make_agents(ScheduleCast::first_seat, ScheduleCast::first_seat + ScheduleCast::seats - 1);
  for (int i = 0; i < ScheduleCast::pool_phones; ++i) {
    for (const char* channel : {"e9", "e9b"}) {
      const std::string path =
          std::string("/v1/agents/") + channel + "/" + ScheduleCast::pool_phone(i);
      must(stack_->ask("PUT", path, R"({"desired":"online"})"), path);
    }
  }
  for (int i = 0; i < ScheduleCast::users; ++i) {
    const std::string path = "/v1/bindings/" + ScheduleCast::user(i);
    must(stack_->ask("PUT", path, ScheduleCast::binding(i)), path);
  }
  const bool online = eventually(
      [&] {
        return stack_->sql(
                   "SELECT count(*) FROM agent WHERE channel = 'hw' AND actual IS DISTINCT "
                   "FROM 'online'") == "0";
      },
      Millis{60'000});
  if (!online) throw std::runtime_error("seats do not come online: " + log(0) + log(1));
}

void Site::kill(std::size_t daemon) {
  if (daemon == 0) return stack_->part("kill", "ccd");
  second_->send(SIGKILL);
  second_->wait(Millis{10'000});
}

void Site::start(std::size_t daemon) {
  if (daemon == 0) return stack_->part("start", "ccd");
  second_ = std::make_unique<Process>(
      Launch{.command = {stack_->env("CC_CCD"), "--config", folder_.file("second.yaml")},
             .env = {{"LD_PRELOAD", stack_->env("CC_SHIFTED_CLOCK")},
                     {"CC_CLOCK", stack_->env("CC_CLOCK")},
                     {"CC_CLOCK_MONOTONIC", "1"}},
             .output = folder_.file("second.log")});
  const bool ready =
      eventually([&] { return send({.url = url(1) + "/readyz"}).status == 200; }, Millis{30'000});
  if (!ready) throw std::runtime_error("the second ccd does not get ready: " + log(1));
}

void Site::freeze(std::size_t daemon) {
  ::kill(daemon == 0 ? stack_->pid("ccd") : second_->pid(), SIGSTOP);
}

void Site::thaw(std::size_t daemon) {
  ::kill(daemon == 0 ? stack_->pid("ccd") : second_->pid(), SIGCONT);
}

std::string Site::log(std::size_t daemon) const {
  return daemon == 0 ? stack_->log("ccd") : read_file(folder_.file("second.log"));
}

}  // namespace cc::test
