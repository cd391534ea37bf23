// One request to the gateway while it is handled: what it asks for, and what is wrong with it.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "links.hpp"
#include "reply.hpp"

namespace gateway {

class World;
struct Agent;

enum class Function {
  signin,
  forcelogin,
  resetskill,
  signout,
  poll,
  callout,
  dropcall,
  release,
  query
};

struct Visit {
  World& world;
  Request const& request;
  Target const& target;
  Link const& link;
  Function function = Function::poll;
  std::uint32_t agent_id = 0;
  std::string call_id{};  // of dropcall and query

  // The name that outages and journal lines use.
  std::string_view name() const;
  void violation(std::string_view what, boost::json::object fields = {}) const;
  // What channels.md documents of header, query and body; each deviation is a violation.
  void check_form() const;
  // The body as an object, null if it is none. Members are checked against `kinds`:
  // {"name", "text|digits|flag|number…"}.
  struct Member {
    std::string_view name;
    std::string_view kind;
  };
  std::optional<boost::json::object> body(std::initializer_list<Member> members) const;
  void check_cookie(std::string const& expected) const;
};

// A string member's text, or "".
std::string text_in(boost::json::object const& object, std::string_view name);
// Lower case and without spaces, so that "application/json;charset=utf-8" is the same.
std::string plain(std::string_view text);
bool is_digits(std::string_view text);

}  // namespace gateway
