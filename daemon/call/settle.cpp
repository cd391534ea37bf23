#include "call/settle.hpp"

namespace cc {

asio::awaitable<bool> settle(Parts parts, std::int64_t call, pg::Statement step, NewEvent event) {
  pg::Transaction transaction = co_await parts.pool.begin();
  std::vector<pg::Statement> statements;
  statements.push_back({"SET LOCAL lock_timeout = '2s'", {}});
  statements.push_back({lock_record_sql, pg::params(call)});
  statements.push_back(std::move(step));
  const std::vector<pg::Rows> rows = co_await transaction.pipeline(std::move(statements));
  if (rows[2].affected() == 0) co_return false;
  NewEvents events;
  events[call].push_back(std::move(event));
  co_await fold_events(transaction, events, parts.clock.epoch_ms());
  co_await transaction.commit();
  parts.watch.notify(call);
  co_return true;
}

}  // namespace cc
