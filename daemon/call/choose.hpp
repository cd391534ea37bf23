// Which lines may make a call, best first (rules.md, "Choosing"). Pure: what is known goes in, the
// lines or the refusal come out, each line with the reason that is stored with its attempt.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "call/calls.hpp"
#include "config.hpp"
#include "health/standing.hpp"

namespace cc {

struct Line {
  std::string channel, agent;
  std::string handset;  // leg A's phone number
  std::string reason;   // in words, for the timeline
  bool trial = false;   // takes one of the channel's trial calls
  std::string notice;   // not empty: no channel is whole, and the answer says so

  std::string line_resource() const { return channel + "/" + agent; }
};

/// A line that was made known with /v1/agents.
struct KnownLine {
  std::string channel, agent, handset;
  bool online = false;                    // of a channel without sessions: shall be
  std::string standing;                   // why it is not
  bool busy = false;                      // it or its handset is in a call
  std::optional<std::int64_t> busy_call;  // if that is the tenant's
};

/// A line of a binding. `known` is absent where nobody has made it known: a phone need not be.
struct BoundLine {
  std::string channel, agent;
  std::optional<KnownLine> known;
};

struct Bound {
  std::vector<BoundLine> lines;  // in order
  OptText phone;                 // leg A's, on channels whose line is no phone
  bool fallback = true;          // other lines will do where none of these is free
};

/// What the call needs of its channel.
struct Needs {
  bool hide_customer = false;  // A must not see B's number
  bool hide_agent = false;     // B must not see A's number
  bool record = false;
  bool max_duration = false;  // the request limits it
};

/// What a choice is made from.
struct Knowledge {
  std::vector<ChannelView> channels;  // enabled and allowed to the tenant
  std::vector<KnownLine> named;       // the tenant's lines of the requested agent's name
  std::optional<Bound> binding;       // of the requested user
  std::vector<KnownLine> pool;        // free lines, least recently used first
  bool pool_busy = false;             // there are lines in the pool, and all are in calls
  Needs needs;
  // Of an earlier attempt of the same call: not chosen again.
  std::set<std::string> tried_channels;
  std::set<std::string> tried_lines;  // "hw/291"
  double draw = 0;                    // in [0, 1): decides between equals by weight
};

/// The channels that the call may go to, best first: neither closed by an operator, nor unable, nor
/// tried before.
std::vector<const ChannelView*> usable_channels(const NewCall& request, const Knowledge& known);

/// At the end of them once more those that are trial calls: as a last resort, where others have had
/// the trials meanwhile.
std::vector<Line> with_last_resorts(std::vector<Line> lines);

/// At least one line, or why there is none.
std::variant<std::vector<Line>, Refusal> choose_lines(const NewCall& request,
                                                      const Knowledge& known);

}  // namespace cc
