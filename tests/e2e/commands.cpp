#include "commands.hpp"

#include <stdexcept>

namespace cc::test {

Outcome ccd_command(const Stack& stack, const std::vector<std::string>& words) {
  Launch launch;
  launch.command = {stack.env("CC_CCD"), "--config", stack.env("CC_DIR") + "/conf/cc.yaml"};
  launch.command.insert(launch.command.end(), words.begin(), words.end());
  return run(launch);
}

std::string made_key(const Stack& stack, const std::vector<std::string>& words) {
  constexpr std::size_t length = 47;
  const Outcome made = ccd_command(stack, words);
  const std::size_t at = made.output.find("cck_");
  if (made.status != 0 || at == std::string::npos) throw std::runtime_error(made.output);
  return made.output.substr(at, length);
}

Call with_key(const Stack& stack, const std::string& key, const std::string& method,
              const std::string& path, const std::string& body, const std::string& base) {
  Call call;
  call.method = method;
  call.url = (base.empty() ? stack.env("CC_API") : base) + path;
  call.body = body;
  call.headers = {"Authorization: Bearer " + key};
  return call;
}

}  // namespace cc::test
