#include "recorder/recorder.hpp"

#include <list>
#include <utility>

#include "io/waiter.hpp"
#include "keys.hpp"
#include "log.hpp"
#include "recorder/spool_replay.hpp"
#include "recorder/spool_stock.hpp"
#include "recorder/spool_writer.hpp"
#include "recorder/streams.hpp"

namespace cc {
namespace {

constexpr unsigned most_steps_held = 30;
constexpr std::chrono::milliseconds longest_hold{1000};

/// As partition_of() has it, before it is brought down to the number of partitions, which may be
/// another one when the spool is replayed.
std::uint32_t hash_of(const Delivery& delivery) {
  const bool has_subject = delivery.source == Source::poll || delivery.source == Source::query;
  return partition_hash(has_subject ? std::string_view(delivery.subject) : std::string_view{}, {},
                        delivery.body);
}

}  // namespace

/// Shared by the Recorder and the coroutines in put() and run().
struct Recorder::Impl {
  Impl(const asio::any_io_executor& executor_of_loop, const Config& config, Clock& its_clock,
       Metrics& its_metrics)
      : clock(its_clock),
        metrics(its_metrics),
        to_stream(metrics.recorded.Add({{"to", "stream"}})),
        to_spool(metrics.recorded.Add({{"to", "spool"}})),
        streams(executor_of_loop, config, clock),
        stock(config.spool.directory, metrics),
        writer(std::make_shared<SpoolWriter>(executor_of_loop, config.spool, stock, metrics)),
        replay(config.spool, streams, *writer, stock, clock, metrics),
        executor(executor_of_loop) {}
  Impl(const Impl&) = delete;

  static asio::awaitable<std::string> put(std::shared_ptr<Impl> self, Delivery delivery);
  static asio::awaitable<void> run(std::shared_ptr<Impl> self);
  /// While older deliveries lie in our spool, newer ones queue up behind them: whose an event of a
  /// line is, depends on those before it. Returns whether they still do.
  static asio::awaitable<bool> queues(std::shared_ptr<Impl> self);
  void hold_or_release();
  void tell_begin(const std::string& why);
  void tell_end();

  Clock& clock;
  Metrics& metrics;
  prometheus::Counter& to_stream;
  prometheus::Counter& to_spool;
  Streams streams;
  SpoolStock stock;
  std::shared_ptr<SpoolWriter> writer;
  SpoolReplay replay;
  asio::any_io_executor executor;
  bool spooling = false;  // has been said
  // The last of the spool is being replayed: whoever comes now waits for that moment, or there
  // would always be a little more.
  bool holding = false;
  unsigned steps_held = 0;
  std::list<Waiter*> held;
  bool closing = false;
};

/// Redis if it takes it, else the spool; Redis after all where it was only spared.
asio::awaitable<std::string> Recorder::Impl::put(std::shared_ptr<Impl> self, Delivery delivery) {
  SpoolItem item;
  item.partition_hash = hash_of(delivery);
  item.received_ms = delivery.received_ms;
  item.envelope = encode_envelope(delivery);
  item.channel = std::move(delivery.channel);

  // Without a spool a stream that nobody drains is still better than nothing.
  const bool spare = self->streams.full() && self->writer->configured();
  std::string problem = self->streams.taking() && !spare ? "" : self->streams.problem();
  const bool queued = problem.empty() && co_await queues(self);
  if (queued) problem = "older deliveries are still in the spool";
  if (problem.empty()) problem = co_await self->streams.add(item.record());
  if (problem.empty()) {
    self->to_stream.Increment();
    co_return problem;
  }
  if (self->writer->configured()) {
    self->tell_begin(problem);
    std::string unwritten = co_await self->writer->put(item);
    if (unwritten.empty()) {
      self->to_spool.Increment();
      co_return unwritten;
    }
    problem += "; " + unwritten;
    if ((spare || queued) && self->streams.taking()) {  // out of order is better than not at all
      std::string refusal = co_await self->streams.add(item.record());
      if (refusal.empty()) {
        self->to_stream.Increment();
        co_return refusal;
      }
      problem += "; " + refusal;
    }
  }
  self->metrics.recorder_refused.Increment();
  co_return problem;
}

asio::awaitable<bool> Recorder::Impl::queues(std::shared_ptr<Impl> self) {
  if (!self->spooling || !self->writer->configured()) co_return false;
  if (self->holding) {
    Waiter waiter(self->executor, std::chrono::steady_clock::now() + longest_hold);
    struct Listed {
      std::list<Waiter*>& list;
      Waiter* waiter;
      ~Listed() { list.remove(waiter); }
    };
    const Listed guard{self->held, &waiter};
    self->held.push_back(&waiter);
    co_await waiter.wait();
  }
  co_return self->spooling;
}

void Recorder::Impl::hold_or_release() {
  if (!holding) {
    holding = spooling && streams.taking() && !streams.full() && replay.between_files();
    steps_held = 0;
  } else if (!spooling || !streams.taking() || ++steps_held == most_steps_held) {
    holding = false;
    for (Waiter* waiter : held) waiter->wake();
  }
}

asio::awaitable<void> Recorder::Impl::run(std::shared_ptr<Impl> self) {
  while (!self->closing) {
    const Millis pause = co_await self->replay.step();
    if (self->replay.at_end()) self->tell_end();
    self->hold_or_release();
    co_await self->clock.sleep_for(pause);
  }
}

void Recorder::Impl::tell_begin(const std::string& why) {
  if (std::exchange(spooling, true)) return;
  log().warn("what channels say goes to the spool: {}", why);
}

void Recorder::Impl::tell_end() {
  const std::uint64_t replayed = replay.take_replayed();
  if (!std::exchange(spooling, false) && replayed == 0) return;
  log().info("what channels say goes to Redis; {} deliveries were replayed from the spool",
             replayed);
}

Recorder::Recorder(asio::any_io_executor executor, const Config& config, Clock& clock,
                   Metrics& metrics)
    : impl_(std::make_shared<Impl>(executor, config, clock, metrics)) {}

Recorder::~Recorder() {
  impl_->closing = true;
}

// Not coroutines themselves: these would refer to the Recorder, which may go first.
asio::awaitable<std::string> Recorder::put(Delivery delivery) {
  return Impl::put(impl_, std::move(delivery));
}

asio::awaitable<void> Recorder::run() {
  return Impl::run(impl_);
}

std::int64_t Recorder::oldest_ms() const noexcept {
  return impl_->stock.oldest_ms();
}

PartHealth Recorder::health() const {
  PartHealth health;
  health.part = "recorder";
  const std::string problem = impl_->streams.problem();
  const std::uint64_t bytes = impl_->stock.bytes();
  health.ok = true;
  if (problem.empty()) {
    health.says = bytes == 0 ? "Redis" : "Redis; replaying, " + std::to_string(bytes) + " bytes";
  } else if (impl_->writer->configured() && impl_->writer->problem().empty()) {
    health.says = "spooling: " + problem + ", " + std::to_string(bytes) + " bytes";
  } else {
    health.ok = impl_->streams.full() && impl_->streams.taking();  // the last resort
    health.says = problem;
    if (impl_->writer->configured()) health.says += "; " + impl_->writer->problem();
  }
  return health;
}

}  // namespace cc
