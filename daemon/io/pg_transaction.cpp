#include <algorithm>
#include <utility>

#include "pg.hpp"
#include "pg_pool.hpp"

namespace cc::pg {

Transaction::Transaction(std::unique_ptr<Loan> loan) : loan_(std::move(loan)) {}
Transaction::Transaction(Transaction&&) noexcept = default;
Transaction::~Transaction() = default;

asio::awaitable<Rows> Transaction::query(std::string_view sql, Params params) {
  std::vector<Statement> one;
  one.push_back(Statement(sql, std::move(params)));
  std::vector<Rows> results = co_await pipeline(std::move(one));
  co_return std::move(results.front());
}

asio::awaitable<std::vector<Rows>> Transaction::pipeline(std::vector<Statement> statements) {
  Loan& loan = *loan_;
  if (!loan.connection) throw std::logic_error("the transaction is over");
  if (loan.doomed) throw Failure("25P02", "the transaction has failed before");
  if (statements.empty()) co_return std::vector<Rows>{};
  loan.own_before = loan.begun ? 0 : 1;
  if (!loan.begun) statements.insert(statements.begin(), Statement("BEGIN"));
  loan.begun = true;
  loan.doomed = true;  // until the answers say otherwise
  std::vector<Rows> results;
  try {
    results = co_await loan.connection->pipeline(std::move(statements));
  } catch (const Failure& failure) {
    loan.failed_statement = loan.connection->failed_statement();
    loan.failed_statement -= std::min(loan.failed_statement, loan.own_before);
    loan.pool->failed(failure);
    throw;
  }
  loan.doomed = false;
  loan.pool->succeeded();
  if (loan.own_before == 1) results.erase(results.begin());
  co_return results;
}

std::size_t Transaction::failed_statement() const noexcept {
  return loan_->failed_statement;
}

asio::awaitable<void> Transaction::commit() {
  Loan& loan = *loan_;
  if (!loan.connection) throw std::logic_error("the transaction is over");
  if (loan.begun || loan.doomed) {
    std::vector<Statement> nothing;
    co_await pipeline_and_commit(std::move(nothing));
  }
  loan.give_back();
}

asio::awaitable<std::vector<Rows>> Transaction::pipeline_and_commit(
    std::vector<Statement> statements) {
  Loan& loan = *loan_;
  statements.push_back(Statement("COMMIT"));
  std::vector<Rows> results = co_await pipeline(std::move(statements));
  const bool committed = results.back().command() == "COMMIT";
  results.pop_back();
  loan.give_back();
  if (!committed) throw Failure("40000", "the server rolled the transaction back");
  co_return results;
}

}  // namespace cc::pg
