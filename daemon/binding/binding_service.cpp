#include "binding/binding_service.hpp"

#include "agent/agent_check.hpp"
#include "binding/binding_check.hpp"
#include "binding/binding_store.hpp"
#include "phone.hpp"

namespace cc {

asio::awaitable<std::variant<Bindings::Put, BindingRefusal>> BindingService::put(Binding wish) {
  CheckedBinding checked = check_binding(config_, std::move(wish));
  if (!checked.refusals.empty()) co_return std::move(checked.refusals.front());
  const Binding& wished = checked.binding;
  pg::Transaction transaction = co_await pool_.begin();
  if (!checked.seats.empty()) {
    const pg::Statement find = find_seats(wished.tenant, wished.lines);
    const pg::Rows rows = co_await transaction.query(find.sql, find.params);
    const SeatNames known = seats_from_rows(rows);
    for (const std::size_t place : checked.seats) {
      const Binding::Line& line = wished.lines[place];
      if (!known.contains({line.channel, line.agent})) {
        co_return refuse_unknown_line(wished, place);
      }
    }
  }
  const std::vector<Binding> one(1, wished);
  std::vector<pg::Statement> statements;
  statements.push_back(write_bindings(wished.tenant, one, clock_.epoch_ms()));
  statements.push_back(find_binding(wished.tenant, wished.user));
  const std::vector<pg::Rows> done =
      co_await transaction.pipeline_and_commit(std::move(statements));
  Put put;
  put.binding = bindings_from_rows(done[1]).at(0);
  put.created = changes_from_rows(done[0], one).front() == BindingChange::created;
  co_return put;
}

asio::awaitable<std::optional<Binding>> BindingService::get(std::string tenant, std::string user) {
  const pg::Statement find = find_binding(tenant, user);
  const pg::Rows rows = co_await pool_.query(find.sql, find.params);
  if (rows.empty()) co_return std::nullopt;
  co_return bindings_from_rows(rows).front();
}

asio::awaitable<std::vector<Binding>> BindingService::list(std::string tenant,
                                                           BindingFilter filter) {
  if (filter.agent) filter.agent = filtered_agent(config_, filter);
  const pg::Statement list = list_bindings(tenant, filter);
  const pg::Rows rows = co_await pool_.query(list.sql, list.params);
  co_return bindings_from_rows(rows);
}

asio::awaitable<bool> BindingService::remove(std::string tenant, std::string user) {
  const pg::Statement remove = remove_binding(tenant, user);
  const pg::Rows done = co_await pool_.query(remove.sql, remove.params);
  co_return done.affected() > 0;
}

std::string filtered_agent(const Config& config, const BindingFilter& filter) {
  if (filter.channel) return stored_agent(config, *filter.channel, *filter.agent);
  return canonical_number(*filter.agent).value_or(*filter.agent);
}

}  // namespace cc
