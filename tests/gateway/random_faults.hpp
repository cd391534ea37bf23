// Faults drawn anew for each callout, for tests that drive many calls through them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "script.hpp"

namespace gateway {

class Fields;

// What one callout drew.
struct Lot {
  enum class Answer {
    plain,
    refuse,        // with a retcode that says it was never dialled
    refuse_other,  // with any other
    error,
    error_dialled,
    drop,
    drop_dialled,
    hang,
    hang_dialled
  };
  Answer answer = Answer::plain;
  std::string code;          // of refusals
  unsigned int status = 0;   // of errors
  std::int64_t slow_ms = 0;  // not divided by --speed
  std::optional<Ends> ends;
  std::vector<std::string> lose;  // eventTypes
  bool doubled = false;
  std::int64_t ordinal = 0;  // of the callouts from this agent to that number

  void lay_on(Script& script, double speed) const;
  boost::json::object to_json() const;
};

class RandomFaults {
 public:
  bool on() const { return on_; }
  void off() { *this = RandomFaults{}; }
  // Replaces all of it; what is left out has the probability 0. Throws BadInput.
  void set(boost::json::value const& document);
  boost::json::object to_json() const;

  // The same lot for the same seed, agent, number and ordinal, whatever other calls there are.
  Lot draw(std::uint32_t agent, std::string const& called);

 private:
  static constexpr std::size_t answer_count = 8;  // of Lot::Answer, without plain

  bool on_ = false;
  std::uint64_t seed_ = 0;
  std::array<double, answer_count> answers_{};
  double slow_ = 0;
  std::array<std::int64_t, 2> slow_ms_{1000, 5000};  // from, to
  std::array<double, 4> ends_{};                     // in the order of Ends
  double lose_ = 0;                                  // of each event
  double double_ = 0;
  std::unordered_map<std::string, std::int64_t> drawn_;
};

}  // namespace gateway
