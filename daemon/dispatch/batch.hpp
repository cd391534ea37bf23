// A batch of stream entries becomes records: understand, find each event's call, and commit all of
// it with the cursor in one transaction (rules.md, "Draining: exactly once").
#pragma once

#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "channel/channels.hpp"
#include "dispatch/canary_arrival.hpp"
#include "dispatch/merge.hpp"
#include "dispatch/stream.hpp"
#include "event.hpp"
#include "io/pg.hpp"
#include "store/record_store.hpp"

namespace cc {

/// An event with the envelope of its delivery.
struct FoundEvent {
  ChannelEvent found;
  std::string channel;
  std::string raw;
};

/// A delivery that nobody could read.
struct Unreadable {
  std::string key;  // its delivery key, 16 bytes
  std::string channel;
  std::string reason;
  std::int64_t received_ms = 0;
  std::string raw;
};

struct Batch {
  std::vector<FoundEvent> events;
  std::vector<Unreadable> unreadable;
  std::vector<CanaryArrival> canaries;  // only that they came is kept
  std::size_t deliveries = 0;           // without canaries
  std::size_t ignored = 0;
  std::int64_t oldest_received_ms = 0;
};

/// Pure: what the entries say. Never fails; what can't be read is `unreadable`.
Batch understand_batch(const std::vector<StreamEntry>& entries, const Channels& channels,
                       std::int64_t now_ms);

/// The same entry as a dead letter, when PostgreSQL would not take what it says.
Batch give_up_on(const StreamEntry& entry, const std::string& reason, std::int64_t now_ms);

/// Who commits: a cursor is only moved by its owner, from where the owner read.
struct CursorHold {
  std::string stream;
  std::string owner;
  std::int64_t epoch = 0;
};

struct CommitReport {
  bool cursor_moved = true;  // false: the cursor is not where we read from, or not ours any more
  FoldReport fold;
  std::size_t waiting = 0;
  std::vector<Merge> merges;  // calls that a record made from events has proved to be
  bool committed = false;     // false with merges: they come first, then the batch again
};

/// Whose the events may be.
struct Known {
  pg::Rows calls;  // by the channel's ids of their calls
  pg::Rows lines;  // the attempts on the lines that were polled
};

/// The statement that asks by the channel's ids.
pg::Statement find_calls(const std::vector<FoundEvent>& events);

/// All of it, in this transaction.
asio::awaitable<Known> look_up(pg::Transaction& transaction, const std::vector<FoundEvent>& events);

struct StoredEvents {
  FoldReport fold;
  std::vector<FoundEvent> waiting;  // of calls not known yet: the caller puts them to wait
  std::vector<Unreadable> expired;  // of calls that nobody knows, and older than what is kept
  std::vector<Merge> merges;        // to be done after the commit
};

/// Stores the events with their calls and folds the records; a call whose id was echoed and that
/// has no record is recovered. `known`: what look_up() answered in this transaction. The drain
/// and the replay of dead letters both go through here. Throws pg::Failure.
asio::awaitable<StoredEvents> store_events(pg::Transaction& transaction, const Channels& channels,
                                           std::vector<FoundEvent> events, Known known,
                                           std::int64_t now_ms);

/// Commits the batch and moves the cursor to `position.cursor`, if it stands at `from`. With
/// `merges_first` a batch that proves two records to be one is left alone and these are reported,
/// so that a crash in between forgets neither. Throws pg::Failure.
asio::awaitable<CommitReport> commit_batch(pg::Pool& pool, const Channels& channels,
                                           const CursorHold& hold, StreamId from,
                                           const StreamPosition& position, Batch batch,
                                           bool merges_first, std::int64_t now_ms);

}  // namespace cc
