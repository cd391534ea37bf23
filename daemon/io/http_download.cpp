#include "http_download.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "http_multi.hpp"
#include "http_transfer.hpp"
#include "waiter.hpp"

namespace cc {
namespace {

constexpr std::size_t most_waiting = std::size_t{256} * 1024;  // bytes that nobody has read yet

}  // namespace

/// The ring between curl, which fills it, and the reader, who empties it.
struct HttpDownload::Impl final : HttpSink {
  Impl(std::shared_ptr<HttpClient::Impl> its_client, HttpRequest request,
       std::chrono::milliseconds its_idle)
      : client(std::move(its_client)),
        idle(its_idle),
        waiter(client->executor, std::chrono::steady_clock::now()),
        transfer(std::move(request), waiter, this) {}
  Impl(const Impl&) = delete;

  void take_head() override {
    head_over = true;
    waiter.wake();
  }

  bool take(std::string_view bytes) override {
    if (bytes.size() > ring.size() - count) {  // never of an empty one: curl's own is smaller
      paused = true;
      return false;
    }
    const std::size_t end = (begin + count) % ring.size();
    const std::size_t first = std::min(bytes.size(), ring.size() - end);
    std::memcpy(ring.data() + end, bytes.data(), first);
    std::memcpy(ring.data(), bytes.data() + first, bytes.size() - first);
    count += bytes.size();
    waiter.wake();
    return true;
  }

  std::size_t give(char* into, std::size_t size) {
    const std::size_t taken = std::min(size, count);
    const std::size_t first = std::min(taken, ring.size() - begin);
    std::memcpy(into, ring.data() + begin, first);
    std::memcpy(into + first, ring.data(), taken - first);
    begin = (begin + taken) % ring.size();
    count -= taken;
    return taken;
  }

  void go_on() {
    if (!paused || count > ring.size() / 2) return;
    paused = false;
    curl_easy_pause(transfer.easy(), CURLPAUSE_CONT);  // may call take() at once
  }

  std::shared_ptr<HttpClient::Impl> client;
  std::chrono::milliseconds idle;
  Waiter waiter;
  HttpTransfer transfer;
  std::optional<HttpAttached> attached;
  std::vector<char> ring = std::vector<char>(most_waiting);
  std::size_t begin = 0, count = 0;
  bool paused = false, head_over = false;
  HttpExchange head;
  std::string problem;
};

HttpDownload::HttpDownload(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

HttpDownload::~HttpDownload() = default;

const HttpExchange& HttpDownload::head() const noexcept {
  return impl_->head;
}

const std::string& HttpDownload::problem() const noexcept {
  return impl_->problem;
}

asio::awaitable<std::ptrdiff_t> HttpDownload::read(char* into, std::size_t size) {
  Impl& impl = *impl_;
  if (!impl.problem.empty()) co_return -1;
  while (impl.count == 0 && !impl.transfer.finished()) {
    impl.waiter.wait_until(std::chrono::steady_clock::now() + impl.idle);
    const bool woken = co_await impl.waiter.wait();
    if (woken || impl.count > 0 || impl.transfer.finished()) continue;
    impl.problem = "nothing came for " + std::to_string(impl.idle.count() / 1000) + " s";
    impl.attached.reset();
    co_return -1;
  }
  if (impl.count > 0) {
    const std::size_t taken = impl.give(into, size);
    impl.go_on();
    co_return static_cast<std::ptrdiff_t>(taken);
  }
  const HttpExchange whole = impl.transfer.exchange();
  if (whole.answered()) co_return 0;
  impl.problem = whole.problem.empty() ? "the answer was cut short" : whole.problem;
  co_return -1;
}

asio::awaitable<std::unique_ptr<HttpDownload>> HttpClient::download(
    HttpRequest request, std::chrono::milliseconds idle) {
  const auto begin = std::chrono::steady_clock::now();
  const auto until = begin + request.connect_timeout + idle;
  auto impl = std::make_unique<HttpDownload::Impl>(impl_, std::move(request), idle);
  bool in_time = true;
  if (impl->transfer.prepare()) {
    impl->attached.emplace(impl_->multi, impl->transfer.easy());
    in_time = curl_multi_add_handle(impl_->multi, impl->transfer.easy()) == CURLM_OK;
    impl->waiter.wait_until(until);
    while (in_time && !impl->head_over && !impl->transfer.finished()) {
      in_time = co_await impl->waiter.wait();
    }
  }
  if (impl->head_over) {
    impl->head = impl->transfer.head();
  } else {
    impl->attached.reset();
    impl->head = impl->transfer.exchange();
    impl->problem = impl->head.problem.empty() ? "no answer came" : impl->head.problem;
  }
  impl->head.elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - begin);
  co_return std::unique_ptr<HttpDownload>(new HttpDownload(std::move(impl)));
}

}  // namespace cc
