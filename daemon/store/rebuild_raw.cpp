#include "store/rebuild_raw.hpp"

#include <map>
#include <set>

namespace cc {
namespace {

constexpr std::string_view store_sql =
    "INSERT INTO call_event AS e (call, event_key, attempt, source, name, received, channel_time, "
    "facts, raw) SELECT $1::bigint, x.* FROM unnest($2::bytea[], $3::smallint[], $4::varchar[], "
    "$5::varchar[], $6::bigint[], $7::bigint[], $8::jsonb[], $9::bytea[]) "
    "AS x (event_key, attempt, source, name, received, channel_time, facts, raw) "
    "ON CONFLICT (call, event_key) DO UPDATE SET name = excluded.name, "
    "channel_time = excluded.channel_time, facts = excluded.facts";

/// The channel of each attempt, as its planning says.
std::map<int, std::string> channels_of(const std::vector<RawEvent>& history) {
  std::map<int, std::string> codes;
  for (const RawEvent& item : history) {
    if (item.event.name == EventName::attempt_planned && item.event.facts.channel) {
      codes[item.event.attempt] = *item.event.facts.channel;
    }
  }
  return codes;
}

bool same(const Event& stored, const Event& read) {
  return stored.name == read.name && stored.channel_ms == read.channel_ms &&
         stored.facts == read.facts;
}

struct Deliveries {
  std::map<std::string, int> attempt_of;      // by envelope
  std::map<EventKey, const RawEvent*> known;  // by event
  std::set<std::string> ids;                  // the channel's, of this call
};

Deliveries deliveries_of(const StoredRecord& record, const std::vector<RawEvent>& history) {
  Deliveries found;
  if (record.folded.call_id) found.ids.insert(*record.folded.call_id);
  for (const RawEvent& item : history) {
    found.known[item.event.key] = &item;
    if (item.raw.empty()) continue;
    found.attempt_of.emplace(item.raw, item.event.attempt);
    if (item.event.facts.channel_call_id) found.ids.insert(*item.event.facts.channel_call_id);
  }
  return found;
}

}  // namespace

Reread read_raw_again(const StoredRecord& record, const std::vector<RawEvent>& history,
                      const Channels& channels) {
  Reread result;
  const std::map<int, std::string> codes = channels_of(history);
  const Deliveries stored = deliveries_of(record, history);
  std::map<EventKey, RawEvent> now;
  for (const RawEvent& item : history) now[item.event.key] = item;
  for (const auto& [raw, attempt] : stored.attempt_of) {
    const auto code = codes.find(attempt);
    const std::string channel =
        code != codes.end() ? code->second : record.folded.channel.value_or("");
    const auto configured = channels.find(channel);
    const auto delivery = decode_envelope(channel, raw);
    if (configured == nullptr || !delivery) {
      ++result.unreadable;
      continue;
    }
    Understood understood = configured->kind->understand(*delivery);
    if (!understood.problem.empty()) ++result.unreadable;
    for (ChannelEvent& found : understood.events) {
      Event event = std::move(found.event);
      const auto before = stored.known.find(event.key);
      if (before != stored.known.end()) {
        event.received_ms = before->second->event.received_ms;
        event.attempt = before->second->event.attempt;
        event.source = before->second->event.source;
        if (same(before->second->event, event)) continue;
      } else {
        const bool ours = found.call ? *found.call == record.constants.id
                                     : stored.ids.contains(found.channel_call_id);
        if (!ours) continue;  // another call's, in the same delivery
        if (event.attempt == 0) event.attempt = attempt;
      }
      RawEvent changed{event, raw};
      now[event.key] = changed;
      result.changed.push_back(std::move(changed));
    }
  }
  for (auto& [key, item] : now) result.history.push_back(std::move(item));
  return result;
}

pg::Statement store_reread(std::int64_t call, const std::vector<RawEvent>& changed) {
  std::vector<std::string> key, source, name, facts, raw;
  std::vector<std::int64_t> attempt, received;
  std::vector<std::optional<std::int64_t>> channel_time;
  for (const RawEvent& item : changed) {
    key.emplace_back(item.event.key.view());
    attempt.push_back(item.event.attempt);
    source.emplace_back(to_text(item.event.source));
    name.emplace_back(to_text(item.event.name));
    received.push_back(item.event.received_ms);
    channel_time.push_back(item.event.channel_ms);
    facts.push_back(to_json(item.event.facts));
    raw.push_back(item.raw);
  }
  return {store_sql,
          pg::params(call, pg::array_of_bytes(key), pg::array(attempt), pg::array(source),
                     pg::array(name), pg::array(received), pg::array(channel_time),
                     pg::array(facts), pg::array_of_bytes(raw))};
}

}  // namespace cc
