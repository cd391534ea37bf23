// What applications and operators may do with agents: the lines of a channel. The API calls this;
// nothing in here knows HTTP.
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

struct Agent {
  std::string channel, agent, tenant;
  OptText handset;            // canonical number that rings on leg A
  bool has_password = false;  // which is never told
  std::string desired;        // online, offline
  OptText actual, reason;     // see conf/sql/006_agents.sql; null for a line without a session
  OptMs since;                // when `actual` became what it is
  std::int64_t updated = 0;   // epoch ms
  std::optional<std::int64_t> call;  // that the line is in
};

/// What an agent shall be. Checked by check_agent() (agent_check.hpp).
struct AgentWish {
  std::string tenant, channel, agent;
  OptText handset;   // as given; absent = it stays, or for a line that is a phone: the line itself
  OptText password;  // absent = it stays
  std::optional<bool> online;  // absent = it stays; of a new one: online
};

/// Why an agent could not be changed. `code` is fixed.
struct AgentRefusal {
  enum class Code {
    invalid,          // `field` is wrong
    unknown_channel,  // does not exist or is not the tenant's
    not_found,        // no such agent of this tenant; another tenant's counts as none
    line_busy,        // a call is in progress on it
    no_key,           // a password cannot be sealed: agents.key is not configured
  } code;
  std::string field;   // what it is about: "agent", "handset", "password", "desired", "channel"
  std::string detail;  // what is wrong with it and the remedy; no whole number, never a password
  std::optional<std::int64_t> busy_call;
};

struct AgentFilter {
  OptText channel, actual;             // absent = all
  OptText after_channel, after_agent;  // of the last one of the page before
  int limit = 100;
};

/// To free a line that holds on to a call which is over (rules.md, "Claims").
struct ReleaseOrder {
  std::string tenant, channel, agent;
  OptText reason;  // why, for the call's timeline
  std::string request_id;
};

struct Release {
  Agent agent;                       // of a line that nobody made known: channel and agent only
  std::optional<std::int64_t> call;  // that held the line; nothing = it was free
};

class Agents {
 public:
  virtual ~Agents() = default;
  // All methods throw pg::Failure while PostgreSQL is away.

  struct Put {
    Agent agent;
    bool created = false;
  };
  /// Makes or changes one. A refused agent (wrong password, locked) is tried again after this.
  virtual asio::awaitable<std::variant<Put, AgentRefusal>> put(AgentWish wish) = 0;

  /// Nothing where it is not there or is another tenant's.
  virtual asio::awaitable<std::optional<Agent>> get(std::string tenant, std::string channel,
                                                    std::string agent) = 0;
  /// By channel, then agent.
  virtual asio::awaitable<std::vector<Agent>> list(std::string tenant, AgentFilter filter) = 0;

  /// Its owner signs it out. Nothing = done (or begun).
  virtual asio::awaitable<std::optional<AgentRefusal>> remove(std::string tenant,
                                                              std::string channel,
                                                              std::string agent) = 0;

  /// Tells the owner of a refused or failing agent to try again now.
  virtual asio::awaitable<std::variant<Agent, AgentRefusal>> retry(std::string tenant,
                                                                   std::string channel,
                                                                   std::string agent) = 0;

  /// Releases what the call on this line holds, has the channel asked first how that call ended,
  /// and notes it in the call's timeline. A line that is no agent (a phone) can be released too,
  /// if the call is the tenant's. Where the line is free, nothing happens.
  virtual asio::awaitable<std::variant<Release, AgentRefusal>> release(ReleaseOrder order) = 0;
};

}  // namespace cc
