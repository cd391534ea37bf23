// For both simulators.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string_view>

namespace chance {

// Chance that a text decides: what is drawn for a call doesn't depend on the calls around it. Not
// the standard's distributions, whose numbers differ between libraries.
class Dice {
 public:
  explicit Dice(std::string_view text) {
    std::uint64_t hash = 14695981039346656037ULL;  // FNV-1a
    for (char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
    engine_.seed(hash);
  }
  double share() { return static_cast<double>(engine_() >> 11) * 0x1p-53; }
  bool hits(double probability) { return share() < probability; }
  std::int64_t between(std::int64_t least, std::int64_t most) {
    return least + static_cast<std::int64_t>(share() * static_cast<double>(most - least + 1));
  }
  template <class List>
  auto one_of(List const& list) {
    return list[static_cast<std::size_t>(share() * static_cast<double>(list.size()))];
  }
  // The index that a list of exclusive probabilities gives, or the list's size.
  template <class List>
  std::size_t pick(List const& probabilities) {
    double left = share();
    for (std::size_t i = 0; i < probabilities.size(); ++i) {
      left -= probabilities[i];
      if (left < 0) return i;
    }
    return probabilities.size();
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace chance
