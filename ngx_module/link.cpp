#include "link.hpp"

#include <algorithm>
#include <fcntl.h>
#include <utility>

#include <hiredis/async.h>
#include <hiredis/hiredis.h>

namespace cc {
namespace {

constexpr ngx_msec_t first_retry = 20;
constexpr ngx_msec_t longest_retry = 1000;
constexpr ngx_msec_t least_greeting_time = 1000;
constexpr std::size_t block_size = 64;

const char* const noticed = "cc: ";  // begins each of our lines in error.log

/// Redis' words for an error, cut at its first: "OOM command not allowed …" → "OOM".
std::string_view error_code(const redisReply* reply) noexcept {
  std::string_view text(reply->str, reply->len);
  return text.substr(0, text.find(' '));
}

// The macro is several statements.
void unpost(ngx_event_t* event) noexcept {
  if (event->posted) {
    ngx_delete_posted_event(event);
  }
}

std::int64_t wall_clock_ms() noexcept {
  const ngx_time_t* now = ngx_timeofday();
  return static_cast<std::int64_t>(now->sec) * 1000 + static_cast<std::int64_t>(now->msec);
}

}  // namespace

Link::Link(const RedisSettings& settings, Limits limits, Slot& slot, Deliver deliver)
    : settings_(settings), limits_(limits), slot_(slot), deliver_(deliver) {
  ngx_queue_init(&waiting_);
  ngx_queue_init(&done_);
  ngx_queue_init(&unused_);

  timer_identity_.fd = -1;
  timer_identity_.data = this;

  retry_timer_.data = &timer_identity_;
  retry_timer_.log = ngx_cycle->log;
  retry_timer_.cancelable = 1;
  retry_timer_.handler = [](ngx_event_t* event) noexcept { of(event->data)->retry_timer_fired(); };

  deadline_timer_.data = &timer_identity_;
  deadline_timer_.log = ngx_cycle->log;
  deadline_timer_.cancelable = 1;
  deadline_timer_.handler = [](ngx_event_t* event) noexcept { of(event->data)->deadline_fired(); };
}

Link::~Link() {
  stop();
}

Link* Link::of(void* event_data) {
  return static_cast<Link*>(static_cast<ngx_connection_t*>(event_data)->data);
}

void Link::start() {
  connect();
}

void Link::stop() {
  enter(State::closed);
  // Their requests are going with the process and must not be touched from here on.
  for (ngx_queue_t* list : {&waiting_, &done_}) {
    for (ngx_queue_t* q = ngx_queue_head(list); q != ngx_queue_sentinel(list);
         q = ngx_queue_next(q)) {
      auto* pending = pending_at(q);
      if (pending->request != nullptr) pending->cleanup->handler = nullptr;
      pending->request = nullptr;
    }
  }
  drop(Outcome::lost);
  if (retry_timer_.timer_set) ngx_del_timer(&retry_timer_);
  if (deadline_timer_.timer_set) ngx_del_timer(&deadline_timer_);
}

// ---- appending ----

Link::Append Link::append(std::string_view command, ngx_http_request_t* request) {
  if (state_ != State::up) return Append::down;
  if (pending_count_ >= limits_.pending || command.size() > limits_.bytes - pending_bytes_) {
    return Append::full;
  }
  ngx_http_cleanup_t* cleanup = ngx_http_cleanup_add(request, 0);
  if (cleanup == nullptr) throw std::bad_alloc();
  Pending* pending = take_unused();
  int rc = redisAsyncFormattedCommand(
      redis_,
      [](redisAsyncContext* context, void* reply_data, void* data) {
        auto* link = static_cast<Link*>(context->data);
        auto* reply = static_cast<redisReply*>(reply_data);
        Outcome outcome = link->losing_;
        if (reply != nullptr && reply->type == REDIS_REPLY_ERROR) {
          outcome = Outcome::refused;
          link->complain("refuses an entry", error_code(reply));
        } else if (reply != nullptr) {
          outcome = Outcome::stored;
        }
        link->answered(static_cast<Pending*>(data), outcome);
      },
      pending, command.data(), command.size());
  if (rc != REDIS_OK) {
    put_first(unused_, *pending);
    return Append::down;
  }

  pending->request = request;
  pending->cleanup = cleanup;
  pending->deadline = ngx_current_msec + settings_.timeout;
  pending->since_ms = wall_clock_ms();
  pending->bytes = command.size();
  pending->outcome = Outcome::lost;
  cleanup->data = pending;
  cleanup->handler = [](void* data) { static_cast<Pending*>(data)->request = nullptr; };

  append_to(waiting_, *pending);
  ++pending_count_;
  pending_bytes_ += pending->bytes;
  deadline_timer_.cancelable = 0;
  // A timer left from earlier fires earlier, and is then set anew: cheaper than moving it each
  // time.
  if (!deadline_timer_.timer_set) ngx_add_timer(&deadline_timer_, settings_.timeout);
  note_oldest();
  return Append::taken;
}

void Link::answered(Pending* pending, Outcome outcome) {
  pending->outcome = outcome;
  ngx_queue_remove(&pending->queue);
  append_to(done_, *pending);
}

/// After every call into hiredis. Requests are finished here and not in hiredis' callbacks:
/// finishing one can start the next one on its connection, or end this link.
void Link::settle() {
  if (give_up_ && redis_ != nullptr) redisAsyncFree(redis_);
  give_up_ = false;
  while (!ngx_queue_empty(&done_)) {
    auto* pending = pending_at(ngx_queue_head(&done_));
    ngx_http_request_t* request = pending->request;
    Outcome outcome = pending->outcome;
    if (request != nullptr) {
      pending->cleanup->handler = nullptr;
    } else if (outcome == Outcome::stored) {
      add(slot_.stored_unanswered);
    }
    release(pending);
    if (request != nullptr) deliver_(request, outcome);
  }
  if (ngx_queue_empty(&waiting_)) deadline_timer_.cancelable = 1;
  note_oldest();
}

void Link::deadline_fired() {
  if (ngx_queue_empty(&waiting_)) return;
  auto* oldest = pending_at(ngx_queue_head(&waiting_));
  auto left = static_cast<ngx_msec_int_t>(oldest->deadline - ngx_current_msec);
  if (left > 0) {
    ngx_add_timer(&deadline_timer_, static_cast<ngx_msec_t>(left));
    return;
  }
  ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                "%sRedis %s has not answered for %M ms, %uz entries wait; connecting anew", noticed,
                settings_.shown.c_str(), settings_.timeout, pending_count_);
  // Answers come in order, so nothing that waits behind it can be known either.
  drop(Outcome::too_late);
}

/// Ends the connection now. Each pending gets `reason`.
void Link::drop(Outcome reason) {
  losing_ = reason;
  if (redis_ != nullptr) redisAsyncFree(redis_);
  losing_ = Outcome::lost;
  settle();
}

// ---- connecting ----

void Link::connect() {
  if (state_ != State::down) return;
  redisAsyncContext* context = settings_.unix_path.empty()
                                   ? redisAsyncConnect(settings_.host.c_str(), settings_.port)
                                   : redisAsyncConnectUnix(settings_.unix_path.c_str());
  if (context == nullptr) return retry_later();
  redis_ = context;
  context->data = this;
  if (context->err != 0 || !attach()) {
    if (context->err != 0) complain("cannot be reached", context->errstr);
    redis_ = nullptr;
    redisAsyncFree(context);
    return retry_later();
  }
  enter(State::connecting);
  ngx_add_timer(&retry_timer_, std::max(settings_.timeout, least_greeting_time));
  // Asks for writability, which is how the connect's end is told. Only then may anything be
  // written: hiredis takes a socket without error for a connected one.
  redisAsyncSetConnectCallback(context, [](const redisAsyncContext* self, int status) {
    static_cast<Link*>(self->data)->connected(status);
  });
}

/// Puts NGINX's connection around hiredis' socket.
bool Link::attach() {
  int fd = redis_->c.fd;
  (void)::fcntl(fd, F_SETFD, FD_CLOEXEC);
  ngx_connection_t* connection = ngx_get_connection(fd, ngx_cycle->log);
  if (connection == nullptr) return false;
  connection->data = this;
  connection->read->log = ngx_cycle->log;
  connection->write->log = ngx_cycle->log;
  // Also called by worker_shutdown_timeout, with connection->close set.
  connection->read->handler = [](ngx_event_t* event) noexcept { of(event->data)->readable(); };
  connection->write->handler = [](ngx_event_t* event) noexcept { of(event->data)->writable(); };
  connection_ = connection;

  auto& hooks = redis_->ev;
  hooks.data = this;
  hooks.addRead = [](void* link) { static_cast<Link*>(link)->want_read(true); };
  hooks.delRead = [](void* link) { static_cast<Link*>(link)->want_read(false); };
  hooks.addWrite = [](void* link) { static_cast<Link*>(link)->want_write(); };
  hooks.delWrite = [](void* link) { static_cast<Link*>(link)->unwant_write(); };
  hooks.cleanup = [](void* link) { static_cast<Link*>(link)->on_cleanup(); };
  return true;
}

void Link::connected(int status) {
  if (status == REDIS_OK) {
    enter(State::greeting);
    greet();
  } else {
    complain("cannot be reached", redis_->c.errstr);  // hiredis frees the context when we return
  }
}

/// Entries are taken only once Redis has answered that it takes our password and has loaded its
/// data.
void Link::greet() {
  auto on_answer = [](redisAsyncContext* context, void* reply_data, void* last) {
    auto* link = static_cast<Link*>(context->data);
    auto* reply = static_cast<redisReply*>(reply_data);
    if (reply == nullptr) return;  // the connection ended
    if (reply->type == REDIS_REPLY_ERROR) {
      link->greeted(reply->str);
    } else if (last != nullptr) {
      link->greeted(nullptr);
    }
  };
  if (!settings_.password.empty()) {
    const char* words[] = {"AUTH", settings_.password.c_str()};
    const std::size_t lengths[] = {4, settings_.password.size()};
    redisAsyncCommandArgv(redis_, on_answer, nullptr, 2, words, lengths);
  }
  redisAsyncCommand(redis_, on_answer, this, "PING");
}

void Link::greeted(const char* error) {
  if (state_ != State::greeting || give_up_) return;
  if (error != nullptr) {
    complain("refuses our greeting", error);
    give_up_ = true;
    return;
  }
  enter(State::up);
  ngx_del_timer(&retry_timer_);
  if (failures_ > 0) {
    add(slot_.reconnects);
    ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0, "%sconnected to Redis %s again", noticed,
                  settings_.shown.c_str());
  }
  failures_ = 0;
  last_complaint_[0] = '\0';
}

/// hiredis gives the context up. It closes the socket itself, so NGINX's connection is only let go.
void Link::on_cleanup() {
  ngx_connection_t* connection = std::exchange(connection_, nullptr);
  redis_ = nullptr;
  if (connection != nullptr) {
    if (connection->read->timer_set) ngx_del_timer(connection->read);
    if (connection->write->timer_set) ngx_del_timer(connection->write);
    unpost(connection->read);
    unpost(connection->write);
    if (connection->read->active || connection->write->active) {
      if (ngx_del_conn) {
        ngx_del_conn(connection, 0);
      } else {
        if (connection->read->active) ngx_del_event(connection->read, NGX_READ_EVENT, 0);
        if (connection->write->active) ngx_del_event(connection->write, NGX_WRITE_EVENT, 0);
      }
    }
    connection->read->closed = 1;
    connection->write->closed = 1;
    ngx_free_connection(connection);
    connection->fd = -1;
  }
  if (state_ == State::up && losing_ == Outcome::lost) {
    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0, "%sthe connection to Redis %s has ended", noticed,
                  settings_.shown.c_str());
  }
  if (state_ != State::closed) retry_later();
}

void Link::retry_later() {
  enter(State::down);
  ngx_msec_t delay = std::min(longest_retry, first_retry << std::min(failures_, 6U));
  // Between three and five quarters of it, so that workers don't come all at once.
  delay = delay * 3 / 4 + static_cast<ngx_msec_t>(ngx_random()) % (delay / 2 + 1);
  ++failures_;
  ngx_add_timer(&retry_timer_, delay);
}

void Link::retry_timer_fired() {
  if (state_ == State::down) return connect();
  complain("cannot be reached", "no answer to our connect or greeting");
  drop(Outcome::lost);
}

// ---- NGINX's events ----

void Link::readable() {
  if (redis_ == nullptr) return;
  if (connection_->close) {  // worker_shutdown_timeout: the worker must leave now
    enter(State::closed);
    if (retry_timer_.timer_set) ngx_del_timer(&retry_timer_);
    return drop(Outcome::lost);
  }
  redisAsyncHandleRead(redis_);
  settle();
}

void Link::writable() {
  if (redis_ == nullptr) return;
  redisAsyncHandleWrite(redis_);
  // Not all could be written: now wait for the socket, not for the next tick.
  if (redis_ != nullptr && (redis_->c.flags & REDIS_CONNECTED) != 0) {
    bool rest = sdslen(redis_->c.obuf) > 0;
    ngx_event_t* write = connection_->write;
    if (rest && !write->active) ngx_add_event(write, NGX_WRITE_EVENT, NGX_LEVEL_EVENT);
    if (rest) unpost(write);
    if (!rest && write->active) ngx_del_event(write, NGX_WRITE_EVENT, 0);
  }
  settle();
}

void Link::want_read(bool wanted) {
  if (connection_ == nullptr) return;
  ngx_event_t* read = connection_->read;
  if (wanted && !read->active) ngx_add_event(read, NGX_READ_EVENT, NGX_LEVEL_EVENT);
  if (!wanted && read->active) ngx_del_event(read, NGX_READ_EVENT, 0);
}

/// Before the connect's end this arms the socket's writability; later it only posts, so that all
/// commands of this tick leave in one write.
void Link::want_write() {
  if (connection_ == nullptr) return;
  ngx_event_t* write = connection_->write;
  if (write->active) return;
  if ((redis_->c.flags & REDIS_CONNECTED) == 0) {
    ngx_add_event(write, NGX_WRITE_EVENT, NGX_LEVEL_EVENT);
  } else {
    ngx_post_event(write, &ngx_posted_events);
  }
}

void Link::unwant_write() {
  // Done in writable(), which knows whether anything is left.
}

// ---- book-keeping ----

/// The same trouble is logged once until the link is up again: it comes with each try.
void Link::complain(const char* what, std::string_view why) {
  if (why.size() >= sizeof last_complaint_) why = why.substr(0, sizeof last_complaint_ - 1);
  if (why == last_complaint_) return;
  why.copy(last_complaint_, why.size());
  last_complaint_[why.size()] = '\0';
  ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0, "%sRedis %s %s: %s", noticed,
                settings_.shown.c_str(), what, last_complaint_);
}

void Link::enter(State state) {
  state_ = state;
  LinkState shown = LinkState::down;
  if (state == State::connecting || state == State::greeting) shown = LinkState::connecting;
  if (state == State::up) shown = LinkState::up;
  set(slot_.link, static_cast<std::uint64_t>(shown));
}

void Link::note_oldest() {
  set(slot_.pending, pending_count_);
  set(slot_.pending_bytes, pending_bytes_);
  std::int64_t since = 0;
  if (!ngx_queue_empty(&waiting_)) {
    since = pending_at(ngx_queue_head(&waiting_))->since_ms;
  }
  set(slot_.oldest_pending_ms, static_cast<std::uint64_t>(since));
}

Pending* Link::take_unused() {
  if (ngx_queue_empty(&unused_)) {
    auto& block = blocks_.emplace_back(std::make_unique<Pending[]>(block_size));
    for (std::size_t i = 0; i < block_size; ++i) append_to(unused_, block[i]);
  }
  ngx_queue_t* head = ngx_queue_head(&unused_);
  ngx_queue_remove(head);
  return pending_at(head);
}

void Link::release(Pending* pending) {
  --pending_count_;
  pending_bytes_ -= pending->bytes;
  ngx_queue_remove(&pending->queue);
  put_first(unused_, *pending);
}

}  // namespace cc
