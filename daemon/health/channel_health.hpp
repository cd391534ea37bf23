// Keeps channels' health: gathers how attempts spoke of their channels, judges breakers and
// silence, and writes the one state that all daemons go by (rules.md, "Health").
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include <boost/asio/awaitable.hpp>

#include "channel/channels.hpp"
#include "config.hpp"
#include "fleet/membership.hpp"
#include "health/breaker.hpp"
#include "health/standing.hpp"
#include "io/clock.hpp"
#include "io/pg.hpp"
#include "metrics.hpp"
#include "store/record_store.hpp"

namespace cc {

class ChannelHealth {
 public:
  ChannelHealth(const Config& config, pg::Pool& pool, const Channels& channels,
                const Membership& membership, Clock& clock, Metrics& metrics)
      : config_(config),
        pool_(pool),
        channels_(channels),
        membership_(membership),
        clock_(clock),
        metrics_(metrics) {}

  /// How an originate went; of several for one attempt the first counts. Stored by the next
  /// flush(): what is lost with a daemon that dies here is the word of a few calls.
  /// `begun_ms`: by the fleet's clock.
  void taken(std::int64_t call, int attempt, std::int64_t begun_ms, ChannelVerdict verdict);

  /// How an accepted call ended, or that it was answered. That calls end well is only of interest
  /// while the channel is being tried.
  void ended(const FoldReport::Judgement& word);

  /// Writes what was told and judges the channels concerned. One pass, to be called often; throws
  /// pg::Failure, and then all of it is kept for the next.
  asio::awaitable<void> flush();

  /// What time alone changes: trials, silence, sign-ins. One pass; one daemon of the fleet does it.
  /// `drained_ms`: everything received before is in the log.
  asio::awaitable<void> look(std::int64_t drained_ms);

 private:
  struct Told {
    std::optional<ChannelVerdict> taken, final;
    std::optional<std::int64_t> begun_ms;
    std::int64_t at_ms = 0;
  };
  using Key = std::pair<std::int64_t, int>;  // call, attempt

  BreakerLimits limits() const;
  asio::awaitable<void> judge(std::string channel);
  asio::awaitable<void> look_at(std::string channel, std::int64_t drained_ms);
  asio::awaitable<void> judge_silence(pg::Transaction& transaction, std::string channel,
                                      std::int64_t drained_ms, std::int64_t now_ms,
                                      ChannelState& state);
  asio::awaitable<void> judge_sign_ins(pg::Transaction& transaction, std::string channel,
                                       std::int64_t now_ms, ChannelState& state);
  asio::awaitable<void> write(pg::Transaction& transaction, std::string channel,
                              ChannelState before, ChannelState after, std::int64_t now_ms);
  void show(const std::string& channel, const ChannelState& state);

  const Config& config_;
  pg::Pool& pool_;
  const Channels& channels_;
  const Membership& membership_;
  Clock& clock_;
  Metrics& metrics_;
  std::map<Key, Told> told_;
  std::set<std::string, std::less<>> tried_;  // channels whose breakers are not closed
};

}  // namespace cc
