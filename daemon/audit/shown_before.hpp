// Which calls a key was shown a moment ago: what an application polls is told of once. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace cc {

class ShownBefore {
 public:
  using Moment = std::chrono::steady_clock::time_point;

  /// Remembers each for `time`, and `most` of them at most: the oldest are forgotten first.
  ShownBefore(std::chrono::milliseconds time, std::size_t most) : time_(time), most_(most) {}

  /// Those of `calls` that were not shown to the key within the time, each once.
  std::vector<std::int64_t> fresh(const std::string& tenant, const std::string& key,
                                  std::vector<std::int64_t> calls, Moment now);

  void remember(const std::string& tenant, const std::string& key,
                const std::vector<std::int64_t>& calls, Moment now);

  std::size_t size() const noexcept { return order_.size(); }

 private:
  using Owner = std::pair<std::string, std::string>;  // tenant, key
  struct Known {
    Moment until;
    std::map<Owner, std::set<std::int64_t>>::iterator owner;
    std::int64_t call;
  };
  void forget_oldest();

  std::chrono::milliseconds time_;
  std::size_t most_;
  std::map<Owner, std::set<std::int64_t>> calls_;  // as long as something is remembered of it
  std::deque<Known> order_;                        // oldest first; one for each call in calls_
};

}  // namespace cc
