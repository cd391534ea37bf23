#include "server.hpp"

#include <stdexcept>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "connection.hpp"
#include "listener.hpp"
#include "log.hpp"

namespace cc::api {
namespace {

// Beyond the limit so many are told so; more are closed without a word.
constexpr std::size_t refused_politely = 64;

}  // namespace

void log_access(const AccessEntry& entry) {
  const auto or_dash = [](std::string_view text) { return text.empty() ? "-" : text; };
  log().info(
      "access request={} {} {} status={} problem={} tenant={} key={} call={} us={} in={} out={}{}",
      entry.request_id, or_dash(entry.method), entry.route, entry.status, or_dash(entry.problem),
      or_dash(entry.tenant), or_dash(entry.key), or_dash(entry.call), entry.took.count(),
      entry.received, entry.sent, entry.whole ? "" : " cut");
}

struct ApiServer::Impl {
  Impl(asio::any_io_executor executor, const Config& config, Calls& calls, const Health& health,
       Metrics& metrics, const Clock& clock, AccessLog log, Nouns nouns)
      : host(std::make_shared<Host>(std::move(executor), config, calls, health, metrics, clock,
                                    std::move(log), nouns)) {}

  void abort_all() {
    const auto connections = host->connections;  // abort() may end some
    for (Connection* connection : connections) {
      if (host->connections.contains(connection)) connection->abort();
    }
  }

  static void accept(const std::shared_ptr<Host>& host, Socket socket) {
    const std::size_t open = host->connections.size();
    if (open >= host->limits.max_connections + refused_politely) return;
    const auto connection = std::make_shared<Connection>(host, std::move(socket));
    if (open >= host->limits.max_connections) {
      connection->refuse();
    } else {
      connection->start();
    }
  }

  std::shared_ptr<Host> host;
  std::vector<std::shared_ptr<Listener>> listeners;
};

ApiServer::ApiServer(asio::any_io_executor executor, const Config& config, Calls& calls,
                     const Health& health, Metrics& metrics, const Clock& clock,
                     AccessLog access_log, Nouns nouns)
    : impl_(std::make_shared<Impl>(std::move(executor), config, calls, health, metrics, clock,
                                   std::move(access_log), nouns)) {}

ApiServer::~ApiServer() {
  impl_->host->draining = true;
  for (const auto& listener : impl_->listeners) listener->stop();
  impl_->abort_all();
}

void ApiServer::start() {
  const auto& host = impl_->host;
  for (const std::string& address : host->limits.listen) {
    impl_->listeners.push_back(listen_on(host->executor, address));
  }
  for (const auto& listener : impl_->listeners) {
    listener->start([host](Socket socket) { Impl::accept(host, std::move(socket)); });
  }
}

std::vector<std::string> ApiServer::bound_addresses() const {
  std::vector<std::string> addresses;
  for (const auto& listener : impl_->listeners) addresses.push_back(listener->address());
  return addresses;
}

void ApiServer::reconfigure(const Config& config) {
  Config::Http http = config.http;
  http.listen = impl_->host->limits.listen;
  impl_->host->limit(http);
  impl_->host->router.reconfigure(config.tenants);
}

asio::awaitable<void> ApiServer::drain(std::chrono::milliseconds limit) {
  const auto impl = impl_;
  const auto host = impl->host;
  host->draining = true;
  for (const auto& listener : impl->listeners) listener->stop();
  host->calls.end_waits();
  const auto connections = host->connections;
  for (Connection* connection : connections) connection->interrupt_if_idle();
  if (!host->connections.empty()) {
    host->all_gone.expires_after(limit);
    co_await host->all_gone.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  if (host->connections.empty()) co_return;
  log().warn("API: {} connections had not ended after {} ms and were cut", host->connections.size(),
             limit.count());
  impl->abort_all();
}

void ApiServer::answer_by(std::function<asio::awaitable<Answer>(const Request&)> answer) {
  impl_->host->answer = std::move(answer);
}

std::size_t ApiServer::connections() const noexcept {
  return impl_->host->connections.size();
}

}  // namespace cc::api
