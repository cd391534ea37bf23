#include "call/survey.hpp"

#include <algorithm>
#include <random>

#include "agent/agent_check.hpp"

namespace cc {
namespace {

// $4: the channels whose line is a phone; nobody signs in there.
constexpr std::string_view named_sql =
    "SELECT channel, agent, coalesce(handset, '') AS handset, desired = 'online' AND (actual = "
    "'online' OR channel = ANY($4::varchar[])) AS online, CASE WHEN desired <> 'online' THEN 'it "
    "shall be offline' ELSE coalesce(actual, 'waiting for a daemon') || coalesce(': ' || reason, "
    "'') "
    "END AS standing, false AS busy, NULL::bigint AS busy_call "
    "FROM agent WHERE channel = ANY($3::varchar[]) AND agent = $2 AND tenant = $1 AND desired <> "
    "'deleted'";

// A line is busy if it or the phone that would ring ($5: the caller's) is in a call.
constexpr std::string_view bound_sql =
    "SELECT b.phone, b.fallback = 'auto' AS fallback, l.channel, l.agent, a.agent IS NOT NULL AS "
    "known, coalesce(a.handset, '') AS handset, a.desired = 'online' AND (a.actual = 'online' OR "
    "l.channel = ANY($3::varchar[])) AS online, CASE WHEN a.desired <> 'online' THEN 'it shall be "
    "offline' ELSE coalesce(a.actual, 'waiting for a daemon') || coalesce(': ' || a.reason, '') "
    "END "
    "AS standing, c.call IS NOT NULL AS busy, (SELECT t.call FROM call_attempt t WHERE t.call = "
    "c.call AND t.attempt = c.attempt AND t.tenant = b.tenant) AS busy_call "
    "FROM binding b CROSS JOIN LATERAL (SELECT x.value->>'channel' AS channel, x.value->>'agent' "
    "AS "
    "agent, x.number FROM jsonb_array_elements(b.lines) WITH ORDINALITY AS x (value, number)) AS l "
    "LEFT JOIN agent a ON a.channel = l.channel AND a.agent = l.agent AND a.tenant = b.tenant AND "
    "a.desired <> 'deleted' "
    "LEFT JOIN LATERAL (SELECT h.call, h.attempt FROM claim h WHERE h.released IS NULL AND "
    "(h.release_at IS NULL OR h.release_at > $4::bigint) AND ((h.kind = 'line' AND h.resource = "
    "l.channel || '/' || l.agent) OR (h.kind = 'handset' AND h.resource = CASE WHEN l.channel = "
    "ANY($3::varchar[]) THEN l.agent ELSE coalesce($5::varchar, b.phone, a.handset) END)) LIMIT 1) "
    "AS c ON true "
    "WHERE b.tenant = $1 AND b.user_id = $2 ORDER BY l.number";

// Free lines of a channel; with the phone that would ring. $3: see above, $5: the caller's phone.
#define CC_FREE_LINES                                                                       \
  "FROM agent a WHERE a.tenant = $1 AND a.channel = p.channel AND a.desired = 'online' "    \
  "AND (a.actual = 'online' OR a.channel = ANY($3::varchar[])) "                            \
  "AND (a.channel || '/' || a.agent) <> ALL($6::varchar[]) "                                \
  "AND NOT EXISTS (SELECT 1 FROM claim c WHERE c.kind = 'line' AND c.resource = a.channel " \
  "|| '/' || a.agent AND c.released IS NULL AND (c.release_at IS NULL OR c.release_at > "   \
  "$4::bigint)) "                                                                           \
  "AND NOT EXISTS (SELECT 1 FROM claim c WHERE c.kind = 'handset' AND c.resource = CASE "   \
  "WHEN a.channel = ANY($3::varchar[]) THEN a.agent ELSE coalesce($5::varchar, a.handset) " \
  "END AND c.released IS NULL AND (c.release_at IS NULL OR c.release_at > $4::bigint)) "

// Least recently used first, and out of the way of those who take one right now.
constexpr std::string_view pool_sql =
    "SELECT p.channel, f.agent, f.handset, true AS online, '' AS standing, false AS busy, "
    "NULL::bigint AS busy_call FROM unnest($2::varchar[]) AS p (channel) CROSS JOIN LATERAL "
    "(SELECT "
    "a.agent, coalesce(a.handset, '') AS handset " CC_FREE_LINES
    "ORDER BY a.last_used NULLS FIRST, a.agent LIMIT 1 FOR UPDATE OF a SKIP LOCKED) AS f";

constexpr std::string_view pool_left_sql =
    "SELECT EXISTS (SELECT 1 FROM unnest($2::varchar[]) AS p (channel) WHERE EXISTS (SELECT "
    "1 " CC_FREE_LINES
    ")) AS free, EXISTS (SELECT 1 FROM agent a WHERE a.tenant = $1 AND a.channel = "
    "ANY($2::varchar[]) "
    "AND a.desired = 'online' AND (a.actual = 'online' OR a.channel = ANY($3::varchar[])) AND "
    "(a.channel || '/' || a.agent) <> ALL($6::varchar[])) AS online";

#undef CC_FREE_LINES

KnownLine line_from_row(const pg::Rows& rows, std::size_t row) {
  KnownLine line;
  line.channel = rows.text(row, "channel");
  line.agent = rows.text(row, "agent");
  line.handset = rows.text(row, "handset");
  line.online = rows.opt_text(row, "online") == "t";
  line.standing = rows.opt_text(row, "standing").value_or("");
  line.busy = rows.boolean(row, "busy");
  line.busy_call = rows.opt_integer(row, "busy_call");
  return line;
}

std::optional<Bound> binding_from(const pg::Rows& rows, const std::vector<std::string>& phones) {
  if (rows.empty()) return std::nullopt;
  Bound bound;
  bound.phone = rows.opt_text(0, "phone");
  bound.fallback = rows.boolean(0, "fallback");
  for (std::size_t row = 0; row < rows.size(); ++row) {
    BoundLine line;
    line.channel = rows.text(row, "channel");
    line.agent = rows.text(row, "agent");
    // A phone is a line though nobody has made it known, and may be in a call.
    const bool phone = std::find(phones.begin(), phones.end(), line.channel) != phones.end();
    if (rows.boolean(row, "known") || (phone && rows.boolean(row, "busy"))) {
      line.known = line_from_row(rows, row);
      if (!rows.boolean(row, "known")) line.known->online = true;
    }
    bound.lines.push_back(std::move(line));
  }
  return bound;
}

std::vector<KnownLine> lines_from(const pg::Rows& rows) {
  std::vector<KnownLine> lines;
  for (std::size_t row = 0; row < rows.size(); ++row) lines.push_back(line_from_row(rows, row));
  return lines;
}

double draw() {
  static std::mt19937_64 source{std::random_device{}()};
  return std::uniform_real_distribution<double>(0, 1)(source);
}

}  // namespace

asio::awaitable<Found> find_lines(pg::Transaction& transaction, Parts parts, NewCall request,
                                  Needs needs, Tried tried, std::int64_t now_ms) {
  std::vector<std::string> all, phones;
  for (const auto& [code, channel] : parts.config.channels) {
    all.push_back(code);
    if (line_is_phone(channel)) phones.push_back(code);
  }
  std::vector<pg::Statement> statements;
  statements.push_back(ask_standings());
  statements.push_back({named_sql, pg::params(request.tenant, request.agent.value_or(""),
                                              pg::array(all), pg::array(phones))});
  const bool bound = request.user && !request.agent;
  if (bound) {
    statements.push_back({bound_sql, pg::params(request.tenant, *request.user, pg::array(phones),
                                                now_ms, request.caller)});
  }
  const std::vector<pg::Rows> rows = co_await transaction.pipeline(std::move(statements));

  const ChannelStates states = standings_from_rows(rows[0]);
  Knowledge known;
  known.named = lines_from(rows[1]);
  if (bound) known.binding = binding_from(rows[2], phones);
  known.needs = needs;
  known.draw = draw();
  known.tried_channels = std::move(tried.channels);
  known.tried_lines = std::move(tried.lines);
  known.channels = views_for(parts.config, request.tenant, states);
  Found found;
  found.choice = choose_lines(request, known);
  // Lines of the pool are locked for others: only where no line is on a channel that is whole.
  const std::vector<Line>* lines = std::get_if<std::vector<Line>>(&found.choice);
  const bool only_bound = known.binding && !known.binding->fallback;
  if (request.agent || only_bound || (lines != nullptr && lines->front().notice.empty())) {
    co_return found;
  }
  std::vector<std::string> pooled;
  for (const ChannelView* view : usable_channels(request, known)) {
    if (!(line_is_phone(*view->config) && request.caller)) pooled.push_back(view->config->code);
  }
  if (pooled.empty()) co_return found;
  const std::vector<std::string> excluded(known.tried_lines.begin(), known.tried_lines.end());
  const pg::Params params = pg::params(request.tenant, pg::array(pooled), pg::array(phones), now_ms,
                                       request.caller, pg::array(excluded));
  known.pool = lines_from(co_await transaction.query(pool_sql, params));
  if (known.pool.empty()) {
    const pg::Rows left = co_await transaction.query(pool_left_sql, params);
    found.contended = left.boolean(0, "free");
    known.pool_busy = left.boolean(0, "online");
  }
  // Anew: the views point into the configuration, which may have changed meanwhile.
  known.channels = views_for(parts.config, request.tenant, states);
  found.choice = choose_lines(request, known);
  co_return found;
}

}  // namespace cc
