#include "second_daemon.hpp"

#include <fstream>
#include <stdexcept>

namespace cc::test {
namespace {

/// The line that begins like this, with `text` behind that.
void set_line(std::string& yaml, const std::string& begins, const std::string& text) {
  const std::size_t at = yaml.find(begins);
  if (at == std::string::npos) throw std::runtime_error("cc.yaml has no \"" + begins + "\"");
  yaml.replace(at, yaml.find('\n', at) - at, begins + text);
}

}  // namespace

SecondDaemon::SecondDaemon(const Stack& stack, const std::string& name)
    : name_(name), key_(stack.env("CC_KEY")) {
  const std::string file = folder_.file(name + ".yaml");
  for (int tries = 0; tries < 5; ++tries) {  // somebody else may be quicker at a free port
    const std::string address = "127.0.0.1:" + std::to_string(free_port());
    url_ = "http://" + address;
    std::string yaml = read_file(stack.env("CC_DIR") + "/conf/cc.yaml");
    set_line(yaml, "  id: ", name);
    set_line(yaml, "  listen: ", "[\"" + address + "\"]");
    std::ofstream(file) << yaml;
    process_ = std::make_unique<Process>(Launch{.command = {stack.env("CC_CCD"), "--config", file},
                                                .output = folder_.file(name + ".log")});
    const bool ready = eventually(
        [&] { return !process_->running() || send({.url = url_ + "/readyz"}).status == 200; });
    if (ready && process_->running()) return;
  }
  throw std::runtime_error("a further ccd does not become ready:\n" + log());
}

Answer SecondDaemon::get(const std::string& path) const {
  return send({.url = url_ + path, .headers = {"Authorization: Bearer " + key_}});
}

Call SecondDaemon::post_later(const std::string& path, const std::string& body,
                              const std::vector<std::string>& headers) const {
  Call call{.method = "POST", .url = url_ + path, .body = body, .headers = headers};
  call.headers.push_back("Authorization: Bearer " + key_);
  return call;
}

Answer SecondDaemon::post(const std::string& path, const std::string& body,
                          const std::vector<std::string>& headers) const {
  return send(post_later(path, body, headers));
}

std::string SecondDaemon::log() const {
  return read_file(folder_.file(name_ + ".log"));
}

}  // namespace cc::test
