#include "dispatch/canary_arrival.hpp"

#include <string_view>

namespace cc {
namespace {

// An older one than was sent last counts too: it shows how late things come. Locked in one order,
// as the drains of several partitions may meet here. 24: canary_location_end.
constexpr std::string_view note_sql =
    "WITH it AS (SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now), "
    "x AS (SELECT DISTINCT ON (left(u.id, 24), u.channel) u.* FROM "
    "unnest($1::varchar[], $2::varchar[], $3::bigint[]) AS u (id, channel, received) "
    "ORDER BY left(u.id, 24), u.channel, u.received DESC), "
    "due AS (SELECT c.location, x.id, x.received FROM canary c JOIN x ON c.channel = x.channel AND "
    "left(c.id, 24) = left(x.id, 24) ORDER BY c.location FOR UPDATE OF c) "
    "UPDATE canary c SET arrived = it.now, arrived_id = due.id, delay_ms = CASE WHEN c.id = due.id "
    "THEN it.now - c.posted ELSE greatest(it.now - due.received, 0) END FROM due, it "
    "WHERE c.location = due.location AND c.arrived_id IS DISTINCT FROM due.id";

}  // namespace

pg::Statement note_canaries(const std::vector<CanaryArrival>& arrivals) {
  std::vector<std::string> ids, channels;
  std::vector<std::int64_t> received;
  for (const CanaryArrival& arrival : arrivals) {
    ids.push_back(arrival.id);
    channels.push_back(arrival.channel);
    received.push_back(arrival.received_ms);
  }
  return {note_sql, pg::params(pg::array(ids), pg::array(channels), pg::array(received))};
}

}  // namespace cc
