// Pages that look through rows, of which their filter passes few, keep a connection of the database
// and a core of its busy: few run at a time, so that calls always find a connection.
#pragma once

#include <cstddef>
#include <list>
#include <set>
#include <string>
#include <utility>

#include <boost/asio/awaitable.hpp>

#include "io/pg.hpp"
#include "io/waiter.hpp"

namespace cc {

/// Too many pages were being read for this one to have its turn: nothing was read. No fault of the
/// database's.
inline constexpr std::string_view busy_state = "53400";

class ScanGate {
 public:
  static constexpr std::size_t most = 2;  // of a daemon at a time; of a tenant one

  /// The right to read one page; given on when it goes. Movable, and lives no longer than the gate.
  class Pass {
   public:
    Pass(ScanGate& gate, std::string tenant) : gate_(&gate), tenant_(std::move(tenant)) {}
    Pass(Pass&& other) noexcept : gate_(other.gate_), tenant_(std::move(other.tenant_)) {
      other.gate_ = nullptr;
    }
    Pass& operator=(Pass&& other) noexcept {
      std::swap(gate_, other.gate_);
      std::swap(tenant_, other.tenant_);
      return *this;
    }
    ~Pass() {
      if (gate_ != nullptr) gate_->leave(tenant_);
    }

   private:
    ScanGate* gate_;
    std::string tenant_;
  };

  /// Tenants take turns, and each one's pages come in order of arrival. Throws pg::Failure of
  /// busy_state where `wait` is over first.
  asio::awaitable<Pass> enter(std::string tenant, pg::Millis wait);

 private:
  /// In the frame of a coroutine that waits.
  struct Waiting;
  /// A tenant whose pages wait.
  struct Turn {
    std::string tenant;
    std::list<Waiting*> pages;
  };

  std::list<Waiting*>& queue_of(const std::string& tenant);
  void leave(const std::string& tenant) noexcept;
  void admit() noexcept;

  std::set<std::string> running_;  // tenants
  std::list<Turn> turns_;          // whose turn is next comes first; none is without pages
};

}  // namespace cc
