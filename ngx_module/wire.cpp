#include "wire.hpp"

#include <algorithm>
#include <cstring>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <utility>

// First, and as C: hiredis' own headers include it without saying so.
extern "C" {
#include <hiredis/sds.h>
}

#include <hiredis/async.h>
#include <hiredis/hiredis.h>

namespace cc {
namespace {

constexpr std::size_t most_memory_kept = 1024 * 1024;  // of what is written, between two ticks

/// What hiredis' reader makes of an answer: always the same object, without allocating anything.
/// That does, because an answer is looked at in its callback only, and of its text nothing but the
/// beginning of an error. Of nested answers, which no command of ours has, the outermost's kind.
class LeanReply {
 public:
  static redisReplyObjectFunctions* functions() noexcept {
    static redisReplyObjectFunctions all{
        [](const redisReadTask* task, char* text, std::size_t size) -> void* {
          if (task->parent != nullptr) return &reply_;
          reply_.type = task->type;
          const std::size_t kept = std::min(size, sizeof text_ - 1);
          std::memcpy(text_, text, kept);
          text_[kept] = '\0';
          reply_.len = kept;
          return &reply_;
        },
        [](const redisReadTask* task, int) -> void* { return of_kind(task); },
        [](const redisReadTask* task, long long value) -> void* {
          of_kind(task);
          if (task->parent == nullptr) reply_.integer = value;
          return &reply_;
        },
        [](const redisReadTask* task) -> void* { return of_kind(task); },
        [](void*) {}};
    return &all;
  }

 private:
  static void* of_kind(const redisReadTask* task) noexcept {
    if (task->parent != nullptr) return &reply_;
    reply_.type = task->type;
    reply_.len = 0;
    text_[0] = '\0';
    return &reply_;
  }

  inline static char text_[128] = "";
  inline static redisReply reply_ = [] {
    redisReply reply{};
    reply.str = text_;
    return reply;
  }();
};

// The macro is several statements.
void unpost(ngx_event_t* event) noexcept {
  if (event->posted) {
    ngx_delete_posted_event(event);
  }
}

}  // namespace

Wire* Wire::of(ngx_event_t* event) {
  return static_cast<Wire*>(static_cast<ngx_connection_t*>(event->data)->data);
}

std::string Wire::open(const RedisSettings& settings, void* data) {
  redisAsyncContext* context = settings.unix_path.empty()
                                   ? redisAsyncConnect(settings.host.c_str(), settings.port)
                                   : redisAsyncConnectUnix(settings.unix_path.c_str());
  if (context == nullptr) return "out of memory";
  context_ = context;
  context->data = data;
  if (context->err != 0 || !attach()) {
    std::string why = context->err != 0 ? context->errstr : "no free connection of the worker's";
    context_ = nullptr;
    redisAsyncFree(context);
    return why;
  }
  // Asks for writability, which is how the connect's end is told. Only then may anything be
  // written: hiredis takes a socket without error for a connected one.
  redisAsyncSetConnectCallback(context, [](const redisAsyncContext* self, int status) {
    static_cast<Wire*>(self->ev.data)->connected(status);
  });
  return {};
}

void Wire::close() {
  if (context_ != nullptr) redisAsyncFree(context_);
}

bool Wire::has_unread() const noexcept {
  int bytes = 0;
  return context_ != nullptr && ::ioctl(context_->c.fd, FIONREAD, &bytes) == 0 && bytes > 0;
}

/// Puts NGINX's connection around hiredis' socket.
bool Wire::attach() {
  int fd = context_->c.fd;
  (void)::fcntl(fd, F_SETFD, FD_CLOEXEC);
  ngx_connection_t* connection = ngx_get_connection(fd, ngx_cycle->log);
  if (connection == nullptr) return false;
  connection->data = this;
  connection->read->log = ngx_cycle->log;
  connection->write->log = ngx_cycle->log;
  // Also called by worker_shutdown_timeout, with connection->close set.
  connection->read->handler = [](ngx_event_t* event) noexcept { of(event)->readable(); };
  connection->write->handler = [](ngx_event_t* event) noexcept { of(event)->writable(); };
  connection_ = connection;
  context_->c.reader->fn = LeanReply::functions();

  auto& hooks = context_->ev;
  hooks.data = this;
  hooks.addRead = [](void* wire) { static_cast<Wire*>(wire)->want_read(true); };
  hooks.delRead = [](void* wire) { static_cast<Wire*>(wire)->want_read(false); };
  hooks.addWrite = [](void* wire) { static_cast<Wire*>(wire)->want_write(); };
  hooks.delWrite = [](void*) {};  // done in writable(), which knows whether anything is left
  hooks.cleanup = [](void* wire) { static_cast<Wire*>(wire)->gone(); };
  return true;
}

void Wire::connected(int status) {
  // hiredis frees the context when this returns, if the connect failed.
  owner_.wire_connected(status == REDIS_OK ? nullptr : context_->c.errstr);
}

void Wire::readable() {
  if (context_ == nullptr) return;
  if (connection_->close) return owner_.wire_must_close();
  redisAsyncHandleRead(context_);
  owner_.wire_worked();
}

/// All that is to be written, keeping the buffer's memory, which hiredis would give back and make
/// grow anew each tick. False leaves it to hiredis: the connect's end, an error, a rare large
/// buffer.
bool Wire::write_out() {
  if ((context_->c.flags & REDIS_CONNECTED) == 0) return false;
  sds out = context_->c.obuf;
  const std::size_t size = sdslen(out);
  if (size == 0 || sdsalloc(out) > most_memory_kept) return false;
  const ssize_t written = ::write(context_->c.fd, out, size);
  if (written <= 0) return false;
  if (static_cast<std::size_t>(written) == size) {
    sdsclear(out);
  } else {
    sdsrange(out, static_cast<int>(written), -1);
  }
  return true;
}

void Wire::writable() {
  if (context_ == nullptr) return;
  if (!write_out()) redisAsyncHandleWrite(context_);
  // Not all could be written: now wait for the socket, not for the next tick.
  if (context_ != nullptr && (context_->c.flags & REDIS_CONNECTED) != 0) {
    bool rest = sdslen(context_->c.obuf) > 0;
    ngx_event_t* write = connection_->write;
    if (rest && !write->active) ngx_add_event(write, NGX_WRITE_EVENT, NGX_LEVEL_EVENT);
    if (rest) unpost(write);
    if (!rest && write->active) ngx_del_event(write, NGX_WRITE_EVENT, 0);
  }
  owner_.wire_worked();
}

void Wire::want_read(bool wanted) {
  if (connection_ == nullptr) return;
  ngx_event_t* read = connection_->read;
  if (wanted && !read->active) ngx_add_event(read, NGX_READ_EVENT, NGX_LEVEL_EVENT);
  if (!wanted && read->active) ngx_del_event(read, NGX_READ_EVENT, 0);
}

/// Before the connect's end this arms the socket's writability; later it only posts, so that all
/// commands of this tick leave in one write.
void Wire::want_write() {
  if (connection_ == nullptr) return;
  ngx_event_t* write = connection_->write;
  if (write->active) return;
  if ((context_->c.flags & REDIS_CONNECTED) == 0) {
    ngx_add_event(write, NGX_WRITE_EVENT, NGX_LEVEL_EVENT);
  } else {
    ngx_post_event(write, &ngx_posted_events);
  }
}

/// hiredis gives the context up. It closes the socket itself, so NGINX's connection is only let go.
void Wire::gone() {
  ngx_connection_t* connection = std::exchange(connection_, nullptr);
  context_ = nullptr;
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
  owner_.wire_gone();
}

}  // namespace cc
