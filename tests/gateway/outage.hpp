// A fault of the whole gateway, or of some of its functions.
#pragma once

#include <set>
#include <string>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

namespace gateway {

struct Outage {
  enum class Kind { none, http500, hang, drop, retcode };

  Kind kind = Kind::none;
  std::string code = "105-005";     // what Kind::retcode answers
  std::set<std::string> functions;  // none named = all

  bool hits(std::string const& function) const {
    return kind != Kind::none && (functions.empty() || functions.contains(function));
  }
  // Throws BadInput.
  static Outage read(boost::json::value const& value);
  boost::json::object to_json() const;
};

}  // namespace gateway
