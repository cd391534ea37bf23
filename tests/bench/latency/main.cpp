// latency-load: one round of scripts/bench latency. What the stack is comes from the environment
// (scripts/stack env), what is to be done from the arguments; the figures leave as one line of
// JSON.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "load.hpp"

namespace {

using namespace cc::bench;
using namespace std::chrono_literals;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) throw std::runtime_error(std::string(name) + " is not in the environment");
  return value;
}

/// NAME=VALUE, each once.
std::map<std::string, std::string> arguments_of(int count, char** words) {
  std::map<std::string, std::string> arguments;
  for (int i = 1; i < count; ++i) {
    const std::string word = words[i];
    const auto equals = word.find('=');
    if (equals == std::string::npos) throw std::runtime_error(word + " is not NAME=VALUE");
    arguments[word.substr(0, equals)] = word.substr(equals + 1);
  }
  return arguments;
}

Settings settings_of(const std::map<std::string, std::string>& arguments) {
  const auto number = [&](const char* name) { return std::stol(arguments.at(name)); };
  Settings settings;
  settings.nginx_port = static_cast<unsigned short>(std::stoi(environment("CC_NGINX_PORT")));
  settings.api_port = static_cast<unsigned short>(std::stoi(environment("CC_API_PORT")));
  settings.path = "/callback/e9/" + environment("CC_TOKEN");
  settings.app_id = environment("CC_E9_APP_ID");
  settings.key = environment("CC_KEY");
  settings.first_call = number("first");
  settings.version = number("version");
  settings.call_prefix = arguments.at("prefix");
  settings.calls = number("calls");
  settings.per_second = static_cast<double>(number("rate"));
  settings.sample_each = number("sample-each");
  settings.pause = std::chrono::milliseconds(number("pause-ms"));
  settings.warm_up = std::chrono::milliseconds(number("warm-up-ms"));
  settings.measured = std::chrono::milliseconds(number("measured-ms"));
  return settings;
}

/// "name":{n, p50, p99, max, how many are above the aim and the must}, in microseconds.
std::string summary(const char* name, Load::Times times) {
  if (times.empty()) throw std::runtime_error(std::string("nothing was measured: ") + name);
  std::ranges::sort(times);
  const auto at = [&](std::size_t percent) {
    return std::to_string(times[(times.size() - 1) * percent / 100].count());
  };
  const auto above = [&](std::chrono::milliseconds limit) {
    return std::to_string(times.end() - std::ranges::upper_bound(times, limit));
  };
  return std::string("\"") + name + R"(":{"n":)" + std::to_string(times.size()) + R"(,"p50_us":)" +
         at(50) + R"(,"p99_us":)" + at(99) + R"(,"max_us":)" + at(100) + R"(,"over_20_ms":)" +
         above(20ms) + R"(,"over_100_ms":)" + above(100ms) + "}";
}

}  // namespace

int main(int argc, char** argv) {
  try {
    asio::io_context loop(1);  // outlives the connections
    Load load(settings_of(arguments_of(argc, argv)));
    asio::co_spawn(loop, load.run(), [](const std::exception_ptr& error) {
      if (error) std::rethrow_exception(error);
    });
    loop.run();
    const Load::Result& result = load.result();
    const std::chrono::duration<double> took = result.last_sent - result.first_sent;
    std::cout << "{\"seconds\":" << took.count() << ",\"events\":" << result.events
              << ",\"refused\":" << result.refused << ",\"unseen\":" << result.unseen
              << ",\"looks\":" << result.looks << "," << summary("late", result.late) << ","
              << summary("answered", result.answered) << "," << summary("visible", result.visible)
              << "," << summary("whole", result.whole) << "}\n";
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "latency-load: %s\n", error.what());
    return 1;
  }
}
