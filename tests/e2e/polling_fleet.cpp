#include "polling_fleet.hpp"

#include <csignal>
#include <fstream>
#include <stdexcept>

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

}  // namespace

PollingFleet::PollingFleet(Settings settings) : settings_(settings) {
  const std::string templates = std::string(CC_SOURCE_DIR) + "/scripts/stack.d/";
  std::ofstream(folder_.file("nginx.conf"))
      << replaced(read_file(templates + "nginx.conf"), "partitions=1", "partitions=2");
  std::string yaml = replaced(read_file(templates + "cc.yaml"), "partitions: 1", "partitions: 2");
  const std::string kind = "    kind: hw\n";
  yaml = replaced(yaml, kind,
                  kind + "    answerTimeout: " + seconds(settings_.answer_timeout_s) +
                      "    pollTimeout: " + seconds(settings_.poll_timeout_s));
  yaml += "\nreaper:\n  silence: " + seconds(settings_.silence_s) +
          "  grace: " + seconds(settings_.grace_s) + "  queriesPerMinute: 6000\n" +
          "calls:\n  maxDuration: " + seconds(settings_.max_duration_s);
  std::ofstream(folder_.file("cc.yaml")) << yaml;
  const std::string options = "--stamp on --poll-ms " + std::to_string(settings_.poll_ms) +
                              " --idle-ms " + std::to_string(settings_.idle_ms);
  stack_ = std::make_unique<Stack>(
      "1",
      std::vector<std::string>{"--gateway", "--gateway-options", options, "--nginx-conf",
                               folder_.file("nginx.conf"), "--cc-yaml", folder_.file("cc.yaml")});
  urls_ = {stack_->env("CC_API"), "http://127.0.0.1:" + std::to_string(free_port())};
  write_configuration();
  start(1);
  stack_->make_agents(first_agent(), first_agent() + settings_.agents - 1);
  if (!eventually([&] { return agents_away() == 0; }, Millis{120'000}))
    throw std::runtime_error("agents do not come online: " + log(0) + log(1));
}

/// The second daemon's: the same but for its name and address.
void PollingFleet::write_configuration() {
  std::string yaml = read_file(stack_->env("CC_DIR") + "/conf/cc.yaml");
  yaml = replaced(yaml, "id: stack-1", "id: stack-2");
  const std::size_t from = yaml.find("listen: ["), to = yaml.find(']', from);
  if (from == std::string::npos || to == std::string::npos)
    throw std::runtime_error("cc.yaml has no listen: […]");
  const std::string address = urls_[1].substr(urls_[1].find("//") + 2);
  yaml.replace(from, to - from + 1, "listen: [\"" + address + "\"]");
  std::ofstream(folder_.file("second.yaml")) << yaml;
}

void PollingFleet::kill(std::size_t daemon) {
  if (daemon == 0) return stack_->part("kill", "ccd");
  second_->send(SIGKILL);
  second_->wait(Millis{10'000});
}

void PollingFleet::stop(std::size_t daemon) {
  if (daemon == 0) return stack_->part("stop", "ccd");
  second_->send(SIGTERM);
  if (!second_->wait(Millis{30'000})) throw std::runtime_error("the second ccd does not end");
}

void PollingFleet::start(std::size_t daemon) {
  if (daemon == 0) return stack_->part("start", "ccd");
  second_ = std::make_unique<Process>(Launch{.command = {std::string(CC_BUILD_DIR) + "/daemon/ccd",
                                                         "--config", folder_.file("second.yaml")},
                                             .output = folder_.file("second.log")});
  if (!eventually([&] { return ready(1); }, Millis{30'000}))
    throw std::runtime_error("the second ccd does not get ready: " + log(1));
}

bool PollingFleet::ready(std::size_t daemon) const {
  return send({.url = url(daemon) + "/readyz"}).status == 200;
}

std::string PollingFleet::log(std::size_t daemon) const {
  return daemon == 0 ? stack_->log("ccd") : read_file(folder_.file("second.log"));
}

long PollingFleet::agents_away() const {
  return std::stol(
      stack_->sql("SELECT count(*) FROM agent WHERE actual IS DISTINCT FROM 'online'"));
}

}  // namespace cc::test
