#include "agent/agent_store.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <stdexcept>
#include <string_view>
#include <tuple>
#include <utility>

namespace cc {
namespace {

// The call that a line is in. Another tenant's is not named: its id would be of no use.
#define CC_JOIN_CALL                                                                   \
  "LEFT JOIN claim c ON c.kind = 'line' AND c.resource = a.channel || '/' || a.agent " \
  "AND c.released IS NULL AND (c.release_at IS NULL OR c.release_at > $1::bigint) "    \
  "LEFT JOIN call_attempt t ON t.call = c.call AND t.attempt = c.attempt AND t.tenant = a.tenant "
#define CC_SHOWN_COLUMNS                                                                     \
  "SELECT a.channel, a.agent, a.tenant, a.handset, a.password IS NOT NULL AS has_password, " \
  "a.desired, a.actual, a.reason, a.since, a.updated, t.call FROM agent a " CC_JOIN_CALL

// In one order for everybody, so that two who lock many can't wait for each other.
constexpr std::string_view lock_sql =
    "SELECT a.channel, a.agent, a.tenant, a.handset, a.password, a.desired, a.actual, "
    "a.session IS NULL AND a.owner IS NULL AS untouched, c.call AS busy, t.call AS call "
    "FROM unnest($2::varchar[], $3::varchar[]) AS w(channel, agent) "
    "JOIN agent a ON a.channel = w.channel AND a.agent = w.agent " CC_JOIN_CALL
    "ORDER BY a.channel, a.agent FOR UPDATE OF a";

constexpr std::string_view insert_sql =
    "INSERT INTO agent (channel, agent, tenant, handset, password, desired, updated) "
    "SELECT w.channel, w.agent, w.tenant, w.handset, w.password, w.desired, $1::bigint "
    "FROM unnest($2::varchar[], $3::varchar[], $4::varchar[], $5::varchar[], $6::bytea[], "
    "$7::varchar[]) AS w(channel, agent, tenant, handset, password, desired) "
    "ON CONFLICT (channel, agent) DO NOTHING RETURNING channel, agent";

// `updated` never stands still, whatever the clocks: owners look for changes by it.
constexpr std::string_view update_sql =
    "UPDATE agent a SET handset = w.handset, password = w.password, desired = w.desired, "
    "generation = a.generation + w.heed, "
    "actual = CASE WHEN a.actual = 'refused' THEN NULL ELSE a.actual END, "
    "reason = CASE WHEN a.actual = 'refused' THEN NULL ELSE a.reason END, "
    "since = CASE WHEN a.actual = 'refused' THEN $1::bigint ELSE a.since END, "
    "updated = greatest($1::bigint, a.updated + 1) "
    "FROM unnest($2::varchar[], $3::varchar[], $4::varchar[], $5::bytea[], $6::varchar[], "
    "$7::bigint[]) AS w(channel, agent, handset, password, desired, heed) "
    "WHERE a.channel = w.channel AND a.agent = w.agent";

constexpr std::string_view delete_sql = "DELETE FROM agent WHERE channel = $1 AND agent = $2";
constexpr std::string_view mark_deleted_sql =
    "UPDATE agent SET desired = 'deleted', generation = generation + 1, "
    "updated = greatest($3::bigint, updated + 1) WHERE channel = $1 AND agent = $2";

constexpr std::string_view find_sql = CC_SHOWN_COLUMNS
    "WHERE a.channel = $2 AND a.agent = $3 AND ($4::varchar IS NULL OR a.tenant = $4::varchar) "
    "AND a.desired <> 'deleted'";

constexpr std::string_view list_sql = CC_SHOWN_COLUMNS
    "WHERE a.desired <> 'deleted' AND ($2::varchar IS NULL OR a.tenant = $2::varchar) "
    "AND ($3::varchar IS NULL OR a.channel = $3::varchar) "
    "AND ($4::varchar IS NULL OR a.actual = $4::varchar) "
    "AND (a.channel, a.agent) > ($5::varchar, $6::varchar) "
    "ORDER BY a.channel, a.agent LIMIT $7::int";

constexpr std::string_view retry_sql =
    "UPDATE agent SET actual = NULL, reason = NULL, since = $1::bigint, "
    "generation = generation + 1, updated = greatest($1::bigint, updated + 1) "
    "WHERE desired <> 'deleted' AND (actual = 'refused' OR ($2::boolean AND actual = 'failing')) "
    "AND ($3::varchar IS NULL OR tenant = $3::varchar) "
    "AND ($4::varchar IS NULL OR channel = $4::varchar) "
    "AND ($5::varchar IS NULL OR agent = $5::varchar)";

#undef CC_SHOWN_COLUMNS
#undef CC_JOIN_CALL

using Line = std::pair<std::string, std::string>;  // channel, agent

/// A row as it stands, locked.
struct Stored {
  std::string tenant, desired;
  OptText handset, password, actual;
  bool untouched = false;                 // nobody can have signed it in
  bool busy = false;                      // a call is in progress on the line
  std::optional<std::int64_t> busy_call;  // if it is the tenant's

  bool deleted() const { return desired == "deleted"; }
};

/// What a row shall become.
struct Write {
  AgentChange change = AgentChange::same;
  bool update = false;  // of a row that is there
  bool heed = false;    // its owner must look at it
  OptText handset, password;
  std::string desired;
};

using Decision = std::variant<Write, AgentRefusal>;

AgentRefusal refuse(AgentRefusal::Code code, std::string field, std::string detail) {
  return {code, std::move(field), std::move(detail), std::nullopt};
}

AgentRefusal line_busy(const Stored& stored, std::string field, const std::string& line) {
  return {AgentRefusal::Code::line_busy, std::move(field),
          "the line " + line + " is in a call: try again when it is over", stored.busy_call};
}

std::map<Line, Stored> read_stored(const pg::Rows& rows) {
  std::map<Line, Stored> all;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    Stored stored;
    stored.tenant = rows.text(row, "tenant");
    stored.handset = rows.opt_text(row, "handset");
    if (!rows.is_null(row, "password")) stored.password = rows.bytes(row, "password");
    stored.desired = rows.text(row, "desired");
    stored.actual = rows.opt_text(row, "actual");
    stored.untouched = rows.boolean(row, "untouched");
    stored.busy = !rows.is_null(row, "busy");
    stored.busy_call = rows.opt_integer(row, "call");
    all.emplace(Line(rows.text(row, "channel"), rows.text(row, "agent")), std::move(stored));
  }
  return all;
}

/// Whether the password differs from what was stored; puts into `write` what shall be.
bool set_password(const AgentWish& wish, const OptText& before, const Vault& vault, Write& write) {
  const std::string context = password_context(wish.channel, wish.agent);
  bool same = false;
  if (before) {
    const Result<std::string> old = vault.open(*before, context);
    same = old && *old == *wish.password;
  }
  if (same && vault.sealed_with_newest(*before)) return false;
  Result<std::string> sealed = vault.seal(*wish.password, context);
  if (!sealed) throw std::runtime_error(sealed.error().message);
  write.password = *std::move(sealed);
  write.update = true;  // even if only the seal is new: nobody needs the old key for it any more
  return !same;
}

Decision decide(const AgentOrder& order, const Stored* stored, const Vault& vault) {
  using Code = AgentRefusal::Code;
  const AgentWish& wish = order.wish;
  const std::string line = shown_line(wish.channel, wish.agent);
  if (stored != nullptr && stored->tenant != wish.tenant) {
    return refuse(Code::not_found, "agent",
                  "the line " + line + " is not tenant " + wish.tenant + "'s");
  }
  const bool fresh = stored == nullptr || stored->deleted();
  Write write;
  write.change = fresh ? AgentChange::created : AgentChange::same;
  write.heed = fresh;
  if (!fresh) {
    write.handset = stored->handset;
    write.password = stored->password;
    write.desired = stored->desired;
    write.heed = stored->actual == "refused" || stored->actual == "failing";
  }
  const OptText before = write.password;
  if (wish.handset && wish.handset != write.handset) {
    if (stored != nullptr && stored->busy) return line_busy(*stored, "handset", line);
    write.handset = wish.handset;
    write.heed = true;
  }
  if (!write.handset) {
    return refuse(Code::invalid, "handset",
                  "is required for a new agent: the phone that rings when the line calls");
  }
  const bool was_online = write.desired == "online";
  const bool online = wish.online.value_or(fresh || was_online);
  if (online != was_online) {
    if (was_online && stored->busy) return line_busy(*stored, "desired", line);
    write.heed = true;
  }
  write.desired = online ? "online" : "offline";
  if (wish.password) {
    if (!vault.has_key()) {
      return refuse(Code::no_key, "password",
                    "can't be kept: agents.key is not configured (openssl rand -hex 32 makes one)");
    }
    if (set_password(wish, before, vault, write)) write.heed = true;
  }
  if (order.signs_in && online && !write.password) {
    return refuse(Code::invalid, "password", "is required for an agent that shall be online");
  }
  if (!fresh && write.heed) write.change = AgentChange::changed;
  write.update = stored != nullptr && (write.update || write.heed);
  return write;
}

asio::awaitable<std::vector<Decision>> plan(pg::Transaction& transaction, const Vault& vault,
                                            const std::vector<AgentOrder>& orders,
                                            const std::vector<std::size_t>& which,
                                            std::int64_t now_ms) {
  std::vector<std::string> channels, agents;
  for (const std::size_t i : which) {
    channels.push_back(orders[i].wish.channel);
    agents.push_back(orders[i].wish.agent);
  }
  const pg::Rows rows = co_await transaction.query(
      lock_sql, pg::params(now_ms, pg::array(channels), pg::array(agents)));
  const std::map<Line, Stored> all = read_stored(rows);
  std::vector<Decision> decisions;
  for (const std::size_t i : which) {
    const AgentWish& wish = orders[i].wish;
    const auto found = all.find(Line(wish.channel, wish.agent));
    decisions.push_back(decide(orders[i], found == all.end() ? nullptr : &found->second, vault));
  }
  co_return decisions;
}

/// The columns of what is to be written, for unnest().
struct Columns {
  std::vector<std::string> channels, agents, tenants, desired;
  std::vector<OptText> handsets, passwords;
  std::vector<std::int64_t> heed;

  void add(const AgentWish& wish, const Write& write) {
    channels.push_back(wish.channel);
    agents.push_back(wish.agent);
    tenants.push_back(wish.tenant);
    handsets.push_back(write.handset);
    passwords.push_back(write.password);
    desired.push_back(write.desired);
    heed.push_back(write.heed ? 1 : 0);
  }
  pg::Statement insert(std::int64_t now_ms) const {
    return {insert_sql,
            pg::params(now_ms, pg::array(channels), pg::array(agents), pg::array(tenants),
                       pg::array(handsets), pg::array_of_bytes(passwords), pg::array(desired))};
  }
  pg::Statement update(std::int64_t now_ms) const {
    return {update_sql,
            pg::params(now_ms, pg::array(channels), pg::array(agents), pg::array(handsets),
                       pg::array_of_bytes(passwords), pg::array(desired), pg::array(heed))};
  }
};

AgentOutcome outcome_of(const Decision& decision) {
  if (const Write* write = std::get_if<Write>(&decision)) return write->change;
  return std::get<AgentRefusal>(decision);
}

/// All orders' places, by line: the order in which rows are made.
std::vector<std::size_t> by_line(const std::vector<AgentOrder>& orders) {
  std::vector<std::size_t> places(orders.size());
  std::iota(places.begin(), places.end(), std::size_t{0});
  std::sort(places.begin(), places.end(), [&](std::size_t a, std::size_t b) {
    return std::tie(orders[a].wish.channel, orders[a].wish.agent) <
           std::tie(orders[b].wish.channel, orders[b].wish.agent);
  });
  return places;
}

}  // namespace

asio::awaitable<std::vector<AgentOutcome>> plan_agents(pg::Transaction& transaction,
                                                       const Vault& vault,
                                                       std::vector<AgentOrder> orders,
                                                       std::int64_t now_ms) {
  std::vector<std::size_t> all(orders.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  auto planning = plan(transaction, vault, orders, all, now_ms);
  const std::vector<Decision> decisions = co_await std::move(planning);
  std::vector<AgentOutcome> outcomes;
  outcomes.reserve(decisions.size());
  for (const Decision& decision : decisions) outcomes.push_back(outcome_of(decision));
  co_return outcomes;
}

asio::awaitable<std::vector<AgentOutcome>> write_agents(pg::Transaction& transaction,
                                                        const Vault& vault,
                                                        std::vector<AgentOrder> orders,
                                                        std::int64_t now_ms) {
  std::vector<AgentOutcome> outcomes(orders.size());
  std::vector<std::size_t> left = by_line(orders);
  // Once more for lines that somebody else makes at the same moment: then they are there.
  for (int round = 0; !left.empty(); ++round) {
    if (round == 3) throw pg::Failure("40001", "agents were made and removed meanwhile; try again");
    auto planning = plan(transaction, vault, orders, left, now_ms);
    const std::vector<Decision> decisions = co_await std::move(planning);
    Columns inserts, updates;
    std::map<Line, std::size_t> made;
    for (std::size_t n = 0; n < left.size(); ++n) {
      outcomes[left[n]] = outcome_of(decisions[n]);
      const Write* write = std::get_if<Write>(&decisions[n]);
      if (write == nullptr) continue;
      const AgentWish& wish = orders[left[n]].wish;
      if (write->update) {
        updates.add(wish, *write);
      } else if (write->change == AgentChange::created) {
        inserts.add(wish, *write);
        made.emplace(Line(wish.channel, wish.agent), left[n]);
      }
    }
    std::vector<pg::Statement> statements;
    statements.push_back(inserts.insert(now_ms));
    statements.push_back(updates.update(now_ms));
    const std::vector<pg::Rows> written = co_await transaction.pipeline(std::move(statements));
    for (std::size_t row = 0; row < written[0].size(); ++row) {
      made.erase(Line(written[0].text(row, "channel"), written[0].text(row, "agent")));
    }
    left.clear();
    for (const auto& [line, place] : made) left.push_back(place);
  }
  co_return outcomes;
}

asio::awaitable<std::optional<AgentRefusal>> remove_agent(pg::Transaction& transaction,
                                                          std::string tenant, std::string channel,
                                                          std::string agent, std::int64_t now_ms) {
  const std::vector<std::string> channels(1, channel), agents(1, agent);
  const pg::Rows rows = co_await transaction.query(
      lock_sql, pg::params(now_ms, pg::array(channels), pg::array(agents)));
  const std::map<Line, Stored> found = read_stored(rows);
  const Stored* stored = found.empty() ? nullptr : &found.begin()->second;
  if (stored == nullptr || stored->tenant != tenant || stored->deleted()) {
    co_return refuse(AgentRefusal::Code::not_found, "agent",
                     "there is no line " + shown_line(channel, agent));
  }
  if (stored->busy) co_return line_busy(*stored, "agent", shown_line(channel, agent));
  if (stored->untouched) {
    co_await transaction.query(delete_sql, pg::params(channel, agent));
  } else {
    co_await transaction.query(mark_deleted_sql, pg::params(channel, agent, now_ms));
  }
  co_return std::nullopt;
}

pg::Statement find_agent(const OptText& tenant, const std::string& channel,
                         const std::string& agent, std::int64_t now_ms) {
  return {find_sql, pg::params(now_ms, channel, agent, tenant)};
}

pg::Statement list_agents(const OptText& tenant, const AgentFilter& filter, std::int64_t now_ms) {
  return {list_sql, pg::params(now_ms, tenant, filter.channel, filter.actual,
                               filter.after_channel.value_or(""), filter.after_agent.value_or(""),
                               filter.limit)};
}

std::vector<Agent> agents_from_rows(const pg::Rows& rows) {
  std::vector<Agent> agents;
  agents.reserve(rows.size());
  for (std::size_t row = 0; row < rows.size(); ++row) {
    Agent agent;
    agent.channel = rows.text(row, "channel");
    agent.agent = rows.text(row, "agent");
    agent.tenant = rows.text(row, "tenant");
    agent.handset = rows.opt_text(row, "handset");
    agent.has_password = rows.boolean(row, "has_password");
    agent.desired = rows.text(row, "desired");
    agent.actual = rows.opt_text(row, "actual");
    agent.reason = rows.opt_text(row, "reason");
    agent.since = rows.opt_integer(row, "since");
    agent.updated = rows.integer(row, "updated");
    agent.call = rows.opt_integer(row, "call");
    agents.push_back(std::move(agent));
  }
  return agents;
}

pg::Statement retry_agents(const AgentRetry& which, std::int64_t now_ms) {
  return {retry_sql, pg::params(now_ms, which.failing, which.tenant, which.channel, which.agent)};
}

}  // namespace cc
