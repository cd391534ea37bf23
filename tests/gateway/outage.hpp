// The faults of the whole gateway that a test switches on and off.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "script.hpp"

namespace gateway {

struct Outage {
  enum class Kind { none, http, hang, drop, retcode };

  Kind kind = Kind::none;
  unsigned int status = 500;        // of Kind::http
  std::string code = "105-005";     // what Kind::retcode answers
  std::set<std::string> functions;  // none named = all
  bool dialled = false;             // a callout's phones ring in spite of it

  bool connections_refused = false;
  std::int64_t callout_delay_ms = 0;  // not divided by --speed
  bool slow_dials = true;             // the phones ring before the late answer
  std::optional<Ends> ends;           // of every call
  std::vector<std::string> lose;      // eventTypes

  // The answer to that function waits for nothing: what is behind it doesn't happen.
  bool hits(std::string const& function) const;
  // Members left out stay; kind, code, functions and dialled come together. Throws BadInput.
  void apply(boost::json::value const& value);
  boost::json::object to_json() const;
  // What it makes of a callout that it let pass.
  void lay_on(Script& script, double speed) const;

 private:
  bool names(std::string const& function) const {
    return kind != Kind::none && (functions.empty() || functions.contains(function));
  }
};

}  // namespace gateway
