#include "fake_calls.hpp"

#include <stdexcept>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "io/pg.hpp"

namespace cc::test {
namespace {

using Millis = std::chrono::milliseconds;

/// Waits in small steps: simple, and good enough for a fake.
asio::awaitable<void> step() {
  auto executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor, Millis(5));
  co_await timer.async_wait(asio::use_awaitable);
}

}  // namespace

StoredRecord make_record(std::int64_t id, const std::string& tenant) {
  StoredRecord record;
  record.constants.id = id;
  record.constants.tenant = tenant;
  record.constants.caller = "13900001111";
  record.constants.called = "13812345678";
  record.constants.biz_data = "{\"a\": 1}\n\u2028 \"q\" ";
  record.constants.created = 1'795'341'600'000;
  record.folded.caller = record.constants.caller;
  record.folded.called = record.constants.called;
  record.folded.agent = "13900001111";
  record.folded.channel = "e9";
  record.folded.call_id = "420d9ec4557f4eeabfb003983d5b2049";
  record.folded.ch_audio_url = "https://rec.example/13812345678.mp3";
  record.updated = 1'795'341'600'500;
  record.version = 1;
  return record;
}

Script FakeCalls::script() const {
  const std::lock_guard lock(mutex_);
  return script_;
}

void FakeCalls::fail_if_told(bool creating) const {
  const Script told = script();
  if (told.bug) throw std::logic_error("a bug about 13812345678");
  if (told.failure && !(creating && told.failure_after_create)) {
    throw pg::Failure(*told.failure, "connection to 13812345678 lost");
  }
}

std::optional<StoredRecord> FakeCalls::find(const std::string& tenant, std::int64_t call) const {
  const std::lock_guard lock(mutex_);
  const auto found = records_.find(call);
  if (found == records_.end() || found->second.constants.tenant != tenant) return std::nullopt;
  return found->second;
}

asio::awaitable<std::variant<Created, Refusal>> FakeCalls::create(NewCall request) {
  fail_if_told(true);
  const Script told = script();
  if (told.refusal) co_return *told.refusal;
  Created made;
  made.replayed = told.replayed;
  {
    const std::lock_guard lock(mutex_);
    made.record =
        make_record(first_id + static_cast<std::int64_t>(created_.size()), request.tenant);
    created_.push_back(std::move(request));
    records_[made.record.constants.id] = made.record;
  }
  co_return made;
}

asio::awaitable<AttemptOutcome> FakeCalls::wait_outcome(std::int64_t, Millis wait) {
  {
    const std::lock_guard lock(mutex_);
    waits_.push_back(wait.count());
  }
  const auto end = std::chrono::steady_clock::now() + std::min(wait, Millis(300));
  while (true) {
    fail_if_told();
    const Script told = script();
    if (told.outcome.outcome != Outcome::pending) co_return told.outcome;
    if (ended_ || std::chrono::steady_clock::now() >= end) co_return told.outcome;
    auto pause = step();
    co_await std::move(pause);
  }
}

asio::awaitable<std::optional<StoredRecord>> FakeCalls::get(std::string tenant, std::int64_t call,
                                                            std::optional<std::int64_t> above,
                                                            Millis wait) {
  const auto end = std::chrono::steady_clock::now() + wait;
  fail_if_told();
  {
    const std::lock_guard lock(mutex_);
    ++waiting_;
  }
  std::optional<StoredRecord> record;
  while (true) {
    record = find(tenant, call);
    if (!record || !above || record->version > *above) break;
    const bool told_to_end = ended_ && !script().ignores_end_waits;
    if (told_to_end || std::chrono::steady_clock::now() >= end) break;
    auto pause = step();
    co_await std::move(pause);
  }
  const std::lock_guard lock(mutex_);
  --waiting_;
  co_return record;
}

asio::awaitable<std::optional<Timeline>> FakeCalls::timeline(std::string tenant,
                                                             std::int64_t call) {
  fail_if_told();
  if (!find(tenant, call)) co_return std::nullopt;
  const std::lock_guard lock(mutex_);
  co_return timelines_[call];
}

asio::awaitable<std::optional<HangupAnswer>> FakeCalls::hangup(std::string tenant,
                                                               std::int64_t call, std::string) {
  fail_if_told();
  auto record = find(tenant, call);
  if (!record) co_return std::nullopt;
  HangupAnswer answer;
  answer.already_closed = record->folded.state == "close";
  answer.record = *std::move(record);
  co_return answer;
}

void FakeCalls::end_waits() {
  ended_ = true;
}

void FakeCalls::set(const Script& told) {
  const std::lock_guard lock(mutex_);
  script_ = told;
}

void FakeCalls::put(const StoredRecord& record) {
  const std::lock_guard lock(mutex_);
  records_[record.constants.id] = record;
}

void FakeCalls::put(std::int64_t call, const Timeline& timeline) {
  const std::lock_guard lock(mutex_);
  timelines_[call] = timeline;
}

std::vector<NewCall> FakeCalls::created() const {
  const std::lock_guard lock(mutex_);
  return created_;
}

std::vector<std::int64_t> FakeCalls::waits() const {
  const std::lock_guard lock(mutex_);
  return waits_;
}

std::size_t FakeCalls::waiting() const {
  const std::lock_guard lock(mutex_);
  return waiting_;
}

}  // namespace cc::test
