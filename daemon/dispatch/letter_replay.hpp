// A dead letter's second chance: its envelope is understood again, with today's configuration and
// code, and what it says goes the way of every delivery.
#pragma once

#include <optional>

#include <boost/asio/awaitable.hpp>

#include "channel/channels.hpp"
#include "dispatch/letters.hpp"
#include "io/pg.hpp"
#include "parts.hpp"

namespace cc {

/// One transaction stores the events and marks the letter. Idempotent: events have their keys, and
/// a letter that was replayed is left alone. Throws pg::Failure where PostgreSQL is away; a letter
/// whose events PostgreSQL refuses is `still_unreadable`.
asio::awaitable<Replay> replay_letter(pg::Pool& pool, const Channels& channels, Letter letter,
                                      std::int64_t now_ms);

class LetterService final : public DeadLetters {
 public:
  explicit LetterService(Parts parts) : parts_(parts) {}

  asio::awaitable<std::vector<Letter>> list(std::string tenant, LetterFilter filter) override;
  asio::awaitable<std::optional<Letter>> get(std::string tenant, std::int64_t id) override;
  asio::awaitable<std::optional<Replay>> replay(std::string tenant, std::int64_t id) override;

 private:
  LetterFilter seen_by(const std::string& tenant, LetterFilter filter) const;
  bool is_foreign(const std::string& tenant, const std::string& code) const;
  Parts parts_;
};

}  // namespace cc
