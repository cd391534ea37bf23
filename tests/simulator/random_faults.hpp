// Faults drawn anew for each originate, for tests that drive many calls through them.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "script.hpp"

namespace jiuyun {

// What one originate drew.
struct Lot {
  enum class Answer {
    plain,
    refuse,          // with a code that says it was never dialled
    refuse_number,   // because of from or to
    refuse_display,  // because of a display number
    error,
    error_dialled,
    drop,
    drop_dialled,
    hang,
    hang_dialled
  };
  Answer answer = Answer::plain;
  std::string code;               // of refusals
  unsigned int status = 0;        // of errors
  std::int64_t slow_ms = 0;       // not divided by --speed, like late_ms
  int ends = 0;                   // byeType; 0 = as the script says
  bool ends_ring = false;         // A rings first
  std::vector<std::string> lose;  // callbacks' labels
  bool doubled = false;
  bool reordered = false;
  std::int64_t late_ms = 0;
  std::int64_t ordinal = 0;  // of the originates from this number to that one

  void lay_on(Script& script, double speed) const;
  boost::json::object to_json() const;
};

class RandomFaults {
 public:
  bool on() const { return on_; }
  void off() { *this = RandomFaults{}; }
  // Replaces all of it; what is left out has the probability 0. Throws std::runtime_error.
  void set(boost::json::value const& document);
  boost::json::object to_json() const;

  // The same lot for the same seed, numbers and ordinal, whatever other calls there are.
  Lot draw(std::string const& from, std::string const& to);

 private:
  struct Range {
    std::int64_t least = 1000;
    std::int64_t most = 5000;
  };
  static void read_range(boost::json::value const* value, std::string const& key, Range& into);

  bool on_ = false;
  std::uint64_t seed_ = 0;
  std::array<double, 9> answers_{};  // in the order of Lot::Answer, without plain
  double slow_ = 0;
  Range slow_ms_;
  std::array<double, 2> ends_{};  // 6, 7
  std::array<double, 4> lose_{};  // by label, without CallInvite
  double double_ = 0;
  double reorder_ = 0;
  double late_ = 0;
  Range late_ms_;
  std::unordered_map<std::string, std::int64_t> drawn_;
};

}  // namespace jiuyun
