#include "agent/agent_service.hpp"

#include "agent/agent_store.hpp"
#include "agent/line_release.hpp"

namespace cc {

asio::awaitable<std::variant<Agents::Put, AgentRefusal>> AgentService::put(AgentWish wish) {
  CheckedAgent checked = check_agent(config_, std::move(wish));
  if (!checked.refusals.empty()) co_return std::move(checked.refusals.front());
  const AgentWish& wished = checked.order.wish;
  const std::int64_t now_ms = clock_.epoch_ms();
  pg::Transaction transaction = co_await pool_.begin();
  const std::vector<AgentOrder> orders{checked.order};
  std::vector<AgentOutcome> outcomes = co_await write_agents(transaction, vault_, orders, now_ms);
  if (AgentRefusal* refusal = std::get_if<AgentRefusal>(&outcomes.front())) {
    co_return std::move(*refusal);
  }
  const pg::Statement find = find_agent(wished.tenant, wished.channel, wished.agent, now_ms);
  const pg::Rows rows = co_await transaction.query(find.sql, find.params);
  Put put;
  put.agent = agents_from_rows(rows).at(0);  // read before the commit: our lock holds it
  put.created = std::get<AgentChange>(outcomes.front()) == AgentChange::created;
  co_await transaction.commit();
  co_return put;
}

asio::awaitable<std::optional<Agent>> AgentService::get(std::string tenant, std::string channel,
                                                        std::string agent) {
  const pg::Statement find =
      find_agent(tenant, channel, stored_agent(config_, channel, agent), clock_.epoch_ms());
  const pg::Rows rows = co_await pool_.query(find.sql, find.params);
  if (rows.empty()) co_return std::nullopt;
  co_return agents_from_rows(rows).front();
}

asio::awaitable<std::vector<Agent>> AgentService::list(std::string tenant, AgentFilter filter) {
  const pg::Statement list = list_agents(tenant, filter, clock_.epoch_ms());
  const pg::Rows rows = co_await pool_.query(list.sql, list.params);
  co_return agents_from_rows(rows);
}

asio::awaitable<std::optional<AgentRefusal>> AgentService::remove(std::string tenant,
                                                                  std::string channel,
                                                                  std::string agent) {
  const std::string stored = stored_agent(config_, channel, agent);
  pg::Transaction transaction = co_await pool_.begin();
  std::optional<AgentRefusal> refusal =
      co_await remove_agent(transaction, tenant, channel, stored, clock_.epoch_ms());
  if (!refusal) co_await transaction.commit();
  co_return refusal;
}

asio::awaitable<std::variant<Agent, AgentRefusal>> AgentService::retry(std::string tenant,
                                                                       std::string channel,
                                                                       std::string agent) {
  AgentRetry which;
  which.tenant = tenant;
  which.channel = channel;
  which.agent = stored_agent(config_, channel, agent);
  const pg::Statement again = retry_agents(which, clock_.epoch_ms());
  co_await pool_.query(again.sql, again.params);
  std::optional<Agent> now = co_await get(tenant, channel, agent);
  if (now) co_return *std::move(now);
  AgentRefusal refusal;
  refusal.code = AgentRefusal::Code::not_found;
  refusal.field = "agent";
  refusal.detail = "there is no line " + shown_line(channel, agent);
  co_return refusal;
}

asio::awaitable<std::variant<Release, AgentRefusal>> AgentService::release(ReleaseOrder order) {
  order.agent = stored_agent(config_, order.channel, order.agent);
  pg::Transaction transaction = co_await pool_.begin();
  auto releasing = release_line(transaction, std::move(order), clock_.epoch_ms());
  std::variant<Release, AgentRefusal> result = co_await std::move(releasing);
  if (std::holds_alternative<Release>(result)) co_await transaction.commit();
  co_return result;
}

}  // namespace cc
