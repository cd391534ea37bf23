#include "process.hpp"

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <grp.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sstream>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace cc::test {
namespace {

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (std::string& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

std::vector<std::string> environment(const std::map<std::string, std::string>& added) {
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    if (!added.contains(text.substr(0, text.find('=')))) all.push_back(text);
  }
  for (const auto& [name, value] : added) all.push_back(name + "=" + value);
  return all;
}

}  // namespace

bool eventually(const std::function<bool()>& condition, Millis timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  for (Millis pause{1};; pause = std::min(pause * 2, Millis{50})) {
    if (condition()) return true;
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(pause);
  }
}

TempDir::TempDir() {
  std::string pattern = "/tmp/cc-test-XXXXXX";
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
  path_ = pattern;
  ::chmod(path_.c_str(), 0711);  // a server may run as another user
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Process::Process(Launch launch) : launch_(std::move(launch)) {
  std::vector<std::string> env = environment(launch_.env);
  const auto argv = pointers(launch_.command), envp = pointers(env);
  const passwd* account = nullptr;
  if (!launch_.user.empty()) {
    account = ::getpwnam(launch_.user.c_str());
    if (account == nullptr) throw std::runtime_error("no user " + launch_.user);
  }
  std::array<int, 2> report{};  // carries errno when the child cannot become the command
  if (::pipe2(report.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe");
  const std::string output = launch_.output.empty() ? "/dev/null" : launch_.output;
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) throw std::runtime_error("fork");
  if (pid_ == 0) {
    const int in = ::open("/dev/null", O_RDONLY);
    const int out = ::open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
    bool fine = in >= 0 && out >= 0 && ::dup2(in, 0) == 0 && ::dup2(out, 1) == 1 &&
                ::dup2(out, 2) == 2 && ::setpgid(0, 0) == 0;
    if (fine && account != nullptr) {
      fine = ::setgroups(0, nullptr) == 0 && ::setgid(account->pw_gid) == 0 &&
             ::setuid(account->pw_uid) == 0;
    }
    if (fine && !launch_.directory.empty()) fine = ::chdir(launch_.directory.c_str()) == 0;
    // After setuid, which clears it.
    if (fine) fine = ::prctl(PR_SET_PDEATHSIG, launch_.end_signal) == 0;
    if (fine && ::getppid() != parent) ::_exit(127);
    ::signal(SIGPIPE, SIG_DFL);
    if (fine) ::execve(argv.front(), argv.data(), envp.data());
    const int error = errno;
    [[maybe_unused]] const auto written = ::write(report[1], &error, sizeof error);
    ::_exit(127);
  }
  ::close(report[1]);
  int error = 0;
  const auto got = ::read(report[0], &error, sizeof error);
  ::close(report[0]);
  if (got > 0) {
    ::waitpid(pid_, nullptr, 0);
    status_ = 127;
    throw std::runtime_error(launch_.command.front() + ": " + std::strerror(error));
  }
}

Process::~Process() {
  end();
}

bool Process::running() {
  return !wait(Millis{0});
}

void Process::send(int signal) {
  if (running()) ::kill(pid_, signal);
}

std::optional<int> Process::wait(Millis timeout) {
  eventually(
      [this] {
        int raw = 0;
        if (!status_ && ::waitpid(pid_, &raw, WNOHANG) == pid_) {
          status_ = WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
        }
        return status_.has_value();
      },
      timeout);
  return status_;
}

int Process::end(Millis grace) {
  send(launch_.end_signal);
  if (!wait(grace)) send(SIGKILL);
  while (!wait(Millis{1000})) continue;
  return *status_;
}

Outcome run(Launch launch, Millis timeout) {
  const TempDir folder;
  ::chmod(folder.path().c_str(), 0777);
  const std::string output = folder.file("output");
  launch.output = output;
  const std::string name = launch.command.front();
  Process process(std::move(launch));
  const auto status = process.wait(timeout);
  if (!status) throw std::runtime_error(name + " took too long:\n" + read_file(output));
  return {*status, read_file(output)};
}

std::string read_file(const std::string& path) {
  const std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

unsigned short free_port() {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* plain = reinterpret_cast<sockaddr*>(&address);
  const bool fine =
      ::bind(listener, plain, length) == 0 && ::getsockname(listener, plain, &length) == 0;
  ::close(listener);
  if (!fine) throw std::runtime_error("no free port");
  return ntohs(address.sin_port);
}

}  // namespace cc::test
