#include "link.hpp"

#include <charconv>
#include <string_view>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace cc::bench {
namespace {

constexpr auto tuple = asio::as_tuple(asio::use_awaitable);
constexpr std::string_view end_of_head = "\r\n\r\n";

/// What stands between `before` and the line's end; nothing where it isn't there.
std::string_view line_after(std::string_view head, std::string_view before) {
  const auto at = head.find(before);
  if (at == std::string_view::npos) return {};
  head.remove_prefix(at + before.size());
  return head.substr(0, head.find('\r'));
}

template <class Number>
Number number(std::string_view text) {
  Number value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

struct Links::Link {
  explicit Link(const asio::any_io_executor& executor) : socket(executor) {}
  asio::ip::tcp::socket socket;
  std::string read;
};

asio::awaitable<Reply> Links::exchange(std::string request) {
  std::shared_ptr<Link> link;
  if (!idle_.empty()) {
    link = std::move(idle_.front());
    idle_.pop_front();
  } else {
    link = std::make_shared<Link>(co_await asio::this_coro::executor);
    const asio::ip::tcp::endpoint there(asio::ip::address_v4::loopback(), port_);
    const auto [refused] = co_await link->socket.async_connect(there, tuple);
    if (refused) co_return Reply{};
    link->socket.set_option(asio::ip::tcp::no_delay(true));
  }
  auto exchanging = exchange_on(*link, request);
  Reply reply = co_await std::move(exchanging);
  if (link->socket.is_open()) idle_.push_back(std::move(link));
  co_return reply;
}

asio::awaitable<Reply> Links::exchange_on(Link& link, const std::string& request) {
  Reply reply;
  const auto [broken, written] =
      co_await asio::async_write(link.socket, asio::buffer(request), tuple);
  auto buffer = asio::dynamic_buffer(link.read);
  const auto [ended, head_size] =
      co_await asio::async_read_until(link.socket, buffer, end_of_head, tuple);
  if (broken || ended) {
    link.socket.close();
    co_return reply;
  }
  // NGINX writes "Content-Length" and "Connection" as ccd does.
  const std::string head = link.read.substr(0, head_size);
  const auto length = number<std::size_t>(line_after(head, "\r\nContent-Length: "));
  while (link.read.size() < head_size + length) {
    const auto have = link.read.size();
    link.read.resize(head_size + length);
    const auto [error, count] = co_await link.socket.async_read_some(
        asio::buffer(link.read.data() + have, head_size + length - have), tuple);
    link.read.resize(have + count);
    if (error) {
      link.socket.close();
      co_return reply;
    }
  }
  reply.status = number<int>(line_after(head, " "));
  reply.body = link.read.substr(head_size, length);
  link.read.erase(0, head_size + length);
  if (line_after(head, "\r\nConnection: ") == "close") link.socket.close();
  co_return reply;
}

}  // namespace cc::bench
