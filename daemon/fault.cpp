#include "fault.hpp"

#include <array>
#include <csignal>
#include <cstdlib>
#include <map>
#include <stdexcept>
#include <string>
#include <unistd.h>

namespace cc {
namespace {

constexpr std::array<std::string_view, 22> names{
    "call.before_create",
    "call.created",
    "attempt.before_sending",
    "attempt.sending",
    "attempt.answered",
    "attempt.before_outcome",
    "attempt.outcome",
    "attempt.before_next",
    "attempt.next",
    "dispatch.read",
    "dispatch.locked",
    "dispatch.folded",
    "dispatch.before_commit",
    "dispatch.committed",
    "dispatch.trimmed",
    "merge.moved",
    "poller.read",
    "poller.stored",
    "recording.taken",
    "recording.begun",
    "recording.uploaded",
    "recording.stored",
};

}  // namespace

std::span<const std::string_view> fault_points() {
  return names;
}

#ifdef CC_FAULTS
namespace {

// name → passings left until it strikes
std::map<std::string, int, std::less<>> read_environment() {
  std::map<std::string, int, std::less<>> armed;
  const char* text = std::getenv("CC_FAULT");  // NOLINT(concurrency-mt-unsafe): before any thread
  std::string_view rest = text != nullptr ? text : "";
  while (!rest.empty()) {
    const std::string_view item = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), item.size() + 1));
    const std::string_view name = item.substr(0, item.find(':'));
    const int passings = name.size() < item.size() ? std::atoi(item.data() + name.size() + 1) : 1;
    armed.emplace(name, passings > 0 ? passings : 1);
  }
  return armed;
}

}  // namespace

void fault_point(std::string_view name) {
  static auto armed = read_environment();
  if (armed.empty()) return;
  const auto found = armed.find(name);
  if (found == armed.end() || --found->second > 0) return;
  ::kill(::getpid(), SIGKILL);
}
#endif

}  // namespace cc
