#include "query/scan_gate.hpp"

#include <algorithm>

#include <boost/asio/this_coro.hpp>

namespace cc {

struct ScanGate::Waiting {
  Waiting(ScanGate& its_gate, std::string its_tenant, const asio::any_io_executor& executor,
          Waiter::TimePoint deadline)
      : gate(its_gate), tenant(std::move(its_tenant)), waiter(executor, deadline) {
    gate.queue_of(tenant).push_back(this);
  }
  Waiting(const Waiting&) = delete;
  /// Also where the coroutine is torn down, or waits no longer.
  ~Waiting() {
    if (stage == Stage::queued) {
      gate.queue_of(tenant).remove(this);
      std::erase_if(gate.turns_, [](const Turn& turn) { return turn.pages.empty(); });
    }
    if (stage == Stage::given) gate.leave(tenant);
  }

  ScanGate& gate;
  std::string tenant;
  Waiter waiter;
  enum class Stage { queued, given, taken } stage = Stage::queued;
};

asio::awaitable<ScanGate::Pass> ScanGate::enter(std::string tenant, pg::Millis wait) {
  // Who could run does not wait: so where there is room, nobody is passed by.
  if (running_.size() < most && running_.insert(tenant).second) {
    co_return Pass(*this, std::move(tenant));
  }
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  Waiting waiting(*this, tenant, executor, std::chrono::steady_clock::now() + wait);
  co_await waiting.waiter.wait();
  if (waiting.stage == Waiting::Stage::queued) {
    throw pg::Failure(std::string(busy_state), "too many pages were being looked for");
  }
  waiting.stage = Waiting::Stage::taken;
  co_return Pass(*this, std::move(tenant));
}

std::list<ScanGate::Waiting*>& ScanGate::queue_of(const std::string& tenant) {
  auto at = std::find_if(turns_.begin(), turns_.end(),
                         [&](const Turn& turn) { return turn.tenant == tenant; });
  if (at == turns_.end()) at = turns_.insert(at, Turn{tenant, {}});
  return at->pages;
}

void ScanGate::leave(const std::string& tenant) noexcept {
  running_.erase(tenant);
  admit();
}

void ScanGate::admit() noexcept {
  while (running_.size() < most) {
    const auto at = std::find_if(turns_.begin(), turns_.end(), [this](const Turn& turn) {
      return !running_.contains(turn.tenant);
    });
    if (at == turns_.end()) return;
    Waiting* const next = at->pages.front();
    at->pages.pop_front();
    running_.insert(at->tenant);
    if (at->pages.empty()) {
      turns_.erase(at);
    } else {
      turns_.splice(turns_.end(), turns_, at);
    }
    next->stage = Waiting::Stage::given;
    next->waiter.wake();
  }
}

}  // namespace cc
