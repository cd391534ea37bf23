// A request to the control API while it is answered. Everything here throws BadInput.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "reply.hpp"

namespace gateway {

class World;
struct Agent;

struct Ask {
  World& world;
  Request const& request;
  Target const& target;
  std::string name;  // what stands behind the folder: an agent, a number, a call

  boost::json::value body() const;
  std::string in_query(std::string_view key) const;  // "" if absent
  std::int64_t number(std::string_view key, std::int64_t otherwise, std::int64_t most) const;
  // The agent, the signed-in agent, the called number that `name` is.
  Agent& agent() const;
  Agent& signed_in_agent() const;
  std::string phone_number() const;
  // A journal line of what was changed.
  void note(std::string_view what, boost::json::object fields = {}) const;
};

}  // namespace gateway
