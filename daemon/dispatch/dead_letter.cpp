#include "dispatch/dead_letter.hpp"

#include <map>

#include "text.hpp"

namespace cc {
namespace {

constexpr std::string_view keep_sql =
    "INSERT INTO dead_letter AS d (delivery_key, channel, reason, received, raw, first_seen, "
    "last_seen, count) "
    "SELECT x.key, x.channel, x.reason, x.received, x.raw, $7, $7, x.count "
    "FROM unnest($1::bytea[], $2::varchar[], $3::varchar[], $4::bigint[], $5::bytea[], $6::int[]) "
    "AS x (key, channel, reason, received, raw, count) "
    "ON CONFLICT (delivery_key) DO UPDATE SET count = d.count + excluded.count, "
    "last_seen = excluded.last_seen, received = least(d.received, excluded.received)";

std::string fitting(const std::string& text, std::size_t width) {
  bool cut = false;
  return cut_to_width(repair_utf8(text), width, cut);
}

}  // namespace

pg::Statement keep_unreadable(const std::vector<Unreadable>& letters, std::int64_t now_ms) {
  std::map<std::string, std::pair<const Unreadable*, std::int64_t>> distinct;
  for (const Unreadable& letter : letters) {
    const auto [at, fresh] = distinct.try_emplace(letter.key, &letter, 0);
    ++at->second.second;
  }
  std::vector<std::string> key, channel, reason, raw;
  std::vector<std::int64_t> received, count;
  for (const auto& [text, item] : distinct) {
    key.push_back(text);
    channel.push_back(fitting(item.first->channel, 64));
    reason.push_back(fitting(item.first->reason, 256));
    received.push_back(item.first->received_ms);
    raw.push_back(item.first->raw);
    count.push_back(item.second);
  }
  return {keep_sql,
          pg::params(pg::array_of_bytes(key), pg::array(channel), pg::array(reason),
                     pg::array(received), pg::array_of_bytes(raw), pg::array(count), now_ms)};
}

}  // namespace cc
