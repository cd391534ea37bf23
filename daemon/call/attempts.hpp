// The life of an attempt: planned → sending → accepted | refused | unknown (rules.md, "Attempts").
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include <boost/asio/steady_timer.hpp>

#include "call/failover.hpp"
#include "health.hpp"
#include "parts.hpp"

namespace cc {

class Attempts {
 public:
  explicit Attempts(Parts parts) : parts_(parts) {}

  /// Sends a planned attempt and stores how the channel took it, in the background. Harmless when
  /// somebody else has it, or when its time is over.
  void send(asio::any_io_executor executor, std::int64_t call, int attempt);

  /// Looks after what nobody drives: planned attempts of other or dead daemons, and `sending` ones
  /// whose owner is dead, which become `unknown`: they may have rung. One pass.
  asio::awaitable<void> adopt();

  /// Attempts that this daemon has in hand. None = it may stop.
  std::size_t in_hand() const noexcept { return in_hand_.size(); }

  /// From now on only what is being sent is finished.
  void stop() noexcept { stopping_ = true; }

 private:
  using Key = std::pair<std::int64_t, int>;
  struct Sending;
  asio::awaitable<void> drive(Key key);
  asio::awaitable<bool> begin(Key key, Sending& sending);
  asio::awaitable<OriginateAnswer> originate(Key key, Sending& sending);
  asio::awaitable<OriginateAnswer> ask(Key key, const Sending& sending, Originate request);
  asio::awaitable<void> mark_number(Key key, std::string code);
  asio::awaitable<void> note_slow(Key key, std::int64_t begun_ms,
                                  std::shared_ptr<asio::steady_timer> timer);
  std::vector<std::string> channels_with_sessions() const;
  asio::awaitable<void> refuse_unsent(Key key);
  asio::awaitable<void> mark_unknown(Key key);
  asio::awaitable<void> refuse_unfinished(Key key);
  asio::awaitable<void> store_outcome(Key key, OriginateAnswer answer, std::string request_id);
  asio::awaitable<bool> unite(Key key, std::string channel_call_id);
  asio::awaitable<void> try_store(Key key, const OriginateAnswer& answer,
                                  const std::string& request_id, bool with_channel_id,
                                  bool with_words);

  Parts parts_;
  std::set<Key> in_hand_;
  bool stopping_ = false;
};

}  // namespace cc
