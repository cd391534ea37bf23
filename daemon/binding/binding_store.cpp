#include "binding/binding_store.hpp"

#include <map>
#include <string_view>

#include <boost/json.hpp>

namespace cc {
namespace {

namespace json = boost::json;

constexpr std::string_view seats_sql =
    "SELECT a.channel, a.agent FROM unnest($2::varchar[], $3::varchar[]) AS w(channel, agent) "
    "JOIN agent a ON a.channel = w.channel AND a.agent = w.agent "
    "WHERE a.tenant = $1 AND a.desired <> 'deleted'";

#define CC_WISHES                                                                          \
  "unnest($2::varchar[], $3::jsonb[], $4::varchar[], $5::varchar[]) AS w(user_id, lines, " \
  "phone, fallback)"

constexpr std::string_view plan_sql =
    "SELECT w.user_id, b.user_id IS NULL AS created FROM " CC_WISHES
    " LEFT JOIN binding b ON b.tenant = $1 AND b.user_id = w.user_id WHERE b.user_id IS NULL "
    "OR (b.lines, b.phone, b.fallback) IS DISTINCT FROM (w.lines, w.phone, w.fallback)";

// In one order for everybody, so that two who write many can't wait for each other. A row that was
// there already has an xmax: ON CONFLICT locks it.
constexpr std::string_view write_sql =
    "INSERT INTO binding AS b (tenant, user_id, lines, phone, fallback, updated) "
    "SELECT $1, w.user_id, w.lines, w.phone, w.fallback, $6::bigint FROM " CC_WISHES
    " ORDER BY w.user_id ON CONFLICT (tenant, user_id) DO UPDATE SET lines = excluded.lines, "
    "phone = excluded.phone, fallback = excluded.fallback, updated = excluded.updated "
    "WHERE (b.lines, b.phone, b.fallback) IS DISTINCT FROM "
    "(excluded.lines, excluded.phone, excluded.fallback) "
    "RETURNING b.user_id, b.xmax = 0 AS created";

#undef CC_WISHES

#define CC_COLUMNS \
  "SELECT b.tenant, b.user_id, b.lines::text AS lines, b.phone, b.fallback, b.updated "

constexpr std::string_view find_sql =
    CC_COLUMNS "FROM binding b WHERE b.tenant = $1 AND b.user_id = $2";

// By the primary key, from where the page before ended: no more is read than is shown.
constexpr std::string_view list_sql = CC_COLUMNS
    "FROM binding b WHERE b.tenant = $1 AND b.user_id > $2::varchar ORDER BY b.user_id "
    "LIMIT $3::int";

// Users that begin with a text stand behind it.
constexpr std::string_view list_filtered_sql = CC_COLUMNS
    "FROM binding b WHERE b.tenant = $1 AND b.user_id > $2::varchar AND b.user_id >= $3::varchar "
    "AND starts_with(b.user_id, $3::varchar) AND ($4::jsonb IS NULL OR b.lines @> $4::jsonb) "
    "ORDER BY b.user_id LIMIT $5::int";

// Few users have a line in common: they are found by it, and then put in order.
constexpr std::string_view list_by_line_sql =
    "WITH b AS MATERIALIZED (SELECT * FROM binding WHERE lines @> $4::jsonb) " CC_COLUMNS
    "FROM b WHERE b.tenant = $1 AND b.user_id > $2::varchar AND b.user_id >= $3::varchar "
    "AND starts_with(b.user_id, $3::varchar) ORDER BY b.user_id LIMIT $5::int";

#undef CC_COLUMNS

constexpr std::string_view remove_sql = "DELETE FROM binding WHERE tenant = $1 AND user_id = $2";

std::string to_json(const std::vector<Binding::Line>& lines) {
  json::array list;
  for (const Binding::Line& line : lines) {
    list.push_back(json::object{{"channel", line.channel}, {"agent", line.agent}});
  }
  return json::serialize(list);
}

std::vector<Binding::Line> lines_from_json(std::string_view text) {
  std::vector<Binding::Line> lines;
  const json::value list = json::parse(text);
  for (const json::value& item : list.as_array()) {
    lines.push_back(
        {std::string(item.at("channel").as_string()), std::string(item.at("agent").as_string())});
  }
  return lines;
}

pg::Params wishes(const std::string& tenant, const std::vector<Binding>& bindings) {
  std::vector<std::string> users, lines, fallbacks;
  std::vector<OptText> phones;
  for (const Binding& binding : bindings) {
    users.push_back(binding.user);
    lines.push_back(to_json(binding.lines));
    phones.push_back(binding.phone);
    fallbacks.emplace_back(binding.fallback ? "auto" : "never");
  }
  return pg::params(tenant, pg::array(users), pg::array(lines), pg::array(phones),
                    pg::array(fallbacks));
}

/// What a binding's lines must hold, or nothing.
OptText wanted_line(const BindingFilter& filter) {
  if (!filter.channel && !filter.agent) return std::nullopt;
  json::object line;
  if (filter.channel) line["channel"] = *filter.channel;
  if (filter.agent) line["agent"] = *filter.agent;
  return json::serialize(json::array{std::move(line)});
}

}  // namespace

pg::Statement find_seats(const std::string& tenant, const std::vector<Binding::Line>& lines) {
  std::vector<std::string> channels, agents;
  for (const Binding::Line& line : lines) {
    channels.push_back(line.channel);
    agents.push_back(line.agent);
  }
  return {seats_sql, pg::params(tenant, pg::array(channels), pg::array(agents))};
}

SeatNames seats_from_rows(const pg::Rows& rows) {
  SeatNames seats;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    seats.emplace(rows.text(row, "channel"), rows.text(row, "agent"));
  }
  return seats;
}

pg::Statement plan_bindings(const std::string& tenant, const std::vector<Binding>& bindings) {
  return {plan_sql, wishes(tenant, bindings)};
}

pg::Statement write_bindings(const std::string& tenant, const std::vector<Binding>& bindings,
                             std::int64_t now_ms) {
  pg::Params params = wishes(tenant, bindings);
  params.emplace_back(now_ms);
  return {write_sql, std::move(params)};
}

std::vector<BindingChange> changes_from_rows(const pg::Rows& rows,
                                             const std::vector<Binding>& bindings) {
  std::map<std::string, BindingChange, std::less<>> by_user;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    by_user.emplace(rows.text(row, "user_id"),
                    rows.boolean(row, "created") ? BindingChange::created : BindingChange::changed);
  }
  std::vector<BindingChange> changes;
  changes.reserve(bindings.size());
  for (const Binding& binding : bindings) {
    const auto found = by_user.find(binding.user);
    changes.push_back(found == by_user.end() ? BindingChange::same : found->second);
  }
  return changes;
}

pg::Statement find_binding(const std::string& tenant, const std::string& user) {
  return {find_sql, pg::params(tenant, user)};
}

pg::Statement list_bindings(const std::string& tenant, const BindingFilter& filter) {
  const std::string after = filter.after_user.value_or("");
  if (!filter.channel && !filter.agent && !filter.prefix) {
    return {list_sql, pg::params(tenant, after, filter.limit)};
  }
  return {filter.agent ? list_by_line_sql : list_filtered_sql,
          pg::params(tenant, after, filter.prefix.value_or(""), wanted_line(filter), filter.limit)};
}

std::vector<Binding> bindings_from_rows(const pg::Rows& rows) {
  std::vector<Binding> bindings;
  bindings.reserve(rows.size());
  for (std::size_t row = 0; row < rows.size(); ++row) {
    Binding binding;
    binding.tenant = rows.text(row, "tenant");
    binding.user = rows.text(row, "user_id");
    binding.lines = lines_from_json(rows.text(row, "lines"));
    binding.phone = rows.opt_text(row, "phone");
    binding.fallback = rows.text(row, "fallback") != "never";
    binding.updated = rows.integer(row, "updated");
    bindings.push_back(std::move(binding));
  }
  return bindings;
}

pg::Statement remove_binding(const std::string& tenant, const std::string& user) {
  return {remove_sql, pg::params(tenant, user)};
}

}  // namespace cc
