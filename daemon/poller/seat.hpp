// One line with a session: it is signed in, polled without end, and what a poll says is stored
// before the next one (rules.md, "Ownership"; channels.md, hw). Seats (seats.hpp) says which.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <random>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "channel/channels.hpp"
#include "channel/session.hpp"
#include "io/backoff.hpp"
#include "io/http_client.hpp"
#include "io/waiter.hpp"
#include "metrics.hpp"
#include "poller/admission.hpp"
#include "recorder/recorder.hpp"

namespace cc {

/// What the line is signed in as.
struct SeatAccount {
  std::string channel, agent, handset, password;
  std::string password_problem;  // why it can't be read: then nobody can sign in with it
  std::int64_t generation = 0;   // of its row
};

/// How it stands, for the table `agent`.
struct SeatState {
  std::string actual = "connecting";  // online, failing, refused
  std::string reason;                 // why not online; no number, no secret
  std::int64_t since = 0;             // epoch ms
};

struct SeatTools {
  asio::any_io_executor executor;
  pg::Pool& pool;
  Clock& clock;
  const Membership& membership;
  const Channels& channels;
  Recorder& recorder;
  Admission& admission;
  Metrics& metrics;
};

class Seat : public std::enable_shared_from_this<Seat> {
 public:
  /// `stored`: a session that an owner before had, and how the line stood; it goes on with that.
  /// `http` is for this line's polls and may be shared with some others.
  Seat(SeatTools& tools, std::shared_ptr<HttpClient> http, SeatAccount account,
       std::optional<LineSession> stored, SeatState state);

  void start();

  /// Somebody changed the agent: a new password or handset is used, a failing one tries at once.
  void change(SeatAccount account);

  /// No further poll; what is under way is ended and stored. With `sign_out` the session is given
  /// up, otherwise the next owner goes on with it.
  void stop(bool sign_out);
  bool stopping() const noexcept { return stopping_; }
  bool signs_out() const noexcept { return sign_out_; }
  /// Nothing is under way any more, nor in anybody's hand: after stop(), or when it was refused.
  bool ended() const noexcept {
    return alive_ == 0 && (stopping_ || refused_) && (!session_ || session_.use_count() == 1);
  }
  /// Whether somebody has asked for its session lately: it is better handed over later.
  bool in_use() const;

  asio::awaitable<Lines::Lease> lease(std::string handset, Millis patience);
  void lost(const std::shared_ptr<LineSession>& session);

  const SeatAccount& account() const noexcept { return account_; }
  const SeatState& state() const noexcept { return state_; }
  /// Null while it is not signed in.
  const std::shared_ptr<LineSession>& session() const noexcept { return session_; }

  /// Whether state or session are not as the database has them; and from now on they are.
  bool take_dirty();
  void put_back_dirty() noexcept { dirty_ = true; }

 private:
  using Kind = SessionAnswer::Kind;
  /// One more coroutine of ours, for as long as it stands.
  struct Alive {
    explicit Alive(Seat& its_seat) : seat(its_seat) { ++seat.alive_; }
    ~Alive() {
      --seat.alive_;
      seat.wake();
    }
    Alive(const Alive&) = delete;
    Seat& seat;
  };
  asio::awaitable<void> live(std::uint64_t round);
  asio::awaitable<void> poll_once(std::uint64_t round);
  asio::awaitable<void> sign_in(std::uint64_t round);
  asio::awaitable<void> renew_handset();
  asio::awaitable<SessionAnswer> sign_in_with(std::string handset);
  asio::awaitable<void> sign_out();
  void refuse(std::string words);
  asio::awaitable<void> store(Delivery delivery);
  asio::awaitable<std::string> change_handset(std::string handset);
  asio::awaitable<void> change_until(Waiter::TimePoint until);
  asio::awaitable<void> lose(std::shared_ptr<LineSession> session, std::string words);
  asio::awaitable<void> enter();
  void leave();
  asio::awaitable<void> pause(Millis time);
  void wake();
  void begin_round();
  bool current(std::uint64_t round) const noexcept { return round == round_ && !stopping_; }
  void set_state(std::string actual, std::string reason);
  Millis between_polls(const PollPace& pace);
  std::shared_ptr<const ConfiguredChannel> channel() const;

  SeatTools& tools_;
  std::shared_ptr<HttpClient> http_;
  SeatAccount account_;
  std::string handset_;         // to sign in with: the account's, or what a call wanted last
  bool renew_handset_ = false;  // the account's was changed: when no call is on the line
  std::shared_ptr<LineSession> session_;
  LineSession saved_;  // as it was last taken to be written to the database
  SeatState state_;
  bool dirty_ = true;
  bool stopping_ = false, sign_out_ = false, refused_ = false;
  bool signing_ = false;                            // in or out: one at a time
  std::uint64_t round_ = 0;                         // each new session has its own round of polls
  int alive_ = 0;                                   // coroutines of ours that have not ended
  std::chrono::steady_clock::time_point polled_{};  // when a poll was last answered as it should be
  std::chrono::steady_clock::time_point leased_{};
  std::int64_t last_received_ms_ = 0;
  bool unreadable_ = false;  // the last answer was nothing that the channel would say
  Backoff backoff_{Millis{500}, Millis{15'000}};
  Backoff lost_again_{Millis{1000}, Millis{60'000}};  // somebody else signs in as this agent
  std::chrono::steady_clock::time_point lost_at_{};
  std::list<Waiter*> waiters_;  // for any change
  std::minstd_rand random_{std::random_device{}()};
};

}  // namespace cc
