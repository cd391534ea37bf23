#include "agent/agent_import.hpp"

#include <algorithm>
#include <map>
#include <utility>
#include <variant>

#include "agent/agent_store.hpp"

namespace cc {
namespace {

constexpr std::size_t batch_size = 500;

struct Row {
  std::size_t line = 0;
  AgentOrder order;
};

void complain(AgentImport& result, std::size_t line, const AgentRefusal& refusal) {
  result.complaints.push_back({line, refusal.field, refusal.detail});
}

/// The rows that are right in themselves.
std::vector<Row> check_rows(const Config& config, std::vector<AgentRow> given,
                            AgentImport& result) {
  std::vector<Row> rows;
  std::map<std::pair<std::string, std::string>, std::size_t> seen;
  for (AgentRow& row : given) {
    CheckedAgent checked = check_agent(config, std::move(row.wish));
    for (const AgentRefusal& refusal : checked.refusals) complain(result, row.line, refusal);
    if (!checked.refusals.empty()) continue;
    const AgentWish& wish = checked.order.wish;
    const auto [first, added] = seen.emplace(std::pair(wish.channel, wish.agent), row.line);
    if (!added) {
      result.complaints.push_back(
          {row.line, "agent",
           "is in line " + std::to_string(first->second) + " already: leave one out"});
      continue;
    }
    rows.push_back({row.line, std::move(checked.order)});
  }
  return rows;
}

void count(AgentImport& result, AgentChange change) {
  switch (change) {
    case AgentChange::created:
      ++result.created;
      break;
    case AgentChange::changed:
      ++result.changed;
      break;
    case AgentChange::same:
      ++result.same;
      break;
  }
}

enum class Pass { look, change };

/// One transaction; nothing of it stays where one of its rows is refused.
asio::awaitable<void> run_batch(pg::Pool& pool, const Vault& vault, std::vector<Row> batch,
                                std::int64_t now_ms, Pass pass, AgentImport& result) {
  std::vector<AgentOrder> orders;
  orders.reserve(batch.size());
  for (Row& row : batch) orders.push_back(std::move(row.order));
  pg::Transaction transaction = co_await pool.begin();
  auto working = pass == Pass::look ? plan_agents(transaction, vault, std::move(orders), now_ms)
                                    : write_agents(transaction, vault, std::move(orders), now_ms);
  const std::vector<AgentOutcome> outcomes = co_await std::move(working);
  AgentImport counted;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (const AgentRefusal* refusal = std::get_if<AgentRefusal>(&outcomes[i])) {
      complain(result, batch[i].line, *refusal);
    } else {
      count(counted, std::get<AgentChange>(outcomes[i]));
    }
  }
  if (!result.complaints.empty()) co_return;
  if (pass == Pass::change) co_await transaction.commit();
  result.created += counted.created;
  result.changed += counted.changed;
  result.same += counted.same;
}

std::vector<Row> batch_of(const std::vector<Row>& rows, std::size_t from) {
  const auto begin = rows.begin() + static_cast<std::ptrdiff_t>(from);
  return {begin, begin + static_cast<std::ptrdiff_t>(std::min(batch_size, rows.size() - from))};
}

void sort_by_line(std::vector<AgentComplaint>& complaints) {
  std::stable_sort(
      complaints.begin(), complaints.end(),
      [](const AgentComplaint& a, const AgentComplaint& b) { return a.line < b.line; });
}

}  // namespace

asio::awaitable<AgentImport> import_agents(pg::Pool& pool, const Config& config, const Vault& vault,
                                           AgentFile file, std::int64_t now_ms, bool dry,
                                           std::function<void(std::size_t)> progress) {
  AgentImport result;
  result.complaints = std::move(file.complaints);
  const std::vector<Row> rows = check_rows(config, std::move(file.rows), result);
  for (std::size_t from = 0; from < rows.size(); from += batch_size) {
    co_await run_batch(pool, vault, batch_of(rows, from), now_ms, Pass::look, result);
  }
  sort_by_line(result.complaints);
  if (dry || !result.complaints.empty()) co_return result;
  result = {};
  for (std::size_t from = 0; from < rows.size(); from += batch_size) {
    co_await run_batch(pool, vault, batch_of(rows, from), now_ms, Pass::change, result);
    if (!result.complaints.empty()) break;
    if (progress) progress(std::min(from + batch_size, rows.size()));
  }
  co_return result;
}

}  // namespace cc
