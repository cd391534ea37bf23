// The lines with a session that this daemon owns: claimed, spread over the fleet, handed over,
// written back (rules.md, "Ownership among daemons"). Each is polled by a Seat of its own.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "channel/session.hpp"
#include "parts.hpp"
#include "poller/admission.hpp"
#include "poller/seat.hpp"
#include "poller/seat_rows.hpp"
#include "recorder/recorder.hpp"
#include "vault.hpp"

namespace cc {

class Seats final : public Lines {
 public:
  Seats(asio::any_io_executor executor, pg::Pool& pool, Clock& clock, Membership& membership,
        const Channels& channels, Recorder& recorder, const Vault& vault, Metrics& metrics);

  /// Claims what nobody owns, heeds what was changed, hands over what is more than our share. One
  /// pass; throws pg::Failure, and then everything goes on as it was.
  asio::awaitable<void> spread();

  /// Writes new sessions and states. One pass, to be called often; throws pg::Failure.
  asio::awaitable<void> flush();

  /// No further polls; returns when all that was under way is stored and handed over, or at the
  /// deadline.
  asio::awaitable<void> stop(std::chrono::steady_clock::time_point until);

  PartHealth health() const;

  /// Whether it has a share of the fleet's lines, and goes on having one.
  bool keeping() const { return !stopping_ && !polled_channels().empty(); }

  bool serves(std::string_view channel, std::string_view agent) const override;
  asio::awaitable<Lease> lease(std::string channel, std::string agent, std::string handset,
                               Millis patience) override;
  void lost(std::string_view channel, std::string_view agent,
            const std::shared_ptr<LineSession>& session) override;
  std::int64_t line_ms() const override;

 private:
  using Key = SeatKey;

  SeatOwner owner() const { return {membership_.id(), membership_.epoch()}; }
  std::vector<std::string> polled_channels() const;
  asio::awaitable<void> claim(std::vector<std::string> channels);
  asio::awaitable<void> heed_changes();
  asio::awaitable<void> check_ours();
  asio::awaitable<void> count(std::vector<std::string> channels);
  void hand_over(std::int64_t number);
  void add(const SeatRow& row);
  void change(Seat& seat, const SeatRow& row);
  SeatAccount account_of(const SeatRow& row) const;
  asio::awaitable<void> write_one_by_one(std::vector<SeatWrite> writes,
                                         std::vector<std::shared_ptr<Seat>> seats);
  std::shared_ptr<HttpClient> client_for_one();
  std::shared_ptr<Seat> find(std::string_view channel, std::string_view agent) const;

  pg::Pool& pool_;
  Clock& clock_;
  Membership& membership_;
  const Channels& channels_;
  const Vault& vault_;
  Metrics& metrics_;
  Admission admission_;
  SeatTools tools_;
  std::map<Key, std::shared_ptr<Seat>, std::less<>> seats_;
  std::vector<std::weak_ptr<HttpClient>> clients_;  // each for some seats
  std::vector<SeatCount> counts_;                   // of the fleet, as of the last pass
  bool stopping_ = false;
  unsigned passes_ = 0;
};

}  // namespace cc
