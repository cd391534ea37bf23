// keeper COMMAND ARGUMENT…: runs a command that puts itself into the background, and stays for as
// long as anything that it has left behind lives: orphans become its children. So a test can wait
// for a daemon and end it, and one that dies leaves nothing running.
//
// SIGTERM is passed on to all of them; what is still there after three seconds is killed.
#include <cerrno>
#include <csignal>
#include <ctime>
#include <fstream>
#include <string>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

constexpr int rounds_of_grace = 60;  // of 50 ms

void send_to_children(int signal) {
  const std::string self = std::to_string(::getpid());
  std::ifstream children("/proc/" + self + "/task/" + self + "/children");
  for (pid_t child = 0; children >> child;) ::kill(child, signal);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2 || ::prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) return 2;
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGTERM);
  ::sigaddset(&signals, SIGCHLD);
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
  const pid_t command = ::fork();
  if (command < 0) return 2;
  if (command == 0) {
    ::sigprocmask(SIG_UNBLOCK, &signals, nullptr);
    ::execv(argv[1], argv + 1);
    ::_exit(127);
  }
  int result = 0;
  for (int rounds_since_end = -1;;) {
    int raw = 0;
    pid_t ended = 0;
    while ((ended = ::waitpid(-1, &raw, WNOHANG)) > 0) {
      if (ended == command) result = WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
    }
    if (ended < 0 && errno == ECHILD) return result;
    if (rounds_since_end >= 0 && ++rounds_since_end > rounds_of_grace) send_to_children(SIGKILL);
    const timespec pause{0, 50'000'000};
    if (::sigtimedwait(&signals, nullptr, &pause) == SIGTERM && rounds_since_end < 0) {
      rounds_since_end = 0;
      send_to_children(SIGTERM);
    }
  }
}
