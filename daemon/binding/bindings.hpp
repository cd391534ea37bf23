// Which lines a user of an application calls on (用户-坐席-渠道). The API calls this; nothing in here
// knows HTTP.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "record.hpp"

namespace cc {

namespace asio = boost::asio;

inline constexpr std::size_t most_bound_lines = 8;

struct Binding {
  struct Line {
    std::string channel, agent;  // of a channel whose line is a phone: its canonical number
    bool operator==(const Line&) const = default;
  };
  std::string tenant, user;
  std::vector<Line> lines;  // in order: the first that is free on a channel that is whole
  OptText phone;            // canonical; leg A's where the line is no phone
  bool fallback = true;     // auto: other lines will do where none of these can; false: never
  std::int64_t updated = 0; // epoch ms
};

/// Why a binding could not be made. `code` is fixed.
struct BindingRefusal {
  enum class Code {
    invalid,          // `field` is wrong
    unknown_channel,  // does not exist or is not the tenant's
    unknown_line,     // a seat that is no agent of this tenant
    not_found,        // no such binding
  } code;
  std::string field;   // "user", "lines[1].agent", "phone", "fallback"
  std::string detail;  // what is wrong with it and the remedy; no whole number
};

struct BindingFilter {
  OptText channel, agent;  // bound to such a line
  OptText prefix;          // of the user
  OptText after_user;      // the last one of the page before
  int limit = 100;
};

class Bindings {
 public:
  virtual ~Bindings() = default;
  // All methods throw pg::Failure while PostgreSQL is away.

  struct Put {
    Binding binding;
    bool created = false;
  };
  virtual asio::awaitable<std::variant<Put, BindingRefusal>> put(Binding wish) = 0;
  /// Nothing where there is none, or it is another tenant's.
  virtual asio::awaitable<std::optional<Binding>> get(std::string tenant, std::string user) = 0;
  /// By user.
  virtual asio::awaitable<std::vector<Binding>> list(std::string tenant, BindingFilter filter) = 0;
  /// False where there is none.
  virtual asio::awaitable<bool> remove(std::string tenant, std::string user) = 0;
};

}  // namespace cc
