// The table `recording`: who works on what, and what has become of it. Every change asks whether
// the row is still ours.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "parts.hpp"
#include "recording/object_store.hpp"

namespace cc {

/// A row that this daemon has taken.
struct RecordingRow {
  std::int64_t call = 0;
  std::string file;  // audio, ivr
  std::string tenant, channel, source, state;
  std::optional<std::string> agent, channel_call_id, object, upload;
  std::optional<std::string> store;  // that `object` was put into; none = ours
  std::int64_t closed_ms = 0;
  int tries = 0;
  std::int64_t stored_ms = 0;

  bool ivr() const noexcept { return file == "ivr"; }
  /// Whether its object, if any, lies where `store` can't reach it.
  bool lies_elsewhere(const ObjectStore& its_store) const {
    return object && store && *store != its_store.identity();
  }
};

using RecordingKey = std::pair<std::int64_t, std::string>;  // call, file

/// How the whole stands, for alarms.
struct RecordingCounts {
  std::int64_t expected = 0;
  std::int64_t late = 0;        // ready for more than an hour
  std::int64_t endangered = 0;  // the channel will delete them before long
  std::int64_t oldest = 0;      // the oldest call of the endangered; 0 = none
  OptMs oldest_due;             // epoch ms
};

/// All of them throw pg::Failure. What returns bool: whether the row was still ours.
class RecordingQueue {
 public:
  explicit RecordingQueue(Parts parts) : parts_(parts) {}

  /// Gives new rows their time: the call's end, what the channel wants, and some jitter.
  asio::awaitable<void> schedule();

  /// Takes at most so many that are due, oldest first, those of dead owners too, and our own that
  /// are not `in_hand`: the answer of the database was lost. None of the channels `but_not_of`.
  asio::awaitable<std::vector<RecordingRow>> take(std::size_t most,
                                                  std::vector<RecordingKey> in_hand,
                                                  std::vector<std::string> but_not_of);

  /// Before the first byte goes to the store: what it will be called there. Nothing is begun.
  asio::awaitable<bool> name(const RecordingRow& row, std::string object, std::string store);
  /// Whether a try may still end as it wants to.
  asio::awaitable<bool> still_ours(RecordingKey key);
  asio::awaitable<bool> begun(RecordingKey key, std::string upload);
  /// What a try before had left in the store is gone.
  asio::awaitable<bool> cleared(const RecordingRow& row);

  asio::awaitable<bool> give_back(const RecordingRow& row);
  /// `counted`: as one more try.
  asio::awaitable<bool> postpone(const RecordingRow& row, std::int64_t due_ms, std::string problem,
                                 bool counted);

  /// With the event that tells the call of it.
  asio::awaitable<bool> stored(const RecordingRow& row, StoredObject object,
                               std::string content_type, std::string address, std::string store);
  asio::awaitable<bool> absent(const RecordingRow& row, std::string reason);
  asio::awaitable<bool> deleted(const RecordingRow& row, std::string reason);

  /// Of a row that is not ours any more: whether what we put as `object` may be wanted still.
  asio::awaitable<bool> wants(const RecordingRow& row, std::string object);

  /// Of a call that was merged into another one: nothing of it is wanted any more.
  asio::awaitable<bool> orphan_if_merged(const RecordingRow& row);
  asio::awaitable<bool> drop(const RecordingRow& row);

  /// Tenants that have anything stored.
  asio::awaitable<std::vector<std::string>> tenants();
  /// Takes what was put into `store` before `before_ms`, oldest first, behind `last` of the batch
  /// before.
  asio::awaitable<std::vector<RecordingRow>> take_expired(std::string tenant, std::string store,
                                                          std::int64_t before_ms,
                                                          std::optional<RecordingRow> last);
  /// How many of those are left where they are as they were put into another store, up to 1,000.
  asio::awaitable<std::int64_t> expired_elsewhere(std::string tenant, std::string store,
                                                  std::int64_t before_ms);
  asio::awaitable<std::int64_t> orphaned_elsewhere(std::string store);
  /// Of calls whose months are gone, as records are kept for so many days (0 = for ever): how many
  /// rows were orphaned.
  asio::awaitable<std::size_t> orphan_dropped(int record_days, std::int64_t now_ms);

  asio::awaitable<RecordingCounts> count();

 private:
  asio::awaitable<bool> change(std::string_view sql, pg::Params params);
  pg::Params ours(const RecordingKey& key) const;

  Parts parts_;
};

}  // namespace cc
