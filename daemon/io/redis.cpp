#include "redis.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <sys/ioctl.h>
#include <utility>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>

#include "broken_pipe.hpp"
#include "redis_context.hpp"

namespace cc::redis {
namespace {

constexpr int deepest_reply = 8;         // hiredis 0.14 stops at 7 itself
constexpr int most_reads_in_a_row = 32;  // of 16 KB, then others get their turn

Reply copy(const redisReply& from, int depth) {
  Reply to;
  switch (from.type) {
    case REDIS_REPLY_INTEGER:
      to.type = Reply::Type::integer;
      to.integer = from.integer;
      break;
    case REDIS_REPLY_STRING:
      to.type = Reply::Type::text;
      to.text.assign(from.str, static_cast<std::size_t>(from.len));
      break;
    case REDIS_REPLY_STATUS:
      to.type = Reply::Type::status;
      to.text.assign(from.str, static_cast<std::size_t>(from.len));
      break;
    case REDIS_REPLY_ERROR:
      to.type = Reply::Type::error;
      to.text.assign(from.str, static_cast<std::size_t>(from.len));
      break;
    case REDIS_REPLY_ARRAY:
      to.type = Reply::Type::array;
      if (depth >= deepest_reply) break;
      to.items.reserve(from.elements);
      for (std::size_t i = 0; i < from.elements; ++i) {
        to.items.push_back(copy(*from.element[i], depth + 1));
      }
      break;
    default:
      break;
  }
  return to;
}

// What hiredis treats in a way of its own, with more than one reply or none.
bool is_ordinary(std::string word) {
  std::transform(word.begin(), word.end(), word.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const char* special :
       {"subscribe", "psubscribe", "unsubscribe", "punsubscribe", "monitor"}) {
    if (word == special) return false;
  }
  return !word.empty();
}

}  // namespace

Connection::Impl::Impl(asio::any_io_executor its_executor)
    : executor(std::move(its_executor)), descriptor(executor) {}

Connection::Impl::~Impl() {
  close("closed");
}

void Connection::Impl::open(const std::string& address) {
  constexpr std::string_view unix_prefix = "unix:";
  if (address.starts_with(unix_prefix)) {
    context = redisAsyncConnectUnix(address.c_str() + unix_prefix.size());
  } else {
    const auto colon = address.rfind(':');
    std::string host = address.substr(0, colon);
    if (host.size() > 1 && host.front() == '[' && host.back() == ']') {
      host = host.substr(1, host.size() - 2);
    }
    std::uint16_t port = 0;
    const char* end = address.data() + address.size();
    const char* digits = colon == std::string::npos ? end : address.data() + colon + 1;
    const auto [rest, bad] = std::from_chars(digits, end, port);
    boost::system::error_code not_ip;
    boost::asio::ip::make_address(host, not_ip);
    if (bad != std::errc{} || rest != end || port == 0 || not_ip) {
      throw Failure("neither unix:/path nor IP:port");
    }
    context = redisAsyncConnect(host.c_str(), port);
  }
  if (context == nullptr) throw Failure("out of memory");
  if (context->err != 0) {
    const std::string why = context->errstr;
    redisAsyncFree(std::exchange(context, nullptr));
    throw Failure(why);
  }
}

void Connection::Impl::attach() {
  boost::system::error_code error;
  descriptor.assign(context->c.fd, error);
  if (error) {
    redisAsyncFree(std::exchange(context, nullptr));
    throw Failure(error.message());
  }
  context->data = this;
  context->ev.data = this;
  context->ev.addRead = [](void* self) { static_cast<Impl*>(self)->want_read(); };
  context->ev.delRead = [](void* self) { static_cast<Impl*>(self)->wants_read = false; };
  context->ev.addWrite = [](void* self) { static_cast<Impl*>(self)->want_write(); };
  context->ev.delWrite = [](void* self) { static_cast<Impl*>(self)->wants_write = false; };
  context->ev.cleanup = [](void* self) { static_cast<Impl*>(self)->detach(); };
  redisAsyncSetConnectCallback(context, &Impl::on_connect);  // asks for writability
}

void Connection::Impl::detach() {
  if (context->errstr != nullptr && context->errstr[0] != '\0') problem = context->errstr;
  descriptor.release();  // hiredis closes it next
  context = nullptr;
  connected = false;
  if (connecting != nullptr) connecting->wake();
}

void Connection::Impl::close(const std::string& why) {
  if (context == nullptr) return;
  redisAsyncFree(context);  // calls on_reply for what is pending, then detach
  problem = why;
}

void Connection::Impl::wait_for(asio::posix::descriptor_base::wait_type type, bool& armed) {
  armed = true;
  const bool to_read = type == asio::posix::descriptor_base::wait_read;
  descriptor.async_wait(
      type, [self = shared_from_this(), &armed, to_read](boost::system::error_code error) {
        armed = false;
        if (error || self->context == nullptr) return;
        to_read ? self->on_readable() : self->on_writable();
      });
}

void Connection::Impl::want_read() {
  wants_read = true;
  if (!reading) wait_for(asio::posix::descriptor_base::wait_read, reading);
}

// Hiredis takes the first write for the proof that it is connected: until then only real
// writability will do. Later the socket is nearly always writable, and one attempt at the end of
// this turn of the loop sends all commands that came in it.
void Connection::Impl::want_write() {
  wants_write = true;
  if (writing) return;
  if (!connected || inside_write) {
    wait_for(asio::posix::descriptor_base::wait_write, writing);
    return;
  }
  writing = true;
  asio::post(executor, [self = shared_from_this()] {
    self->writing = false;
    if (self->context != nullptr) self->on_writable();
  });
}

void Connection::Impl::on_readable() {
  for (int i = 0; i < most_reads_in_a_row; ++i) {
    redisAsyncHandleRead(context);
    if (context == nullptr) return;
    int waiting = 0;
    if (::ioctl(context->c.fd, FIONREAD, &waiting) != 0 || waiting <= 0) return;
  }
}

void Connection::Impl::on_writable() {
  if (!wants_write) return;
  inside_write = true;
  redisAsyncHandleWrite(context);
  inside_write = false;
}

void Connection::Impl::on_connect(const redisAsyncContext* context, int status) {
  Impl& self = *static_cast<Impl*>(context->data);
  self.connected = status == REDIS_OK;
  if (self.connecting != nullptr) self.connecting->wake();
}

void Connection::Impl::on_reply(redisAsyncContext*, void* reply, void* pending) {
  const std::unique_ptr<std::shared_ptr<Pending>> reference(
      static_cast<std::shared_ptr<Pending>*>(pending));
  Pending& command = **reference;
  if (command.waiter == nullptr) return;
  if (reply != nullptr) {
    try {
      command.reply = copy(*static_cast<const redisReply*>(reply), 0);
      command.answered = true;
    } catch (const std::exception&) {  // no memory; nothing may fly through hiredis
      command.answered = false;
    }
  }
  command.waiter->wake();
}

asio::awaitable<void> Connection::Impl::connect(std::shared_ptr<Impl> self, Options options,
                                                Millis timeout) {
  survive_broken_pipes();
  Waiter waiter(self->executor, std::chrono::steady_clock::now() + timeout);
  self->open(options.address);
  self->attach();
  struct Connecting {
    Impl& impl;
    ~Connecting() {
      impl.connecting = nullptr;
      if (!impl.connected) impl.close("not connected");
    }
  };
  {
    const Connecting guard{*self};
    self->connecting = &waiter;
    bool in_time = true;
    while (in_time && self->context != nullptr && !self->connected) {
      in_time = co_await waiter.wait();
    }
    if (!in_time) throw Failure("no connection within " + std::to_string(timeout.count()) + " ms");
  }
  if (!self->usable()) throw Failure(self->problem);
  if (options.password.empty()) co_return;
  std::vector<std::string> words{"AUTH", options.password};
  const Reply reply = co_await command(self, std::move(words), waiter.deadline());
  if (reply.is_error()) throw Failure("AUTH refused: " + reply.text);
}

asio::awaitable<Reply> Connection::Impl::command(std::shared_ptr<Impl> self,
                                                 std::vector<std::string> words,
                                                 Waiter::TimePoint deadline) {
  if (words.empty() || !is_ordinary(words.front())) {
    throw std::logic_error("not a command for this connection");
  }
  if (!self->usable()) throw Failure(self->problem);
  std::vector<const char*> texts;
  std::vector<std::size_t> sizes;
  for (const std::string& word : words) {
    texts.push_back(word.data());
    sizes.push_back(word.size());
  }
  Waiter waiter(self->executor, deadline);
  const auto pending = std::make_shared<Pending>();
  pending->waiter = &waiter;
  struct Leaving {
    Pending& pending;
    ~Leaving() { pending.waiter = nullptr; }
  };
  const Leaving guard{*pending};
  auto reference = std::make_unique<std::shared_ptr<Pending>>(pending);
  if (redisAsyncCommandArgv(self->context, &Impl::on_reply, reference.get(),
                            static_cast<int>(words.size()), texts.data(),
                            sizes.data()) != REDIS_OK) {
    throw Failure(self->problem);
  }
  (void)reference.release();  // on_reply takes it, whatever happens
  const bool in_time = co_await waiter.wait();
  if (!in_time && !pending->answered) self->close("no answer in time");
  if (!pending->answered) {
    self->close("a reply was lost");
    throw Failure(self->problem);
  }
  co_return std::move(pending->reply);
}

Connection::Connection(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
Connection::~Connection() {
  impl_->close("closed");
}

asio::awaitable<std::unique_ptr<Connection>> Connection::connect(asio::any_io_executor executor,
                                                                 Options options, Millis timeout) {
  const auto impl = std::make_shared<Impl>(std::move(executor));
  co_await Impl::connect(impl, std::move(options), timeout);
  co_return std::unique_ptr<Connection>(new Connection(impl));
}

asio::awaitable<Reply> Connection::command(std::vector<std::string> words, Millis timeout) {
  const auto impl = impl_;
  Reply reply =
      co_await Impl::command(impl, std::move(words), std::chrono::steady_clock::now() + timeout);
  co_return reply;
}

bool Connection::usable() const noexcept {
  return impl_->usable();
}

}  // namespace cc::redis
