#include "recorder/recorder.hpp"

#include <utility>

#include "keys.hpp"
#include "log.hpp"
#include "recorder/spool_replay.hpp"
#include "recorder/spool_stock.hpp"
#include "recorder/spool_writer.hpp"
#include "recorder/streams.hpp"

namespace cc {
namespace {

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
  Impl(const asio::any_io_executor& executor, const Config& config, Clock& its_clock,
       Metrics& its_metrics)
      : clock(its_clock),
        metrics(its_metrics),
        to_stream(metrics.recorded.Add({{"to", "stream"}})),
        to_spool(metrics.recorded.Add({{"to", "spool"}})),
        streams(executor, config, clock),
        stock(config.spool.directory, metrics),
        writer(std::make_shared<SpoolWriter>(executor, config.spool, stock, metrics)),
        replay(config.spool, streams, *writer, stock, clock, metrics) {}
  Impl(const Impl&) = delete;

  static asio::awaitable<std::string> put(std::shared_ptr<Impl> self, Delivery delivery);
  static asio::awaitable<void> run(std::shared_ptr<Impl> self);
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
  bool spooling = false;  // has been said
  bool closing = false;
};

/// Redis if it takes it, else the spool; Redis after all where it was only spared.
asio::awaitable<std::string> Recorder::Impl::put(std::shared_ptr<Impl> self, Delivery delivery) {
  Recording recording;
  recording.partition_hash = hash_of(delivery);
  recording.received_ms = delivery.received_ms;
  recording.envelope = encode_envelope(delivery);
  recording.channel = std::move(delivery.channel);

  // Without a spool a stream that nobody drains is still better than nothing.
  const bool spare = self->streams.full() && self->writer->configured();
  std::string problem = self->streams.taking() && !spare ? "" : self->streams.problem();
  if (problem.empty()) problem = co_await self->streams.add(recording.record());
  if (problem.empty()) {
    self->to_stream.Increment();
    co_return problem;
  }
  if (self->writer->configured()) {
    self->tell_begin(problem);
    std::string unwritten = co_await self->writer->put(recording);
    if (unwritten.empty()) {
      self->to_spool.Increment();
      co_return unwritten;
    }
    problem += "; " + unwritten;
    if (spare && self->streams.taking()) {
      std::string refusal = co_await self->streams.add(recording.record());
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

asio::awaitable<void> Recorder::Impl::run(std::shared_ptr<Impl> self) {
  while (!self->closing) {
    const Millis pause = co_await self->replay.step();
    if (self->replay.at_end()) self->tell_end();
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
