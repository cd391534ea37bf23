#include "http_client.hpp"

#include <utility>

#include "broken_pipe.hpp"
#include "http_multi.hpp"
#include "http_transfer.hpp"
#include "waiter.hpp"

namespace cc {

using Wait = asio::posix::descriptor_base::wait_type;

std::string_view to_text(HttpExchange::End end) noexcept {
  using End = HttpExchange::End;
  switch (end) {
    case End::answered:
      return "answered";
    case End::not_resolved:
      return "not_resolved";
    case End::not_connected:
      return "not_connected";
    case End::tls_failed:
      return "tls_failed";
    case End::withheld:
      return "withheld";
    case End::broken:
      return "broken";
    case End::timed_out:
      return "timed_out";
  }
  return "?";
}

HttpClient::Impl::Impl(asio::any_io_executor its_executor, long most_kept_alive)
    : executor(std::move(its_executor)), timer(executor) {
  static const CURLcode global = curl_global_init(CURL_GLOBAL_DEFAULT);
  multi = global == CURLE_OK ? curl_multi_init() : nullptr;
  if (multi == nullptr) throw std::runtime_error("curl cannot be used");
  survive_broken_pipes();
  curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &Impl::on_socket);
  curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, static_cast<void*>(this));
  curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &Impl::on_timer);
  curl_multi_setopt(multi, CURLMOPT_TIMERDATA, static_cast<void*>(this));
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, most_kept_alive);
}

HttpClient::Impl::~Impl() {
  while (!sockets.empty()) forget(sockets.begin()->first);
  curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, nullptr);
  curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, nullptr);
  curl_multi_cleanup(multi);
}

void HttpClient::Impl::forget(curl_socket_t number) {
  const auto found = sockets.find(number);
  if (found == sockets.end()) return;
  found->second->gone = true;
  found->second->descriptor.release();  // out of epoll, before curl closes it
  sockets.erase(found);
}

int HttpClient::Impl::on_socket(CURL*, curl_socket_t number, int what, void* self, void* watched) {
  Impl& impl = *static_cast<Impl*>(self);
  if (what == CURL_POLL_REMOVE) {
    impl.forget(number);
    return 0;
  }
  // Null for a socket that curl has not shown before: an old one of this number is then history.
  if (watched == nullptr) {
    impl.forget(number);
    auto socket =
        std::make_shared<Watched>(Watched{asio::posix::stream_descriptor(impl.executor), number});
    boost::system::error_code error;
    socket->descriptor.assign(number, error);
    if (error) return -1;
    curl_multi_assign(impl.multi, number, socket.get());
    impl.sockets.emplace(number, std::move(socket));
  }
  const auto found = impl.sockets.find(number);
  if (found == impl.sockets.end()) return -1;
  found->second->wanted = what;
  impl.watch(found->second);
  return 0;
}

void HttpClient::Impl::watch(const std::shared_ptr<Watched>& socket) {
  if ((socket->wanted & CURL_POLL_IN) != 0) {
    arm(socket, Wait::wait_read, socket->reading, CURL_POLL_IN);
  }
  if ((socket->wanted & CURL_POLL_OUT) != 0) {
    arm(socket, Wait::wait_write, socket->writing, CURL_POLL_OUT);
  }
}

void HttpClient::Impl::arm(const std::shared_ptr<Watched>& socket, Wait type, bool& armed,
                           int bit) {
  if (armed) return;
  armed = true;
  socket->descriptor.async_wait(
      type, [weak = weak_from_this(), socket, &armed, bit](boost::system::error_code error) {
        armed = false;
        const auto self = weak.lock();
        if (!self || socket->gone || error) return;
        if ((socket->wanted & bit) != 0) {
          self->act(socket->number, bit == CURL_POLL_IN ? CURL_CSELECT_IN : CURL_CSELECT_OUT);
        }
        if (!socket->gone) self->watch(socket);
      });
}

int HttpClient::Impl::on_timer(CURLM*, long timeout_ms, void* self) {
  Impl& impl = *static_cast<Impl*>(self);
  if (timeout_ms < 0) {
    impl.timer.cancel();
    return 0;
  }
  impl.timer.expires_after(std::chrono::milliseconds{timeout_ms});
  impl.timer.async_wait([weak = impl.weak_from_this()](boost::system::error_code error) {
    const auto strong = weak.lock();
    if (strong && !error) strong->act(CURL_SOCKET_TIMEOUT, 0);
  });
  return 0;
}

void HttpClient::Impl::act(curl_socket_t number, int bits) {
  int running = 0, left = 0;
  curl_multi_socket_action(multi, number, bits, &running);
  while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
    if (message->msg == CURLMSG_DONE) {
      HttpTransfer::of(message->easy_handle).finish(message->data.result);
    }
  }
}

HttpClient::HttpClient(asio::any_io_executor executor, long most_kept_alive)
    : impl_(std::make_shared<Impl>(std::move(executor), most_kept_alive)) {}

HttpClient::~HttpClient() = default;

asio::awaitable<HttpExchange> HttpClient::perform(HttpRequest request) {
  const auto impl = impl_;
  const auto begin = std::chrono::steady_clock::now();
  // Curl has its own clock; this is for the case that it forgets.
  Waiter waiter(impl->executor, begin + request.timeout + std::chrono::seconds{2});
  HttpTransfer transfer(std::move(request), waiter);
  if (transfer.prepare() && curl_multi_add_handle(impl->multi, transfer.easy()) == CURLM_OK) {
    const HttpAttached attached(impl->multi, transfer.easy());
    co_await waiter.wait();
  }
  HttpExchange exchange = transfer.exchange();
  exchange.elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - begin);
  co_return exchange;
}

}  // namespace cc
