#include "dispatch/batch.hpp"

#include <algorithm>
#include <set>
#include <tuple>

#include "canary.hpp"
#include "dispatch/dead_letter.hpp"
#include "dispatch/line_events.hpp"
#include "dispatch/recovery.hpp"
#include "dispatch/waiting.hpp"
#include "fault.hpp"

namespace cc {
namespace {

std::string key_text(const DeliveryKey& key) {
  return {reinterpret_cast<const char*>(key.data()), key.size()};
}

// The year 5138. Arithmetic on what is later would overflow, in the sweeps' SQL too.
constexpr std::int64_t latest_received_ms = 100'000'000'000'000;

Unreadable unreadable(const StreamEntry& entry, std::string reason, std::int64_t received_ms) {
  Delivery delivery;
  delivery.channel = entry.field;
  delivery.body = entry.value;
  return {key_text(delivery_key(delivery)), entry.field, std::move(reason), received_ms,
          entry.value};
}

void understand_entry(const StreamEntry& entry, const Channels& channels, std::int64_t now_ms,
                      Batch& batch) {
  if (entry.malformed || entry.value.starts_with(many_fields_mark)) {
    batch.unreadable.push_back(
        unreadable(entry, "the stream's entry has not exactly one field", now_ms));
    return;
  }
  Result<Delivery> delivery = decode_envelope(entry.field, entry.value);
  if (!delivery) {
    batch.unreadable.push_back(unreadable(entry, delivery.error().message, now_ms));
    return;
  }
  if (delivery->received_ms > latest_received_ms) {
    Unreadable letter = unreadable(entry, "received-ms is no time that can be", now_ms);
    letter.key = key_text(delivery_key(*delivery));
    batch.unreadable.push_back(std::move(letter));
    return;
  }
  if (batch.oldest_received_ms == 0 || delivery->received_ms < batch.oldest_received_ms) {
    batch.oldest_received_ms = delivery->received_ms;
  }
  const auto give_up = [&](std::string reason) {
    batch.unreadable.push_back({key_text(delivery_key(*delivery)), entry.field, std::move(reason),
                                delivery->received_ms, entry.value});
  };
  const auto note_canary = [&](std::string_view id) {
    batch.canaries.push_back({std::string(id), entry.field, delivery->received_ms});
  };
  const auto channel = channels.find(entry.field);
  if (channel == nullptr) {
    if (const auto id = find_canary(delivery->body); !id.empty()) return note_canary(id);
    return give_up("no channel of this code is configured");
  }
  Understood understood = channel->kind->understand(*delivery);
  if (understood.events.size() == 1 && is_canary(understood.events[0].channel_call_id)) {
    return note_canary(understood.events[0].channel_call_id);
  }
  batch.ignored += understood.ignored;
  if (!understood.problem.empty()) give_up(std::move(understood.problem));
  for (ChannelEvent& event : understood.events) {
    batch.events.push_back({std::move(event), entry.field, entry.value});
  }
}

// Several copies of one delivery in a batch: one row may be written only once by an INSERT.
void drop_repeats(std::vector<FoundEvent>& events) {
  std::map<EventKey, std::size_t> first;
  std::vector<FoundEvent> kept;
  for (FoundEvent& item : events) {
    const auto [at, fresh] = first.try_emplace(item.found.event.key, kept.size());
    if (fresh) {
      kept.push_back(std::move(item));
    } else if (item.found.event.received_ms < kept[at->second].found.event.received_ms) {
      kept[at->second] = std::move(item);
    }
  }
  events = std::move(kept);
}

constexpr std::string_view lock_cursor_sql =
    "SELECT entry_id, owner, epoch FROM stream_cursor WHERE stream = $1 FOR UPDATE";

constexpr std::string_view find_calls_sql =
    "SELECT a.channel, a.channel_call_id, a.call, a.attempt FROM call_attempt a "
    "JOIN unnest($1::varchar[], $2::varchar[]) AS x (channel, channel_call_id) "
    "ON a.channel = x.channel AND a.channel_call_id = x.channel_call_id";

constexpr std::string_view move_cursor_sql =
    "UPDATE stream_cursor SET entry_id = $2, entries_added = $3, highest_id = $4, run_id = $5, "
    "updated = $6 "
    "WHERE stream = $1";

using KnownCalls = std::map<std::pair<std::string, std::string>, std::pair<std::int64_t, int>>;

KnownCalls known_calls(const pg::Rows& rows) {
  KnownCalls known;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    known[{std::string(rows.text(row, "channel")),
           std::string(rows.text(row, "channel_call_id"))}] = {
        rows.integer(row, "call"), static_cast<int>(rows.integer(row, "attempt"))};
  }
  return known;
}

struct Sorted {
  NewEvents ours;
  std::vector<FoundEvent> waiting;
  std::map<std::int64_t, Merge> merges;  // by survivor
};

/// Gives polled events that name no known call to the attempts of their lines, in the order in
/// which they were read.
void assign_line_events(std::vector<FoundEvent>& events, const KnownCalls& known,
                        LineAttempts& lines) {
  std::vector<FoundEvent*> in_order;
  in_order.reserve(events.size());
  for (FoundEvent& item : events) in_order.push_back(&item);
  std::stable_sort(in_order.begin(), in_order.end(), [](const FoundEvent* a, const FoundEvent* b) {
    return std::tuple(a->found.event.received_ms, a->found.event.key.ordinal()) <
           std::tuple(b->found.event.received_ms, b->found.event.key.ordinal());
  });
  for (FoundEvent* item : in_order) {
    const auto found = known.find({item->channel, item->found.channel_call_id});
    if (found == known.end()) {
      lines.assign(*item);
    } else {
      lines.hear(*item, found->second.first, found->second.second);
    }
  }
}

Sorted sort_events(std::vector<FoundEvent> events, const KnownCalls& known) {
  Sorted sorted;
  for (FoundEvent& item : events) {
    const auto found = known.find({item.channel, item.found.channel_call_id});
    if (item.found.call && found != known.end() && found->second.first != *item.found.call) {
      sorted.merges[*item.found.call] = {*item.found.call, item.found.event.attempt, item.channel,
                                         item.found.channel_call_id};
    }
    if (!item.found.call) {
      if (found == known.end()) {
        sorted.waiting.push_back(std::move(item));
        continue;
      }
      item.found.call = found->second.first;
      item.found.event.attempt = found->second.second;
    } else if (item.found.event.attempt == 0 && found != known.end() &&
               found->second.first == *item.found.call) {
      item.found.event.attempt = found->second.second;  // the answer to a query
    }
    sorted.ours[*item.found.call].push_back({std::move(item.found.event), std::move(item.raw),
                                             std::move(item.found.channel_call_id), item.channel});
  }
  return sorted;
}

// Without an echo only the attempts can tell whose an event is. Where those of its time, or the
// month that it would be stored in, are gone, it is nobody's: a record made of it would be a second
// one of a call that has its own.
bool expired(const FoundEvent& item, const Channels& channels, std::int64_t now_ms) {
  const auto channel = channels.find(item.channel);
  if (channel == nullptr || channel->config.remembered <= Millis{0}) return false;
  return item.found.event.received_ms < now_ms - channel->config.remembered.count();
}

Unreadable expired_letter(FoundEvent item) {
  return {std::string(item.found.event.key.view().substr(0, DeliveryKey{}.size())),
          std::move(item.channel), "expired: older than what is kept", item.found.event.received_ms,
          std::move(item.raw)};
}

}  // namespace

pg::Statement find_calls(const std::vector<FoundEvent>& events) {
  std::set<std::pair<std::string, std::string>> wanted;
  for (const FoundEvent& item : events) {
    if (!item.found.channel_call_id.empty()) {
      wanted.emplace(item.channel, item.found.channel_call_id);
    }
  }
  std::vector<std::string> channel, id;
  for (const auto& [code, call_id] : wanted) {
    channel.push_back(code);
    id.push_back(call_id);
  }
  return {find_calls_sql, pg::params(pg::array(channel), pg::array(id))};
}

asio::awaitable<Known> look_up(pg::Transaction& transaction,
                               const std::vector<FoundEvent>& events) {
  std::vector<pg::Statement> statements;
  statements.push_back(find_calls(events));
  if (has_line_events(events)) statements.push_back(find_line_attempts(events));
  const std::vector<pg::Rows> rows = co_await transaction.pipeline(std::move(statements));
  Known known;
  known.calls = rows[0];
  if (rows.size() > 1) known.lines = rows[1];
  co_return known;
}

Batch understand_batch(const std::vector<StreamEntry>& entries, const Channels& channels,
                       std::int64_t now_ms) {
  Batch batch;
  batch.deliveries = entries.size();
  for (const StreamEntry& entry : entries) understand_entry(entry, channels, now_ms, batch);
  drop_repeats(batch.events);
  batch.deliveries -= batch.canaries.size();
  return batch;
}

Batch give_up_on(const StreamEntry& entry, const std::string& reason, std::int64_t now_ms) {
  Batch batch;
  batch.deliveries = 1;
  std::int64_t received_ms = now_ms;
  const bool no_month = reason.find("no partition of relation") != std::string::npos;
  Unreadable letter =
      unreadable(entry, no_month ? "expired: the month of its call is not kept" : reason, now_ms);
  if (const Result<Delivery> delivery = decode_envelope(entry.field, entry.value)) {
    received_ms = delivery->received_ms;
    letter.key = key_text(delivery_key(*delivery));
  }
  letter.received_ms = received_ms;
  batch.unreadable.push_back(std::move(letter));
  return batch;
}

asio::awaitable<StoredEvents> store_events(pg::Transaction& transaction, const Channels& channels,
                                           std::vector<FoundEvent> events, Known known,
                                           std::int64_t now_ms) {
  StoredEvents stored;
  const KnownCalls calls = known_calls(known.calls);
  if (has_line_events(events)) {
    LineAttempts lines(known.lines);
    assign_line_events(events, calls, lines);
  }
  Sorted sorted = sort_events(std::move(events), calls);
  for (FoundEvent& item : sorted.waiting) {
    if (expired(item, channels, now_ms)) {
      stored.expired.push_back(expired_letter(std::move(item)));
    } else {
      stored.waiting.push_back(std::move(item));
    }
  }
  stored.fold = co_await fold_events(transaction, sorted.ours, now_ms);
  if (!stored.fold.unknown.empty()) {
    const NewEvents recovered = co_await recover_calls(transaction, channels, stored.fold.unknown,
                                                       std::move(sorted.ours), now_ms);
    const FoldReport more = co_await fold_events(transaction, recovered, now_ms);
    stored.fold.stored += more.stored;
    stored.fold.changed.insert(stored.fold.changed.end(), more.changed.begin(), more.changed.end());
  }
  for (auto& [call, merge] : sorted.merges) stored.merges.push_back(std::move(merge));
  co_return stored;
}

asio::awaitable<CommitReport> commit_batch(pg::Pool& pool, const Channels& channels,
                                           const CursorHold& hold, StreamId from,
                                           const StreamPosition& position, Batch batch,
                                           bool merges_first, std::int64_t now_ms) {
  CommitReport report;
  pg::Transaction transaction = co_await pool.begin();
  std::vector<pg::Statement> opening;
  opening.push_back({lock_cursor_sql, pg::params(hold.stream)});
  opening.push_back(find_calls(batch.events));
  const bool lines = has_line_events(batch.events);
  if (lines) opening.push_back(find_line_attempts(batch.events));
  const std::vector<pg::Rows> opened = co_await transaction.pipeline(std::move(opening));
  fault_point("dispatch.locked");
  const pg::Rows& cursor = opened[0];
  report.cursor_moved = !cursor.empty() && cursor.text(0, "entry_id") == to_text(from) &&
                        cursor.opt_text(0, "owner") == hold.owner &&
                        cursor.integer(0, "epoch") == hold.epoch;
  if (!report.cursor_moved) co_return report;

  Known known;
  known.calls = opened[1];
  if (lines) known.lines = opened[2];
  StoredEvents stored =
      co_await store_events(transaction, channels, std::move(batch.events), known, now_ms);
  report.fold = std::move(stored.fold);
  report.waiting = stored.waiting.size();
  report.merges = std::move(stored.merges);
  if (merges_first && !report.merges.empty()) co_return report;  // all of it is rolled back
  for (Unreadable& letter : stored.expired) batch.unreadable.push_back(std::move(letter));
  fault_point("dispatch.folded");
  std::vector<pg::Statement> closing;
  if (!stored.waiting.empty()) closing.push_back(put_to_wait(stored.waiting));
  if (!batch.unreadable.empty()) closing.push_back(keep_unreadable(batch.unreadable, now_ms));
  if (!batch.canaries.empty()) closing.push_back(note_canaries(batch.canaries));
  closing.push_back(
      {move_cursor_sql, pg::params(hold.stream, to_text(position.cursor), position.entries_added,
                                   to_text(position.highest), position.run_id, now_ms)});
  co_await transaction.pipeline(std::move(closing));
  fault_point("dispatch.before_commit");
  co_await transaction.commit();
  report.committed = true;
  fault_point("dispatch.committed");
  co_return report;
}

}  // namespace cc
