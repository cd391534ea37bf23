// Where ccd itself stores what a channel said in an answer (a poll's, a query's): in the stream, or
// on disk while Redis cannot take it (rules.md, "Spool"). NGINX's recorder is the same for
// callbacks.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "config.hpp"
#include "envelope.hpp"
#include "health.hpp"
#include "io/clock.hpp"
#include "metrics.hpp"

namespace cc {

namespace asio = boost::asio;

class Recorder {
 public:
  /// `config` is read at construction for redis, stream and spool (a restart changes them).
  Recorder(asio::any_io_executor executor, const Config& config, Clock& clock, Metrics& metrics);
  ~Recorder();
  Recorder(const Recorder&) = delete;

  /// Returns when the delivery is safe: Redis has answered, or it lies in a spool file that was
  /// synced. Not empty = neither took it, and why; the caller still has it and should try again.
  asio::awaitable<std::string> put(Delivery delivery);

  /// Replays the spool, this process' and those of dead ones in the same directory, until
  /// cancelled. To be started once.
  asio::awaitable<void> run();

  /// received-ms of the oldest delivery in the spool directory; 0 = none, or no spool configured.
  std::int64_t oldest_ms() const noexcept;

  PartHealth health() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace cc
