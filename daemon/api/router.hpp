// From a request to its answer: which route, who asks, may he. The routes themselves stand in
// calls_routes.cpp, letter_routes.cpp and others like them, a table each; a new noun brings its
// own.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "call/calls.hpp"
#include "config.hpp"
#include "export_gate.hpp"
#include "file_gate.hpp"
#include "health.hpp"
#include "io/clock.hpp"
#include "key_ring.hpp"
#include "message.hpp"
#include "metrics.hpp"
#include "nouns.hpp"
#include "problem.hpp"
#include "target.hpp"

namespace cc::api {

/// What routes work with.
struct Parts {
  Calls& calls;
  const Health& health;
  Metrics& metrics;
  const Clock& clock;
  Nouns nouns;
  ExportGate& exports;
  const FileGate& file_gate;
  std::function<bool(const Request&, Scope)> opens;  // whether its key does by now
};

/// One request on its way through a route.
struct Exchange {
  const Parts& parts;
  const Request& request;
  const Target& target;
  std::vector<std::string> parameters;  // what stood in the pattern's braces, in order
  Principal key;                        // empty for routes without a key
  Trace& trace;

  Response refuse(const Problem& problem) const { return to_response(problem, request.id); }
};

using Handler = asio::awaitable<Response> (*)(Exchange&);

struct Route {
  std::string_view method;   // GET answers HEAD too
  std::string_view pattern;  // "/v1/calls/{callId}"
  Scope scope;               // none = open to everyone
  Handler handler;
};

std::span<const Route> agent_routes() noexcept;
std::span<const Route> audit_routes() noexcept;
std::span<const Route> binding_routes() noexcept;
std::span<const Route> calls_routes() noexcept;
std::span<const Route> channel_routes() noexcept;
std::span<const Route> document_routes() noexcept;
std::span<const Route> file_routes() noexcept;
std::span<const Route> health_routes() noexcept;
std::span<const Route> letter_routes() noexcept;
std::span<const Route> query_routes() noexcept;
std::span<const Route> reconciliation_routes() noexcept;
std::span<const Route> recording_routes() noexcept;
std::span<const Route> rejection_routes() noexcept;
std::span<const Route> status_routes() noexcept;

class Router {
 public:
  Router(Calls& calls, const Health& health, Metrics& metrics, const Clock& clock,
         const std::map<std::string, Tenant>& tenants, Nouns nouns = {});

  /// New keys, from the next request on.
  void reconfigure(const std::map<std::string, Tenant>& tenants);

  /// Never throws; whatever goes wrong becomes a problem document. `request` must outlive it.
  asio::awaitable<Answer> answer(const Request& request);

 private:
  struct Match;
  bool opens(const Request& request, Scope scope) const;
  Match match(const Request& request, const Target& target) const;
  asio::awaitable<Response> dispatch(const Request& request, Trace& trace);
  asio::awaitable<Response> guarded(Handler handler, Exchange& exchange);

  ExportGate exports_;
  FileGate file_gate_;
  Parts parts_;
  std::shared_ptr<const KeyRing> keys_;
  std::vector<Route> routes_;
};

}  // namespace cc::api
