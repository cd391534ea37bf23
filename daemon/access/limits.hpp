// How much a tenant may ask for, over all daemons: see CallLimits in config.hpp.
#pragma once

#include <list>
#include <map>
#include <optional>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "call/calls.hpp"
#include "config.hpp"
#include "io/pg.hpp"
#include "io/waiter.hpp"

namespace cc {

/// Takes a token of the tenant's bucket, which PostgreSQL's clock refills. Nothing where there was
/// one; else the refusal. Only for tenants with callsPerSecond. Throws pg::Failure.
asio::awaitable<std::optional<Refusal>> take_token(pg::Pool& pool, std::string tenant,
                                                   CallLimits limits);

/// A token comes back that was taken for nothing.
asio::awaitable<void> give_token_back(pg::Pool& pool, std::string tenant, CallLimits limits);

/// Counts the tenant's open calls in the transaction that is about to make another one. From here
/// until it ends nobody else counts them, so it has to be this transaction's first lock. Nothing
/// where there may be one more; else the refusal. Only for tenants with concurrentCalls.
asio::awaitable<std::optional<Refusal>> count_open_calls(pg::Transaction& transaction,
                                                         std::string tenant, CallLimits limits,
                                                         std::int64_t now_ms);

/// Where requests of a tenant whose calls are counted wait for each other: here and not in the
/// database, each with one of the connections that other tenants need too.
class CallGates {
 public:
  /// The right to count; given on when it goes. Movable, and lives no longer than the gates.
  class Pass {
   public:
    Pass(CallGates& gates, std::string tenant) : gates_(&gates), tenant_(std::move(tenant)) {}
    Pass(Pass&& other) noexcept : gates_(other.gates_), tenant_(std::move(other.tenant_)) {
      other.gates_ = nullptr;
    }
    Pass& operator=(Pass&&) = delete;
    ~Pass() {
      if (gates_ != nullptr) gates_->leave(tenant_);
    }

   private:
    CallGates* gates_;
    std::string tenant_;
  };

  /// In order of arrival. Throws pg::Failure at the deadline.
  asio::awaitable<Pass> enter(std::string tenant, Waiter::TimePoint deadline);

 private:
  /// In the frame of a coroutine that waits.
  struct Waiting;
  void leave(const std::string& tenant) noexcept;

  std::map<std::string, std::list<Waiting*>> open_;  // tenants with a pass given out
};

}  // namespace cc
