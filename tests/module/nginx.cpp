#include "nginx.hpp"

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <sys/stat.h>
#include <unistd.h>

#include "http.hpp"

namespace cc::test {
namespace {

const std::string binary = "/usr/sbin/nginx";
#ifdef CC_TEST_PRELOAD
// NGINX hands only what is named to the binary that it changes to.
const std::string keeps_environment = "env LD_PRELOAD; env ASAN_OPTIONS; env UBSAN_OPTIONS;";
#else
const std::string keeps_environment;
#endif

void replace(std::string& text, const std::string& name, const std::string& value) {
  for (auto at = text.find(name); at != std::string::npos;
       at = text.find(name, at + value.size())) {
    text.replace(at, name.size(), value);
  }
}

/// This build's, or another one that CC_TEST_MODULE names: that of NGINX's own configure.
std::string module_path() {
  const char* other = std::getenv("CC_TEST_MODULE");
  return other != nullptr ? other : CC_TEST_MODULE;
}

std::string configuration(const TempDir& folder, const NginxSettings& settings,
                          unsigned short port) {
  std::string text = read_file(CC_TEST_TEMPLATE);
  // So that the temporary folder, which is ours, can be read by workers as well.
  replace(text, "@USER@", (::geteuid() == 0 ? "user root;\n" : "") + settings.before);
  replace(text, "@MODULE@", module_path());
  if (settings.daemon) replace(text, "daemon off;", keeps_environment);
  replace(text, "@WORKERS@", std::to_string(settings.workers));
  replace(text, "@MAIN@", settings.main);
  replace(text, "@SPOOL@", settings.spool);
  replace(text, "@HTTP@", settings.http);
  replace(text, "@CHANNEL@", settings.channel);
  replace(text, "@SERVER@", settings.server);
  replace(text, "@PORT@", std::to_string(port));
  replace(text, "@DIR@", folder.path());
  return text;
}

void write(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
  ::chmod(path.c_str(), 0600);
}

Launch launch(const TempDir& folder, const std::string& file, std::vector<std::string> more = {},
              std::map<std::string, std::string> env = {}) {
  std::vector<std::string> command{binary, "-p", folder.path(), "-e", folder.file("error.log"),
                                   "-c",   file};
  command.insert(command.end(), more.begin(), more.end());
  Launch launch{
      .command = std::move(command), .env = std::move(env), .output = folder.file("stderr.log")};
#ifdef CC_TEST_PRELOAD
  auto& preload = launch.env["LD_PRELOAD"];
  preload = preload.empty() ? CC_TEST_PRELOAD : CC_TEST_PRELOAD + std::string(":") + preload;
  // NGINX leaves its pools to the kernel when it exits.
  launch.env["ASAN_OPTIONS"] = "detect_leaks=0:abort_on_error=1";
#endif
  return launch;
}

}  // namespace

std::vector<pid_t> children_of(pid_t parent) {
  const std::string id = std::to_string(parent);
  std::istringstream children(read_file("/proc/" + id + "/task/" + id + "/children"));
  std::vector<pid_t> all;
  for (pid_t child = 0; children >> child;) all.push_back(child);
  return all;
}

Nginx::Nginx(NginxSettings settings) : settings_(std::move(settings)) {
  for (int attempt = 0; attempt < 5; ++attempt) {
    port_ = free_port();  // somebody may take it before NGINX does
    write_files();
    Launch start = launch(folder_, folder_.file("nginx.conf"), {}, settings_.env);
    start.command.insert(start.command.begin(), settings_.under.begin(), settings_.under.end());
    if (settings_.daemon) start.command.insert(start.command.begin(), CC_TEST_KEEPER);
    process_ = std::make_unique<Process>(std::move(start));
    // It listens before it handles signals; its pid is written after both.
    bool up = eventually([this] {
      return !process_->running() || (Connection::opens(socket()) && pid_in_file() > 0);
    });
    if (up && process_->running()) return;
    if (error_log().find("in use") == std::string::npos) break;
    process_->end();
    write(folder_.file("error.log"), "");
  }
  throw std::runtime_error("NGINX does not start:\n" + error_log() +
                           read_file(folder_.file("stderr.log")));
}

Nginx::~Nginx() = default;

void Nginx::write_files() {
  write(folder_.file("nginx.conf"), configuration(folder_, settings_, port_));
  write(folder_.file("e9.tokens"), "# two at a time\n" + token_now + "\n\n  " + token_next + "\n");
}

pid_t Nginx::pid_in_file() const {
  pid_t master = 0;
  std::istringstream(read_file(folder_.file("nginx.pid"))) >> master;
  return master;
}

pid_t Nginx::pid() const {
  return settings_.daemon ? pid_in_file() : process_->pid();
}

void Nginx::send(int signal) {
  if (!settings_.daemon) return process_->send(signal);
  if (pid_t master = pid(); master > 0) ::kill(master, signal);  // 0 would be our own group
}

int Nginx::wait_for_end(Millis timeout) {
  auto status = process_->wait(timeout);
  if (!status) throw std::runtime_error("NGINX does not end");
  return *status;
}

std::string Nginx::bad_lines() const {
  std::istringstream lines(error_log() + read_file(folder_.file("stderr.log")));
  std::string bad;
  for (std::string line; std::getline(lines, line);) {
    if (line.find("exited on signal 9") != std::string::npos) continue;  // the test's own doing
    for (const char* sign : {"[alert]", "[crit]", "[emerg]", "Sanitizer", "runtime error"}) {
      if (line.find(sign) != std::string::npos) bad += line + "\n";
    }
  }
  return bad;
}

Outcome check_file(const TempDir& folder, const std::string& path) {
  auto test = launch(folder, path, {"-t"});
  test.output.clear();  // run() gives it a file
  return run(std::move(test));
}

Outcome check_configuration(const TempDir& folder, const NginxSettings& settings) {
  write(folder.file("nginx.conf"), configuration(folder, settings, 1));
  return check_file(folder, folder.file("nginx.conf"));
}

}  // namespace cc::test
