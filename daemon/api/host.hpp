// What all connections of a server share.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <set>
#include <string_view>
#include <tuple>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "network.hpp"
#include "router.hpp"
#include "server.hpp"

namespace cc::api {

class Connection;

struct Host {
  Host(asio::any_io_executor loop, const Config& config, Calls& all_calls, const Health& health,
       Metrics& figures, const Clock& time, AccessLog log, Nouns nouns);

  /// New limits and deadlines, and whose word counts as to who a client is.
  void limit(const Config::Http& http);

  /// `sent`: bytes of body. Not `whole` = the client can't have all of it.
  void count(const Trace& trace, unsigned status, std::size_t sent, bool whole);

  asio::any_io_executor executor;
  Config::Http limits;
  std::vector<Network> trusted_proxies;
  Calls& calls;
  Metrics& metrics;
  const Clock& clock;
  AccessLog access_log;
  Router router;
  /// The router's, unless a test puts its own there.
  std::function<asio::awaitable<Answer>(const Request&)> answer;
  bool draining = false;
  std::set<Connection*> connections;
  asio::steady_timer all_gone;  // cancelled when the last connection goes

 private:
  // Route and method are static texts: few, and compared by content.
  std::map<std::tuple<std::string_view, std::string_view, unsigned>, prometheus::Counter*>
      counters_;
  std::map<std::string_view, prometheus::Counter*> bytes_;
};

}  // namespace cc::api
