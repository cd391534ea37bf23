#include "pg_pool.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include <boost/asio/co_spawn.hpp>

#include "pg_session.hpp"

namespace cc::pg {
namespace {

constexpr Millis connect_timeout{5000};

// A plan once a statement and connection: planning over all months costs more than most statements
// do, and the partition is found when the plan begins to run all the same.
constexpr std::string_view session_options =
    "-c synchronous_commit=on -c timezone=UTC -c bytea_output=hex -c statement_timeout=9000 "
    "-c plan_cache_mode=force_generic_plan "
    "-c idle_in_transaction_session_timeout=30000";

// An entry in a list for as long as a coroutine stays in a block.
template <class Item>
class Listed {
 public:
  Listed(std::list<Item>& list, Item item) : list_(list), item_(std::move(item)) {
    list_.push_back(item_);
  }
  Listed(const Listed&) = delete;
  ~Listed() { list_.remove(item_); }

 private:
  std::list<Item>& list_;
  Item item_;
};

}  // namespace

Pool::Impl::Impl(asio::any_io_executor its_executor, const std::string& its_conninfo,
                 std::size_t its_size)
    : executor(std::move(its_executor)),
      conninfo(complete_conninfo(its_conninfo, session_options)),
      size(std::max<std::size_t>(its_size, 1)) {}

Pool::Impl::Waiting::Waiting(std::shared_ptr<Impl> its_pool, Millis timeout)
    : pool(std::move(its_pool)),
      waiter(pool->executor, std::chrono::steady_clock::now() + timeout) {
  pool->waiting.push_back(this);
}

Pool::Impl::Waiting::~Waiting() {
  pool->waiting.remove(this);
  // Cancelled just when a connection had been given.
  if (connection) pool->take_back(std::move(connection));
}

asio::awaitable<Pool::Impl::Lent> Pool::Impl::acquire(std::shared_ptr<Impl> self, Millis timeout) {
  if (self->waiting.empty()) {
    while (!self->idle.empty() && !self->closing) {
      Lent connection = std::move(self->idle.back());
      self->idle.pop_back();
      if (!connection->impl_->alive()) continue;
      ++self->lent;
      co_return connection;
    }
  }
  Waiting me(self, timeout);
  self->open_more();
  bool woken = true;
  if (!self->closing) woken = co_await me.waiter.wait();
  if (me.connection) co_return std::move(me.connection);
  if (self->closing) throw Failure("", "the pool is closed");
  std::string why = "no database connection within " + std::to_string(timeout.count()) + " ms";
  if (!woken && self->trouble) why += ": " + self->last_error;
  throw Failure("", why);
}

void Pool::Impl::give(Lent connection) {
  if (closing) return;
  if (waiting.empty()) {
    idle.push_back(std::move(connection));
    return;
  }
  Waiting& first = *waiting.front();
  waiting.pop_front();
  first.connection = std::move(connection);
  ++lent;
  first.waiter.wake();
}

void Pool::Impl::take_back(Lent connection) noexcept {
  --lent;
  try {
    if (!closing && connection->in_transaction()) connection->impl_->roll_back();
    if (!closing && connection->usable()) {
      give(std::move(connection));
    } else {
      connection.reset();
      open_more();
    }
  } catch (const std::exception& error) {  // no memory
    last_error = error.what();
  }
}

void Pool::Impl::open_more() {
  while (wanted() && openers < waiting.size() && lent + idle.size() + openers < size &&
         (!trouble || openers == 0)) {
    ++openers;
    // Not cancelled by a signal, which would have to outlive the coroutine: close() ends what it
    // waits for instead.
    asio::co_spawn(executor, open(shared_from_this()),
                   [self = shared_from_this()](const std::exception_ptr&) {
                     --self->openers;
                     self->open_more();
                   });
  }
}

asio::awaitable<void> Pool::Impl::open(std::shared_ptr<Impl> self) {
  while (self->wanted()) {
    // While connects fail one coroutine tries, for all who wait.
    if (self->trouble && self->openers > 1) co_return;
    if (std::chrono::steady_clock::now() < self->not_before) {
      Waiter pause(self->executor, self->not_before);
      const Listed listed(self->pauses, &pause);
      co_await pause.wait();
      continue;
    }
    const auto made = std::make_shared<Connection::Impl>(self->executor);
    const Listed listed(self->connecting, made);
    std::optional<Failure> failure;
    try {
      co_await Connection::Impl::connect(made, self->conninfo, connect_timeout);
    } catch (const Failure& thrown) {
      failure = thrown;
    }
    if (self->closing) co_return;
    if (!failure) {
      ++self->connects;
      self->trouble = false;
      self->reachable = true;
      self->backoff.reset();
      self->give(Lent(new Connection(made)));
      co_return;
    }
    ++self->failures;
    self->trouble = true;
    self->failed(*failure);
    // Several that failed together make one pause, not a longer one each.
    const auto now = std::chrono::steady_clock::now();
    if (now >= self->not_before) self->not_before = now + self->backoff.next();
  }
}

void Pool::Impl::failed(const Failure& failure) {
  last_error = failure.what();
  reachable = !failure.connection_lost();
}

void Pool::Impl::close() noexcept {
  closing = true;
  idle.clear();
  // Waking and closing only post: nobody's coroutine runs in here.
  for (Waiting* waiter : waiting) waiter->waiter.wake();
  for (Waiter* pause : pauses) pause->wake();
  for (const auto& connection : connecting) connection->close();
}

// NOLINTNEXTLINE(performance-unnecessary-value-param): the signature is the header's
Pool::Pool(asio::any_io_executor executor, std::string conninfo, std::size_t size)
    : impl_(std::make_shared<Impl>(std::move(executor), std::move(conninfo), size)) {}

Pool::~Pool() {
  impl_->close();
}

asio::awaitable<Transaction> Pool::begin(Millis timeout) {
  auto loan = std::make_unique<Transaction::Loan>(impl_);
  loan->connection = co_await Impl::acquire(loan->pool, timeout);
  co_return Transaction(std::move(loan));
}

asio::awaitable<Rows> Pool::query(std::string_view sql, Params params, Millis timeout) {
  // The loan gives the connection back, whatever happens.
  Transaction::Loan loan(impl_);
  loan.connection = co_await Impl::acquire(loan.pool, timeout);
  try {
    Rows rows = co_await loan.connection->query(sql, std::move(params));
    loan.pool->succeeded();
    co_return rows;
  } catch (const Failure& failure) {
    loan.pool->failed(failure);
    throw;
  }
}

Pool::Status Pool::status() const {
  Status status;
  status.open = impl_->lent + impl_->idle.size();
  status.idle = impl_->idle.size();
  status.waiting = impl_->waiting.size();
  status.connects = impl_->connects;
  status.failures = impl_->failures;
  status.reachable = impl_->reachable;
  status.last_error = impl_->last_error;
  return status;
}

}  // namespace cc::pg
