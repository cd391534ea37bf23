#include "link.hpp"

#include <algorithm>
#include <utility>

#include <hiredis/async.h>
#include <hiredis/hiredis.h>

#include "wall_clock.hpp"

namespace cc {
namespace {

constexpr ngx_msec_t first_retry = 20;
constexpr ngx_msec_t longest_retry = 1000;
constexpr ngx_msec_t least_greeting_time = 1000;
constexpr ngx_msec_t look_every = 100;
constexpr ngx_msec_t idle_every = 1000;
constexpr ngx_msec_t replay_timeout = 5000;
constexpr ngx_msec_t well_after = 3000;
constexpr ngx_msec_t grace = 5;
constexpr unsigned most_graces = 20;

const char* const noticed = "cc: ";  // begins each of our lines in error.log

/// Redis' words for an error, cut at its first: "OOM command not allowed …" → "OOM".
std::string_view error_code(const redisReply* reply) noexcept {
  std::string_view text(reply->str, reply->len);
  return text.substr(0, text.find(' '));
}

Link* link_of(redisAsyncContext* context) noexcept {
  return static_cast<Link*>(context->data);
}

}  // namespace

Link::Link(const MainSettings& settings, Slot& slot, Owner& owner)
    : settings_(settings), slot_(slot), owner_(owner), wire_(*this), streams_(settings.partitions) {
  retry_timer_.call<&Link::retry_timer_fired>(this);
  deadline_timer_.call<&Link::deadline_fired>(this);
  idle_timer_.call<&Link::idle_fired>(this);
}

void Link::start() {
  idle_timer_.start(idle_every);
  connect();
}

void Link::stop() {
  enter(State::closed);
  retry_timer_.stop();
  idle_timer_.stop();
  drop(Trouble::redis_lost);
  deadline_timer_.stop();
}

// ---- appending ----

Link::Append Link::append(Pending& pending, bool though_full) {
  if (state_ != State::up) return Append::down;
  const std::size_t bytes = pending.command.size();
  if (!pending.replayed &&
      (live_count_ >= settings_.limits.pending || bytes > settings_.limits.bytes - live_bytes_)) {
    return Append::full;
  }
  if (streams_[pending.partition].full && !though_full) {
    look(pending.partition);
    return Append::stream_full;
  }
  int rc = redisAsyncFormattedCommand(
      wire_.context(),
      [](redisAsyncContext* context, void* reply_data, void* data) {
        Link* link = link_of(context);
        auto* reply = static_cast<redisReply*>(reply_data);
        Trouble trouble = link->losing_;
        if (reply != nullptr && reply->type == REDIS_REPLY_ERROR) {
          trouble = Trouble::redis_error;
          link->complain("refuses an entry", error_code(reply));
        } else if (reply != nullptr) {
          trouble = Trouble::none;
        }
        link->answered(*static_cast<Pending*>(data), trouble);
      },
      &pending, pending.command.data(), bytes);
  if (rc != REDIS_OK) return Append::down;

  // Nobody waits for what is replayed.
  const ngx_msec_t patience = pending.replayed ? std::max(settings_.redis.timeout, replay_timeout)
                                               : settings_.redis.timeout;
  pending.deadline = ngx_current_msec + patience;
  waiting_.push_back(pending);
  if (!pending.replayed) {
    ++live_count_;
    live_bytes_ += bytes;
    deadline_timer_.keeps_worker(true);
  }
  // A timer left from earlier fires earlier, and is then set anew: cheaper than moving it each
  // time.
  deadline_timer_.start_by(patience);
  look(pending.partition);
  note_pending();
  return Append::taken;
}

void Link::answered(Pending& pending, Trouble trouble) {
  pending.stored = trouble == Trouble::none;
  pending.trouble = trouble;
  graces_ = 0;
  if (pending.stored && failures_ > 0) well_again();
  waiting_.remove(pending);
  done_.push_back(pending);
}

/// After every call into hiredis. Outcomes are told here and not in hiredis' callbacks: finishing a
/// request can start the next one on its connection, or end this link.
void Link::settle() {
  if (std::exchange(give_up_, false)) wire_.close();
  while (!done_.empty()) {
    Pending& pending = done_.pop_front();
    if (!pending.replayed) {
      --live_count_;
      live_bytes_ -= pending.command.size();
    }
    owner_.link_outcome(pending);
  }
  if (live_count_ == 0) deadline_timer_.keeps_worker(false);
  note_pending();
}

/// Whose deadline is the next: of each kind the oldest has the earliest.
const Pending* Link::most_urgent() noexcept {
  const Pending* live = waiting_.first([](const Pending& pending) { return !pending.replayed; });
  if (live == nullptr) return waiting_.empty() ? nullptr : &waiting_.front();
  const Pending& front = waiting_.front();
  return static_cast<ngx_msec_int_t>(front.deadline - live->deadline) < 0 ? &front : live;
}

void Link::deadline_fired() {
  const Pending* urgent = most_urgent();
  if (urgent == nullptr) return;
  auto left = static_cast<ngx_msec_int_t>(urgent->deadline - ngx_current_msec);
  if (left > 0) return deadline_timer_.start(static_cast<ngx_msec_t>(left));
  // Not Redis was slow, but we: it has answered, and the loop did not come to read it.
  if (wire_.has_unread() && ++graces_ <= most_graces) return deadline_timer_.start(grace);
  ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                "%sRedis %s has not answered for %M ms, %uz entries wait; connecting anew", noticed,
                settings_.redis.shown.c_str(), settings_.redis.timeout, live_count_);
  // Answers come in order, so nothing that waits behind it can be known either.
  drop(Trouble::redis_timeout);
}

/// Ends the connection now. Each pending gets `reason`.
void Link::drop(Trouble reason) {
  losing_ = reason;
  wire_.close();
  losing_ = Trouble::redis_lost;
  settle();
}

bool Link::tell(std::string_view command) {
  if (state_ != State::up || live_bytes_ > settings_.limits.bytes / 2) return false;
  return redisAsyncFormattedCommand(
             wire_.context(),
             [](redisAsyncContext* context, void* reply_data, void*) {
               auto* reply = static_cast<redisReply*>(reply_data);
               if (reply != nullptr && reply->type == REDIS_REPLY_ERROR) {
                 link_of(context)->complain("refuses a note", error_code(reply));
               }
             },
             nullptr, command.data(), command.size()) == REDIS_OK;
}

// ---- the streams' lengths ----

void Link::look(unsigned partition) {
  Stream& stream = streams_[partition];
  if (state_ != State::up || stream.asked || ngx_current_msec - stream.asked_at < look_every) {
    return;
  }
  const std::string& command = settings_.length_commands[partition];
  int rc = redisAsyncFormattedCommand(
      wire_.context(),
      [](redisAsyncContext* context, void* reply_data, void* data) {
        auto* reply = static_cast<redisReply*>(reply_data);
        auto* asked = static_cast<Stream*>(data);
        asked->asked = false;
        if (reply == nullptr || reply->type != REDIS_REPLY_INTEGER) return;
        Link* link = link_of(context);
        link->looked(static_cast<unsigned>(asked - link->streams_.data()),
                     static_cast<std::uint64_t>(reply->integer));
      },
      &stream, command.data(), command.size());
  if (rc != REDIS_OK) return;
  stream.asked = true;
  stream.asked_at = ngx_current_msec;
}

void Link::looked(unsigned partition, std::uint64_t length) {
  Stream& stream = streams_[partition];
  stream.length = length;
  bool full = length >= settings_.high_water / settings_.partitions;
  if (full != stream.full) {
    const ngx_uint_t level = full ? NGX_LOG_WARN : NGX_LOG_NOTICE;
    ngx_log_error(level, ngx_cycle->log, 0,
                  full ? "%sstream %s%ui holds %uL entries, its high-water mark: does ccd run?"
                       : "%sstream %s%ui is below its high-water mark again: %uL entries",
                  noticed, settings_.prefix.c_str(), static_cast<ngx_uint_t>(partition), length);
  }
  stream.full = full;
  std::uint64_t longest = 0;
  for (const Stream& each : streams_) longest = std::max(longest, each.length);
  set(slot_.longest_stream, longest);
}

/// A Redis that has gone without a word is noticed before the next callback has to wait for it.
void Link::idle_fired() {
  idle_timer_.start(idle_every);
  if (state_ != State::up) return;
  if (ngx_current_msec - up_since_ >= well_after) well_again();
  const ngx_msec_t patience = std::max(idle_every, settings_.redis.timeout);
  for (const Stream& stream : streams_) {
    if (stream.asked && ngx_current_msec - stream.asked_at >= patience) {
      complain("is silent", "no answer to a question of ours");
      return drop(Trouble::redis_timeout);
    }
  }
  next_idle_look_ = (next_idle_look_ + 1) % settings_.partitions;
  look(next_idle_look_);
}

// ---- connecting ----

void Link::connect() {
  if (state_ != State::down) return;
  const std::string why = wire_.open(settings_.redis, this);
  if (!why.empty()) {
    complain("cannot be reached", why);
    return retry_later();
  }
  enter(State::connecting);
  retry_timer_.start(std::max(settings_.redis.timeout, least_greeting_time));
}

void Link::wire_connected(const char* why) {
  if (why == nullptr) {
    enter(State::greeting);
    greet();
  } else {
    complain("cannot be reached", why);
  }
}

/// Entries are taken only once Redis has answered that it takes our password and has loaded its
/// data.
void Link::greet() {
  auto on_answer = [](redisAsyncContext* context, void* reply_data, void* last) {
    auto* reply = static_cast<redisReply*>(reply_data);
    if (reply == nullptr) return;  // the connection ended
    if (reply->type == REDIS_REPLY_ERROR) {
      // Its first word only: some errors repeat the command, and that holds the password.
      link_of(context)->greeted(std::string(error_code(reply)).c_str());
    } else if (last != nullptr) {
      link_of(context)->greeted(nullptr);
    }
  };
  const std::string& password = settings_.redis.password;
  if (!password.empty()) {
    const char* words[] = {"AUTH", password.c_str()};
    const std::size_t lengths[] = {4, password.size()};
    redisAsyncCommandArgv(wire_.context(), on_answer, nullptr, 2, words, lengths);
  }
  redisAsyncCommand(wire_.context(), on_answer, this, "PING");
}

void Link::greeted(const char* error) {
  if (state_ != State::greeting || give_up_) return;
  if (error != nullptr) {
    complain("refuses our greeting", error);
    give_up_ = true;
    return;
  }
  enter(State::up);
  retry_timer_.stop();
  up_since_ = ngx_current_msec;
  if (failures_ == 0) return;
  add(slot_.reconnects);
  ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0, "%sconnected to Redis %s again", noticed,
                settings_.redis.shown.c_str());
}

/// It takes entries, or has been there for a while. A greeting alone proves little.
void Link::well_again() {
  failures_ = 0;
  last_complaint_[0] = '\0';
}

void Link::wire_gone() {
  if (state_ == State::up && losing_ == Trouble::redis_lost) {
    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0, "%sthe connection to Redis %s has ended", noticed,
                  settings_.redis.shown.c_str());
  }
  if (state_ == State::greeting && !give_up_) complain("ends the connection", "without a greeting");
  // What is known of the streams goes with the connection: it may be another Redis next time.
  for (Stream& stream : streams_) stream = {};
  if (state_ != State::closed) retry_later();
}

void Link::wire_worked() {
  settle();
}

void Link::wire_must_close() {
  enter(State::closed);
  retry_timer_.stop();
  idle_timer_.stop();
  drop(Trouble::redis_lost);
}

void Link::retry_later() {
  enter(State::down);
  ngx_msec_t delay = std::min(longest_retry, first_retry << std::min(failures_, 6U));
  // Between three and five quarters of it, so that workers don't come all at once.
  delay = delay * 3 / 4 + static_cast<ngx_msec_t>(ngx_random()) % (delay / 2 + 1);
  ++failures_;
  retry_timer_.start(delay);
}

void Link::retry_timer_fired() {
  if (state_ == State::down) return connect();
  complain("cannot be reached", "no answer to our connect or greeting");
  drop(Trouble::redis_lost);
}

// ---- book-keeping ----

/// The same trouble is logged once until the link is up again: it comes with each try.
void Link::complain(const char* what, std::string_view why) {
  if (why.size() >= sizeof last_complaint_) why = why.substr(0, sizeof last_complaint_ - 1);
  if (why == last_complaint_) return;
  why.copy(last_complaint_, why.size());
  last_complaint_[why.size()] = '\0';
  ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0, "%sRedis %s %s: %s", noticed,
                settings_.redis.shown.c_str(), what, last_complaint_);
}

void Link::enter(State state) {
  state_ = state;
  LinkState shown = LinkState::down;
  if (state == State::connecting || state == State::greeting) shown = LinkState::connecting;
  if (state == State::up) shown = LinkState::up;
  set(slot_.link, static_cast<std::uint64_t>(shown));
}

void Link::note_pending() {
  set(slot_.pending, live_count_);
  set(slot_.pending_bytes, live_bytes_);
  const Pending* oldest = waiting_.first([](const Pending& pending) { return !pending.replayed; });
  set(slot_.oldest_pending_ms,
      oldest == nullptr ? 0 : static_cast<std::uint64_t>(oldest->received_ms));
}

}  // namespace cc
