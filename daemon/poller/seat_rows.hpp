// The table `agent` as the owner of lines sees it: claimed, read, written back.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "io/pg.hpp"

namespace cc {

namespace asio = boost::asio;

using SeatKey = std::pair<std::string, std::string>;  // channel, agent

/// Who owns; each statement checks it.
struct SeatOwner {
  std::string id;
  std::int64_t epoch = 0;
};

struct SeatRow {
  std::string channel, agent, handset, desired;
  std::optional<std::string> password, session;  // sealed
  std::optional<std::string> actual, reason;
  std::optional<std::int64_t> since;
  std::int64_t generation = 0;
  bool orphan = false;  // claimed from an owner that died without handing over
};

struct SeatShare {
  std::int64_t ours = 0;   // lines that this daemon owns
  std::int64_t share = 0;  // of all that shall be online, among the living daemons
};

/// How the agents that shall be online stand, in the whole fleet.
struct SeatCount {
  std::string channel, actual;
  std::int64_t count = 0;
  std::string example, reason;  // of one of them
};

struct SeatWrite {
  std::string channel, agent;
  std::optional<std::string> session;  // sealed
  std::string actual, reason;
  std::int64_t since = 0;
  std::int64_t generation = 0;  // that this is about: a refusal of an older one is not written
  bool release = false;         // give the ownership up
  bool keep_session = false;    // `session` could not be sealed: what is stored stays
};

// All of these throw pg::Failure.

asio::awaitable<SeatShare> read_share(pg::Pool& pool, SeatOwner owner,
                                      std::vector<std::string> channels);

/// Up to `most` lines that nobody living owns: those that shall be online, and those that are still
/// signed in but shall not be.
asio::awaitable<std::vector<SeatRow>> claim_seats(pg::Pool& pool, SeatOwner owner,
                                                  std::vector<std::string> channels,
                                                  std::int64_t most);

/// Those of ours that were changed since then (epoch ms), and may be more.
asio::awaitable<std::vector<SeatRow>> read_changed(pg::Pool& pool, SeatOwner owner,
                                                   std::int64_t since_ms);

/// Which lines are ours, and the generation of each.
asio::awaitable<std::map<SeatKey, std::int64_t>> read_ours(pg::Pool& pool, SeatOwner owner);

/// Returns which were written: those that are ours, and no refusal of something older.
asio::awaitable<std::set<SeatKey>> write_seats(pg::Pool& pool, SeatOwner owner,
                                               std::vector<SeatWrite> writes);

/// Whether a call holds the line ("hw/291").
asio::awaitable<bool> line_in_call(pg::Pool& pool, std::string resource);

/// Gives up what we own but have no seat of: somebody, perhaps we, claims it anew.
asio::awaitable<void> release_seats(pg::Pool& pool, SeatOwner owner,
                                    std::vector<std::string> channels,
                                    std::vector<std::string> agents);

/// Agents that were deleted and are signed out by now.
asio::awaitable<void> remove_deleted(pg::Pool& pool);

/// Has the channel asked about the calls on these lines: an answer about them may have been lost
/// with their owner.
asio::awaitable<std::size_t> ask_about_calls(pg::Pool& pool, std::vector<std::string> resources,
                                             std::int64_t now_ms);

asio::awaitable<std::vector<SeatCount>> count_seats(pg::Pool& pool,
                                                    std::vector<std::string> channels);

}  // namespace cc
