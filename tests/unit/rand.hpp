// Random input for the tests: fixed seeds, so that a failure comes again.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>

namespace cc::test {

class Rand {
 public:
  explicit Rand(std::uint64_t seed) : engine_(seed) {}

  /// 0 … below - 1.
  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(engine_() % bound); }
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(engine_);
  }
  bool one_in(std::size_t n) { return below(n) == 0; }

  std::string bytes(std::size_t length) {
    std::string out(length, '\0');
    for (char& c : out) c = static_cast<char>(below(256));
    return out;
  }

  std::string text(std::size_t length) {
    // With what is special in JSON, XML, envelopes and UTF-8.
    static constexpr std::string_view pieces[] = {"a",  "Z",    "7",  " ",  "\"",       "\\",
                                                  "\n", "<",    "&",  "%",  "\xC3\xA9", "玖云",
                                                  "-",  "\x01", "{}", "\t", "😀",        "null"};
    std::string out;
    for (std::size_t i = 0; i < length; ++i) out += pieces[below(std::size(pieces))];
    return out;
  }

  template <class Range>
  const auto& pick(const Range& range) {
    return range[below(std::size(range))];
  }

  std::mt19937_64& engine() { return engine_; }

 private:
  std::mt19937_64 engine_;
};

}  // namespace cc::test
