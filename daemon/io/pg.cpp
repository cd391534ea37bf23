#include "pg.hpp"

#include <utility>

#include "pg_session.hpp"

namespace cc::pg {
namespace {

// Closes the connection when a coroutine leaves it in the middle of an exchange, by whatever road:
// a failure of the link, a cancellation, the loop's own end.
template <class Impl>
class Occupied {
 public:
  explicit Occupied(Impl& impl) : impl_(impl) { impl_.busy = true; }
  Occupied(const Occupied&) = delete;
  ~Occupied() {
    impl_.busy = false;
    if (!complete_) impl_.close();
  }
  void complete() noexcept { complete_ = true; }

 private:
  Impl& impl_;
  bool complete_ = false;
};

}  // namespace

Connection::Connection(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

// A coroutine under way keeps the Impl, but finds it closed.
Connection::~Connection() {
  impl_->close();
}

asio::awaitable<std::unique_ptr<Connection>> Connection::connect(asio::any_io_executor executor,
                                                                 std::string conninfo,
                                                                 Millis timeout) {
  const auto impl = std::make_shared<Impl>(executor);
  co_await Impl::connect(impl, std::move(conninfo), timeout);
  co_return std::unique_ptr<Connection>(new Connection(impl));
}

asio::awaitable<Rows> Connection::query(std::string_view sql, Params params) {
  std::vector<Statement> one;
  one.push_back(Statement(sql, std::move(params)));
  std::vector<Rows> results = co_await pipeline(std::move(one));
  co_return std::move(results.front());
}

asio::awaitable<std::vector<Rows>> Connection::pipeline(std::vector<Statement> statements) {
  const auto impl = impl_;
  Exchange exchange;
  impl->failed_statement = 0;
  impl->check(statements);
  if (statements.empty()) co_return std::vector<Rows>{};
  Occupied occupied(*impl);
  impl->send(statements, exchange);
  co_await Impl::receive(impl, exchange);
  occupied.complete();
  if (exchange.failure) {
    impl->failed_statement = exchange.failed_statement;
    throw Failure(*exchange.failure);
  }
  if (!exchange.twin_column.empty()) {
    throw std::logic_error("two columns named " + exchange.twin_column);
  }
  co_return std::move(exchange.rows);
}

asio::awaitable<void> Connection::script(std::string sql) {
  const auto impl = impl_;
  impl->check({});
  Occupied occupied(*impl);
  std::optional<Failure> failure;
  co_await Impl::run_script(impl, std::move(sql), failure);
  occupied.complete();
  if (failure) throw Failure(*failure);
}

std::size_t Connection::failed_statement() const noexcept {
  return impl_->failed_statement;
}
bool Connection::usable() const noexcept {
  return impl_->usable();
}
bool Connection::in_transaction() const noexcept {
  return impl_->in_transaction();
}
void Connection::set_timeout(Millis timeout) noexcept {
  impl_->timeout = timeout;
}

}  // namespace cc::pg
