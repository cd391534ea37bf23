#include "poller/seat.hpp"

#include <algorithm>
#include <utility>

#include "fault.hpp"
#include "log.hpp"
#include "phone.hpp"
#include "spawn.hpp"
#include "text.hpp"

namespace cc {
namespace {

constexpr Millis first_poll_within{1000};  // of all lines that are taken over together
constexpr Millis store_again{200};
constexpr std::size_t longest_reason = 120;

std::string words_of(const SessionAnswer& answer) {
  std::string words = mask_numbers_in(answer.code + " " + answer.message);
  bool cut = false;
  return cut_to_width(words, longest_reason, cut);
}

}  // namespace

Seat::Seat(SeatTools& tools, std::shared_ptr<HttpClient> http, SeatAccount account,
           std::optional<LineSession> stored, SeatState state)
    : tools_(tools),
      http_(std::move(http)),
      account_(std::move(account)),
      handset_(account_.handset),
      state_(std::move(state)) {
  if (!stored || stored->ticket.empty()) return;
  saved_ = *stored;
  if (!stored->handset.empty()) handset_ = stored->handset;
  session_ = std::make_shared<LineSession>(*std::move(stored));
}

void Seat::start() {
  begin_round();
}

void Seat::begin_round() {
  ++round_;
  ++alive_;
  const std::string name = "line " + account_.channel + "/" + account_.agent;
  spawn(tools_.executor, name, live(round_), shared_from_this());
  wake();
}

void Seat::wake() {
  for (Waiter* waiter : waiters_) waiter->wake();
}

asio::awaitable<void> Seat::change_until(Waiter::TimePoint until) {
  Waiter waiter(tools_.executor, until);
  struct Listed {
    std::list<Waiter*>& list;
    Waiter* waiter;
    ~Listed() { list.remove(waiter); }
  };
  const Listed guard{waiters_, &waiter};
  waiters_.push_back(&waiter);
  co_await waiter.wait();
}

void Seat::set_state(std::string actual, std::string reason) {
  if (state_.actual == actual && state_.reason == reason) return;
  if (state_.actual != actual) state_.since = tools_.clock.epoch_ms();
  state_.actual = std::move(actual);
  state_.reason = std::move(reason);
  dirty_ = true;
  wake();
}

bool Seat::take_dirty() {
  if (!std::exchange(dirty_, false)) return false;
  saved_ = session_ ? *session_ : LineSession{};
  return true;
}

std::shared_ptr<const ConfiguredChannel> Seat::channel() const {
  auto found = tools_.channels.find(account_.channel);
  return found && found->provider->sessions() != nullptr ? found : nullptr;
}

Millis Seat::between_polls(const PollPace& pace) {
  std::uniform_int_distribution<Millis::rep> any(pace.pause_least.count(), pace.pause_most.count());
  return Millis{any(random_)};
}

asio::awaitable<void> Seat::pause(Millis time) {
  // In steps, so that a stop or a change is heard within one.
  const std::uint64_t round = round_;
  const auto until = tools_.clock.steady() + time;
  while (current(round)) {
    const auto left = std::chrono::ceil<Millis>(until - tools_.clock.steady());
    if (left <= Millis{0}) co_return;
    co_await tools_.clock.sleep_for(std::min(left, Millis{500}));
  }
}

asio::awaitable<void> Seat::enter() {
  while (signing_) co_await change_until(Waiter::TimePoint::max());
  signing_ = true;
}

void Seat::leave() {
  signing_ = false;
  wake();
}

asio::awaitable<void> Seat::live(std::uint64_t round) {
  struct Alive {
    Seat& seat;
    ~Alive() {
      --seat.alive_;
      seat.wake();
    }
  } const alive{*this};
  if (const auto configured = channel(); session_ && configured) {
    // Whoever polled it before, an owner or a round, may just have been answered.
    const PollPace pace = configured->provider->sessions()->pace();
    std::uniform_int_distribution<Millis::rep> any(0, round == 1 ? first_poll_within.count() : 0);
    co_await pause(pace.pause_least + Millis{any(random_)});
  }
  while (current(round)) {
    if (session_) {
      co_await poll_once(round);
    } else {
      co_await sign_in(round);
      if (refused_) co_return;
    }
  }
  if (sign_out_ && round == round_) co_await sign_out();
}

asio::awaitable<void> Seat::poll_once(std::uint64_t round) {
  const auto configured = channel();
  if (!configured) {
    set_state("failing", "the channel is not configured any more");
    co_await pause(first_poll_within);
    co_return;
  }
  const auto session = session_;
  LineSessions& sessions = *configured->provider->sessions();
  Polled polled = co_await sessions.poll(*http_, account_.agent, session);
  tools_.metrics.polls
      .Add({{"channel", account_.channel},
            {"answer", polled.delivery      ? "event"
                       : polled.answer.ok() ? "empty"
                                            : "trouble"}})
      .Increment();
  if (polled.delivery) {
    fault_point("poller.read");
    co_await store(*std::move(polled.delivery));
    fault_point("poller.stored");
  }
  if (*session != saved_) dirty_ = true;  // an answer has renewed it
  if (round != round_) co_return;  // another session is at work by now
  const PollPace pace = sessions.pace();
  switch (polled.answer.kind) {
    case Kind::ok:
      backoff_.reset();
      set_state("online", {});
      co_await pause(between_polls(pace));
      break;
    case Kind::stale:
      co_await pause(between_polls(pace));
      break;
    case Kind::lost:
      co_await lose(session, words_of(polled.answer));
      break;
    case Kind::refused:
    case Kind::trouble:
      set_state("failing", words_of(polled.answer));
      co_await pause(std::max(backoff_.next(), between_polls(pace)));
      break;
  }
}

/// Twice within a minute: somebody else signs in as this agent, and throws us out as we do him.
asio::awaitable<void> Seat::lose(std::shared_ptr<LineSession> session, std::string words) {
  log().warn("line {}/{}: signed out by the channel: {}", account_.channel, account_.agent, words);
  if (session_ == session) session_.reset();
  set_state("connecting", std::move(words));
  const auto now = tools_.clock.steady();
  const bool again = now - std::exchange(lost_at_, now) < std::chrono::minutes{1};
  if (again) {
    co_await pause(lost_again_.next());
  } else {
    lost_again_.reset();
  }
}

/// Returns when it is safe, however long that takes: it exists nowhere else.
asio::awaitable<void> Seat::store(Delivery delivery) {
  // Two polls are two deliveries, whatever the clock does.
  delivery.received_ms =
      std::max(last_received_ms_ + 1, tools_.clock.epoch_ms() + tools_.membership.ahead_ms());
  last_received_ms_ = delivery.received_ms;
  for (bool told = false;; told = true) {
    const std::string problem = co_await tools_.recorder.put(delivery);
    if (problem.empty()) co_return;
    if (!told) {
      log().critical("line {}/{}: what it was told can't be stored, so it is not polled: {}",
                     account_.channel, account_.agent, problem);
    }
    co_await tools_.clock.sleep_for(store_again);
  }
}

asio::awaitable<void> Seat::sign_in(std::uint64_t round) {
  const auto configured = channel();
  if (!configured) {
    set_state("failing", "the channel is not configured any more");
    co_await pause(first_poll_within);
    co_return;
  }
  const PollPace pace = configured->provider->sessions()->pace();
  const bool admitted =
      co_await tools_.admission.enter(account_.channel, pace.sign_ins_a_second, stopping_);
  if (!admitted || !current(round)) co_return;
  co_await enter();
  SessionAnswer answer;
  bool tried = false;
  if (current(round) && !session_) {
    tried = true;
    answer = co_await sign_in_with(handset_);
  }
  leave();
  if (!tried || session_) co_return;
  if (answer.kind == Kind::refused) {
    // With a handset that only a call wanted, the agent's own may still do.
    if (handset_ != account_.handset) {
      handset_ = account_.handset;
      co_return;
    }
    refused_ = true;
    log().error(
        "line {}/{}: its sign-in is refused and not tried again before the agent is "
        "changed or told to retry: {}",
        account_.channel, account_.agent, words_of(answer));
    set_state("refused", words_of(answer));
    co_return;
  }
  set_state("failing", words_of(answer));
  co_await pause(backoff_.next());
}

/// With signing_ held. ok: session_ is the new one.
asio::awaitable<SessionAnswer> Seat::sign_in_with(std::string handset) {
  const auto configured = channel();
  SessionAnswer answer;
  if (!configured) co_return answer;
  auto fresh = std::make_shared<LineSession>();
  SignIn wish;
  wish.agent = account_.agent;
  wish.handset = handset;
  wish.password = account_.password;
  LineSessions& sessions = *configured->provider->sessions();
  answer = co_await sessions.sign_in(*http_, std::move(wish), fresh);
  tools_.metrics.sign_ins
      .Add({{"channel", account_.channel},
            {"outcome", answer.ok()                    ? "ok"
                        : answer.kind == Kind::refused ? "refused"
                                                       : "trouble"}})
      .Increment();
  if (!answer.ok()) co_return answer;
  session_ = std::move(fresh);
  handset_ = std::move(handset);
  backoff_.reset();
  dirty_ = true;
  set_state("online", {});
  wake();
  co_return answer;
}

asio::awaitable<void> Seat::sign_out() {
  co_await enter();
  const auto configured = channel();
  const auto session = std::exchange(session_, nullptr);
  if (configured && session) {
    LineSessions& sessions = *configured->provider->sessions();
    const SessionAnswer answer = co_await sessions.sign_out(*http_, account_.agent, session);
    if (!answer.ok() && answer.kind != Kind::lost) {
      log().warn("line {}/{}: signing out: {}; the channel does it after two minutes",
                 account_.channel, account_.agent, words_of(answer));
    }
  }
  set_state("offline", {});
  leave();
}

void Seat::change(SeatAccount account) {
  const bool again = account.password != account_.password || state_.actual == "failing";
  const bool other_handset = account.handset != account_.handset;
  account_ = std::move(account);
  if (other_handset) handset_ = account_.handset;
  backoff_.reset();
  if (refused_) {
    refused_ = false;
    begin_round();
  } else if (other_handset && session_ && session_->handset != handset_) {
    const auto self = shared_from_this();
    const std::string name = "line " + account_.channel + "/" + account_.agent;
    spawn(
        tools_.executor, name,
        [](std::shared_ptr<Seat> seat) -> asio::awaitable<void> {
          co_await seat->change_handset(seat->handset_);
        }(self),
        self);
  } else if (again && !session_ && !stopping_) {
    begin_round();  // instead of the pause that it is in
  }
}

void Seat::stop(bool sign_out) {
  stopping_ = true;
  sign_out_ = sign_out_ || sign_out;
  wake();
}

void Seat::lost(const std::shared_ptr<LineSession>& session) {
  if (session_ != session || stopping_) return;
  session_.reset();
  set_state("connecting", "the channel said that its session was over");
  begin_round();  // the poll under way may last for seconds
}

/// Signs in anew; empty = done, else why not. The old session's poll ends by itself, and what it
/// still brings is stored as ever.
asio::awaitable<std::string> Seat::change_handset(std::string handset) {
  co_await enter();
  std::string problem;
  if (stopping_) {
    problem = "the line is moving to another daemon";
  } else if (!session_ || session_->handset != handset) {
    const auto old = std::exchange(session_, nullptr);
    ++round_;
    if (const auto configured = channel(); configured && old) {
      LineSessions& sessions = *configured->provider->sessions();
      co_await sessions.sign_out(*http_, account_.agent, old);
    }
    const SessionAnswer answer = co_await sign_in_with(std::move(handset));
    if (!answer.ok()) {
      problem = "signing in with the call's handset: " + words_of(answer);
      handset_ = account_.handset;
      set_state("connecting", problem);
    }
    if (!stopping_) begin_round();
  }
  leave();
  co_return problem;
}

asio::awaitable<Lines::Lease> Seat::lease(std::string handset, Millis patience) {
  const auto until = std::chrono::steady_clock::now() + patience;
  Lines::Lease lease;
  for (;;) {
    if (stopping_ || refused_) {
      lease.problem = refused_ ? "its sign-in was refused: " + state_.reason
                               : "the line is moving to another daemon";
      co_return lease;
    }
    if (session_ && (handset.empty() || session_->handset == handset)) {
      lease.session = session_;
      co_return lease;
    }
    if (session_ && tools_.admission.confirmed()) {
      lease.problem = co_await change_handset(handset);
      if (!lease.problem.empty()) co_return lease;
      continue;
    }
    if (std::chrono::steady_clock::now() >= until) {
      lease.problem =
          "it is not signed in" + (state_.reason.empty() ? std::string{} : ": " + state_.reason);
      co_return lease;
    }
    co_await change_until(until);
  }
}

}  // namespace cc
