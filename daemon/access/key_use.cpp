#include "access/key_use.hpp"

#include <utility>
#include <vector>

#include "access/access_store.hpp"

namespace cc {
namespace {

constexpr std::int64_t pause_ms = 60'000;
constexpr std::int64_t forgotten_ms = 3'600'000;  // not used since: its next use is a first one

}  // namespace

void KeyUse::note(std::string_view digest, std::int64_t now_ms) {
  auto use = uses_.find(digest);
  if (use == uses_.end()) use = uses_.emplace(digest, Use{}).first;
  use->second.last = now_ms;
}

asio::awaitable<void> KeyUse::write(std::int64_t now_ms) {
  std::vector<std::pair<std::string, std::int64_t>> due;
  for (const auto& [digest, use] : uses_) {
    if (use.last > use.written && now_ms - use.written >= pause_ms) {
      due.emplace_back(digest, use.last);
    }
  }
  // Requests may add others meanwhile.
  if (!due.empty()) co_await write_used(pool_, due);
  for (const auto& [digest, at] : due) uses_[digest].written = at;
  std::erase_if(uses_, [&](const auto& entry) {
    return entry.second.last == entry.second.written && now_ms - entry.second.last > forgotten_ms;
  });
}

}  // namespace cc
