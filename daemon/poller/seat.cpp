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
constexpr std::size_t longest_reason = 128;            // agent.reason
constexpr std::chrono::minutes silence_is_the_end{2};  // of a session, without a poll

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
  polled_ = tools_.clock.steady();
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
  bool cut = false;
  reason = cut_to_width(repair_utf8(reason), longest_reason, cut);
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
  const Alive alive(*this);
  if (const auto configured = channel(); session_ && configured) {
    // Whoever polled it before, an owner or a round, may just have been answered.
    const PollPace pace = configured->provider->sessions()->pace();
    std::uniform_int_distribution<Millis::rep> any(0, round == 1 ? first_poll_within.count() : 0);
    co_await pause(pace.pause_least + Millis{any(random_)});
  }
  while (current(round)) {
    if (session_ && renew_handset_) co_await renew_handset();
    if (!current(round)) break;
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
  // An outage's error page is kept once, not as often as it is read.
  const bool seen_before = !polled.readable && std::exchange(unreadable_, true);
  if (polled.readable) unreadable_ = false;
  if (polled.delivery && !seen_before) {
    fault_point("poller.read");
    co_await store(*std::move(polled.delivery));
    fault_point("poller.stored");
  }
  if (*session != saved_) dirty_ = true;  // an answer has renewed it
  if (round != round_) co_return;         // another session is at work by now
  const PollPace pace = sessions.pace();
  switch (polled.answer.kind) {
    case Kind::ok:
      backoff_.reset();
      polled_ = tools_.clock.steady();
      set_state("online", {});
      co_await pause(between_polls(pace));
      break;
    case Kind::stale:
      co_await pause(between_polls(pace));
      break;
    case Kind::lost:
      co_await lose(session, polled.answer.words());
      break;
    case Kind::refused:
    case Kind::trouble:
      if (session_ == session && tools_.clock.steady() - polled_ > silence_is_the_end) {
        session_.reset();  // whatever the gateway calls it: who isn't polled is signed out by now
      }
      set_state("failing", polled.answer.words());
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
  delivery.received_ms = std::max(last_received_ms_ + 1, tools_.membership.fleet_ms());
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

}  // namespace cc
