#include "agent/agent_import.hpp"

#include <map>
#include <utility>
#include <variant>

#include "agent/agent_store.hpp"

namespace cc {
namespace {

struct Row {
  std::size_t line = 0;
  AgentOrder order;
};

FileComplaint complaint(std::size_t line, const AgentRefusal& refusal) {
  return {line, refusal.field, refusal.detail};
}

/// The rows that are right in themselves.
std::vector<Row> check_rows(const Config& config, std::vector<AgentRow> given,
                            std::vector<FileComplaint>& complaints) {
  std::vector<Row> rows;
  std::map<std::pair<std::string, std::string>, std::size_t> seen;
  for (AgentRow& row : given) {
    CheckedAgent checked = check_agent(config, std::move(row.wish));
    for (const AgentRefusal& refusal : checked.refusals) {
      complaints.push_back(complaint(row.line, refusal));
    }
    if (!checked.refusals.empty()) continue;
    const AgentWish& wish = checked.order.wish;
    const auto [first, added] = seen.emplace(std::pair(wish.channel, wish.agent), row.line);
    if (!added) {
      complaints.push_back(
          {row.line, "agent",
           "is in line " + std::to_string(first->second) + " already: leave one out"});
      continue;
    }
    rows.push_back({row.line, std::move(checked.order)});
  }
  return rows;
}

void count(ImportResult& result, AgentChange change) {
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

/// One transaction; nothing of it stays where one of its rows is refused.
asio::awaitable<ImportResult> run_batch(pg::Pool& pool, const Vault& vault, std::vector<Row> batch,
                                        std::int64_t now_ms, ImportPass pass) {
  std::vector<AgentOrder> orders;
  orders.reserve(batch.size());
  for (Row& row : batch) orders.push_back(std::move(row.order));
  pg::Transaction transaction = co_await pool.begin();
  auto working = pass == ImportPass::look
                     ? plan_agents(transaction, vault, std::move(orders), now_ms)
                     : write_agents(transaction, vault, std::move(orders), now_ms);
  const std::vector<AgentOutcome> outcomes = co_await std::move(working);
  ImportResult counted, refused;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (const AgentRefusal* refusal = std::get_if<AgentRefusal>(&outcomes[i])) {
      refused.complaints.push_back(complaint(batch[i].line, *refusal));
    } else {
      count(counted, std::get<AgentChange>(outcomes[i]));
    }
  }
  if (!refused.complaints.empty()) co_return refused;
  if (pass == ImportPass::change) co_await transaction.commit();
  co_return counted;
}

}  // namespace

asio::awaitable<ImportResult> import_agents(pg::Pool& pool, const Config& config,
                                            const Vault& vault, AgentFile file, std::int64_t now_ms,
                                            bool dry, std::function<void(std::size_t)> progress) {
  std::vector<FileComplaint> complaints = std::move(file.complaints);
  const std::vector<Row> rows = check_rows(config, std::move(file.rows), complaints);
  ImportBatch batch = [&](std::size_t from, std::size_t to, ImportPass pass) {
    const auto begin = rows.begin();
    std::vector<Row> some(begin + static_cast<std::ptrdiff_t>(from),
                          begin + static_cast<std::ptrdiff_t>(to));
    return run_batch(pool, vault, std::move(some), now_ms, pass);
  };
  auto importing =
      run_import(rows.size(), std::move(complaints), dry, std::move(batch), std::move(progress));
  co_return co_await std::move(importing);
}

}  // namespace cc
