// Stands in for the daemon behind the API: calls live in a map, and tests say what shall happen.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "call/calls.hpp"
#include "health.hpp"
#include "io/clock.hpp"

namespace cc::test {

/// What a test arranges. Copied by the loop at each use.
struct Script {
  std::optional<Refusal> refusal;
  std::optional<std::string> failure;  // sqlstate of a pg::Failure that everything throws
  bool failure_after_create = false;   // …but create()
  bool bug = false;                    // throws something else
  bool replayed = false;
  AttemptOutcome outcome;
  bool ignores_end_waits = false;
};

class FakeCalls final : public Calls {
 public:
  static constexpr std::int64_t first_id = 720'000'000'000'000'001;

  asio::awaitable<std::variant<Created, Refusal>> create(NewCall request) override;
  asio::awaitable<AttemptOutcome> wait_outcome(std::int64_t call,
                                               std::chrono::milliseconds wait) override;
  asio::awaitable<std::optional<StoredRecord>> get(std::string tenant, std::int64_t call,
                                                   std::optional<std::int64_t> above,
                                                   std::chrono::milliseconds wait) override;
  asio::awaitable<std::optional<Timeline>> timeline(std::string tenant, std::int64_t call) override;
  asio::awaitable<std::optional<HangupAnswer>> hangup(std::string tenant, std::int64_t call,
                                                      std::string request_id) override;
  void end_waits() override;

  // From the test's thread:
  void set(const Script& script);
  void put(const StoredRecord& record);
  void put(std::int64_t call, const Timeline& timeline);
  std::vector<NewCall> created() const;
  std::vector<std::int64_t> waits() const;  // ms asked of wait_outcome()
  std::size_t waiting() const;              // coroutines that wait now

 private:
  Script script() const;
  void fail_if_told(bool creating = false) const;
  std::optional<StoredRecord> find(const std::string& tenant, std::int64_t call) const;

  mutable std::mutex mutex_;
  Script script_;
  std::map<std::int64_t, StoredRecord> records_;
  std::map<std::int64_t, Timeline> timelines_;
  std::vector<NewCall> created_;
  std::vector<std::int64_t> waits_;
  std::size_t waiting_ = 0;
  bool ended_ = false;
};

struct FakeHealth final : Health {
  std::vector<PartHealth> parts() const override {
    const std::lock_guard lock(mutex);
    return list;
  }
  bool draining() const override {
    const std::lock_guard lock(mutex);
    return ends;
  }
  mutable std::mutex mutex;
  std::vector<PartHealth> list{{"postgresql", true, "reachable"}};
  bool ends = false;
};

/// 2026-11-22T10:00:00Z for ever.
struct StillClock final : Clock {
  std::int64_t epoch_ms() const override { return 1'795'341'600'000; }
  std::chrono::steady_clock::time_point steady() const override {
    return std::chrono::steady_clock::now();
  }
  asio::awaitable<void> sleep_for(Millis) override { co_return; }
};

StoredRecord make_record(std::int64_t id, const std::string& tenant = "acme");

}  // namespace cc::test
