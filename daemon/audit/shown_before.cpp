#include "shown_before.hpp"

#include <algorithm>

namespace cc {

std::vector<std::int64_t> ShownBefore::fresh(const std::string& tenant, const std::string& key,
                                             std::vector<std::int64_t> calls, Moment now) {
  while (!order_.empty() && order_.front().until <= now) forget_oldest();
  std::sort(calls.begin(), calls.end());
  calls.erase(std::unique(calls.begin(), calls.end()), calls.end());
  const auto owner = calls_.find(Owner(tenant, key));
  if (owner != calls_.end()) {
    std::erase_if(calls, [&](std::int64_t call) { return owner->second.contains(call); });
  }
  return calls;
}

void ShownBefore::remember(const std::string& tenant, const std::string& key,
                           const std::vector<std::int64_t>& calls, Moment now) {
  for (const std::int64_t call : calls) {
    while (order_.size() >= most_) forget_oldest();
    // Looked up anew each time: making room may have taken the owner away.
    const auto owner = calls_.try_emplace(Owner(tenant, key)).first;
    if (owner->second.insert(call).second) order_.push_back({now + time_, owner, call});
  }
}

void ShownBefore::forget_oldest() {
  const Known& known = order_.front();
  known.owner->second.erase(known.call);
  if (known.owner->second.empty()) calls_.erase(known.owner);
  order_.pop_front();
}

}  // namespace cc
