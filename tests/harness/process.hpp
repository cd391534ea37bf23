// Processes and folders of a test. Processes end with it even when it crashes (the kernel sees to
// that); folders stay then.
#pragma once

#include <chrono>
#include <csignal>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace cc::test {

using Millis = std::chrono::milliseconds;

/// True as soon as `condition` is; false if it was not within `timeout`.
bool eventually(const std::function<bool()>& condition, Millis timeout = Millis{10000});

/// A folder under /tmp that everybody may walk through, removed with all that is in it.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  const std::string& path() const noexcept { return path_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

struct Launch {
  std::vector<std::string> command;             // an absolute path, then its arguments
  std::map<std::string, std::string> env = {};  // on top of ours
  std::string user = {};                        // empty = ours; needs root otherwise
  std::string directory = {};                   // empty = ours
  std::string output = {};   // a file for stdout and stderr, appended to; empty = /dev/null
  int end_signal = SIGTERM;  // what end() sends, and what the kernel sends it if we die
};

/// One child process. The destructor ends it.
class Process {
 public:
  /// Throws std::runtime_error if it cannot be started.
  explicit Process(Launch launch);
  ~Process();
  Process(const Process&) = delete;

  pid_t pid() const noexcept { return pid_; }
  bool running();
  void send(int signal);
  /// Its exit status (128 + signal, as a shell says), or nothing if it still runs.
  std::optional<int> wait(Millis timeout);
  /// Sends the end signal, SIGKILL after `grace`, and waits. Returns the exit status.
  int end(Millis grace = Millis{5000});

 private:
  Launch launch_;
  pid_t pid_ = -1;
  std::optional<int> status_;
};

struct Outcome {
  int status = -1;
  std::string output;  // stdout and stderr
};

/// Runs a command to its end; throws std::runtime_error when it takes longer than `timeout`.
Outcome run(Launch launch, Millis timeout = Millis{60000});

std::string read_file(const std::string& path);

/// A TCP port on 127.0.0.1 that nobody listens on just now.
unsigned short free_port();

}  // namespace cc::test
