// The faults of the whole platform that a test switches on and off.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "script.hpp"

namespace jiuyun {

// Of one function.
struct Outage {
  enum class Kind { none, hang, drop, error, refuse };
  Kind kind = Kind::none;
  unsigned int status = 503;    // of `error`
  std::string code = "900122";  // of `refuse`
  bool dialled = false;         // an originate's phones ring in spite of it
  std::string text;             // as it was asked for

  // The answer doesn't wait for the checks: nothing behind them happens.
  bool at_the_gate() const { return kind != Kind::none && kind != Kind::refuse && !dialled; }
};

class Outages {
 public:
  // Keys left out stay. Throws std::runtime_error that names the key, and then changes nothing.
  void apply(boost::json::value const& document);
  boost::json::object to_json() const;

  Outage of(std::string const& function) const;  // originate, cancel, query
  bool loses(std::string_view label) const;
  bool connections_refused() const { return connections_refused_; }
  std::int64_t originate_delay_ms() const { return originate_delay_ms_; }  // not divided by --speed
  // What they make of an originate that passed the checks.
  void lay_on(Script& script, double speed) const;

 private:
  bool connections_refused_ = false;
  std::map<std::string, Outage> functions_;
  std::int64_t originate_delay_ms_ = 0;
  bool slow_dials_ = true;
  std::optional<int> ends_;
  bool ends_ring_ = false;
  std::vector<std::string> lost_;
};

}  // namespace jiuyun
