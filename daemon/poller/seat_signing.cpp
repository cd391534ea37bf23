// How a seat comes to its session, changes it and gives it up.
#include <algorithm>
#include <utility>

#include "log.hpp"
#include "poller/seat.hpp"
#include "poller/seat_rows.hpp"
#include "spawn.hpp"

namespace cc {
namespace {

constexpr Millis not_configured_pause{1000};
constexpr Millis look_again{250};
constexpr std::chrono::seconds lately{60};

const char* outcome_of(const SessionAnswer& answer) {
  if (answer.ok()) return "ok";
  return answer.kind == SessionAnswer::Kind::refused ? "refused" : "trouble";
}

}  // namespace

asio::awaitable<void> Seat::sign_in(std::uint64_t round) {
  const auto configured = channel();
  if (!configured) {
    set_state("failing", "the channel is not configured any more");
    co_await pause(not_configured_pause);
    co_return;
  }
  if (!account_.password_problem.empty()) {  // an empty one would only lock the agent
    refuse("its password can't be read: " + account_.password_problem);
    co_return;
  }
  const PollPace pace = configured->provider->sessions()->pace();
  const auto given_up = [this, round] { return !current(round); };
  const bool admitted =
      co_await tools_.admission.enter(account_.channel, pace.sign_ins_a_second, given_up);
  if (!admitted) co_return;
  co_await enter();
  const std::int64_t generation = account_.generation;
  SessionAnswer answer;
  const bool tried = current(round) && !session_;
  if (tried) answer = co_await sign_in_with(handset_);
  leave();
  // Of an older password or handset, or another round is at it: this answer says nothing any more.
  if (!tried || session_ || !current(round) || generation != account_.generation) co_return;
  if (answer.kind == Kind::refused) {
    // With a handset that only a call wanted, the agent's own may still do.
    if (handset_ != account_.handset) {
      handset_ = account_.handset;
      co_return;
    }
    refuse(answer.words());
    co_return;
  }
  set_state("failing", answer.words());
  co_await pause(backoff_.next());
}

void Seat::refuse(std::string words) {
  refused_ = true;
  log().error(
      "line {}/{}: its sign-in is refused and not tried again before the agent is changed or told "
      "to retry: {}",
      account_.channel, account_.agent, words);
  set_state("refused", std::move(words));
}

/// With signing_ held. ok: session_ is the new one.
asio::awaitable<SessionAnswer> Seat::sign_in_with(std::string handset) {
  const auto configured = channel();
  SessionAnswer answer;
  if (!configured) co_return answer;
  if (!tools_.admission.confirmed()) {  // we waited for our turn, or were stopped
    answer.message = "the line may be another daemon's by now";
    co_return answer;
  }
  auto fresh = std::make_shared<LineSession>();
  SignIn wish;
  wish.agent = account_.agent;
  wish.handset = handset;
  wish.password = account_.password;
  LineSessions& sessions = *configured->provider->sessions();
  answer = co_await sessions.sign_in(*http_, std::move(wish), fresh);
  tools_.metrics.sign_ins.Add({{"channel", account_.channel}, {"outcome", outcome_of(answer)}})
      .Increment();
  if (!answer.ok()) co_return answer;
  session_ = std::move(fresh);
  handset_ = std::move(handset);
  refused_ = false;
  polled_ = tools_.clock.steady();
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
                 account_.channel, account_.agent, answer.words());
    }
  }
  set_state("offline", {});
  leave();
}

void Seat::change(SeatAccount account) {
  if (account.handset != account_.handset) {
    handset_ = account.handset;
    renew_handset_ = true;
  }
  account_ = std::move(account);
  backoff_.reset();
  dirty_ = true;  // who changed the row may have cleared what it said of us
  const bool failing = state_.actual == "failing";
  if (stopping_) return;
  if (refused_) {
    refused_ = false;
    begin_round();
  } else if (failing) {
    session_.reset();  // it has not been good for anything
    begin_round();     // instead of the pause that it is in
  } else if (!session_) {
    begin_round();
  }
}

/// In the round, so that it neither meets a poll of ours nor keeps a stop waiting; when no call is
/// on the line, and in turn with other sign-ins.
asio::awaitable<void> Seat::renew_handset() {
  if (session_->handset == account_.handset) {
    renew_handset_ = false;
    co_return;
  }
  const auto configured = channel();
  if (!configured) co_return;
  try {
    const std::string resource = account_.channel + "/" + account_.agent;
    if (co_await line_in_call(tools_.pool, resource)) co_return;
  } catch (const pg::Failure&) {
    co_return;  // before the next poll
  }
  const std::uint64_t round = round_;
  const PollPace pace = configured->provider->sessions()->pace();
  const auto given_up = [this, round] { return !current(round); };
  // Away from its polls for no longer than a turn takes.
  if (!co_await tools_.admission.enter(account_.channel, pace.sign_ins_a_second, given_up)) {
    co_return;
  }
  renew_handset_ = false;
  co_await change_handset(account_.handset);
}

void Seat::stop(bool sign_out) {
  stopping_ = true;
  sign_out_ = sign_out_ || sign_out;
  wake();
}

bool Seat::in_use() const {
  return tools_.clock.steady() - leased_ < lately;
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
  const Alive alive(*this);
  co_await enter();
  std::string problem;
  if (stopping_) {
    problem = "the line is moving to another daemon";
  } else if (!tools_.admission.confirmed()) {
    problem = "the line may be another daemon's by now";
  } else if (!session_ || session_->handset != handset) {
    const auto old = std::exchange(session_, nullptr);
    ++round_;
    if (const auto configured = channel(); configured && old) {
      LineSessions& sessions = *configured->provider->sessions();
      co_await sessions.sign_out(*http_, account_.agent, old);
    }
    const SessionAnswer answer = co_await sign_in_with(std::move(handset));
    if (!answer.ok()) {
      problem = "signing in with the call's handset: " + answer.words();
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
  leased_ = tools_.clock.steady();
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
    // Nobody wakes us when it is certain again that the line is ours.
    const auto look = std::chrono::steady_clock::now() + look_again;
    co_await change_until(session_ ? std::min(until, look) : until);
  }
}

}  // namespace cc
