#include "host.hpp"

#include <string>

namespace cc::api {

Host::Host(asio::any_io_executor loop, const Config& config, Calls& all_calls, const Health& health,
           Metrics& figures, const Clock& time, AccessLog log, Nouns nouns)
    : executor(loop),
      calls(all_calls),
      metrics(figures),
      clock(time),
      access_log(std::move(log)),
      router(all_calls, health, figures, time, config.tenants, nouns),
      answer([this](const Request& request) { return router.answer(request); }),
      all_gone(std::move(loop)) {
  limit(config.http);
}

void Host::limit(const Config::Http& http) {
  limits = http;
  trusted_proxies.clear();
  for (const std::string& text : http.trusted_proxies) {
    if (const auto network = parse_network(text)) trusted_proxies.push_back(*network);
  }
}

void Host::count(const Trace& trace, unsigned status, std::size_t sent, bool whole) {
  auto& counter = counters_[{trace.route, trace.method, status}];
  if (counter == nullptr) {
    counter = &metrics.requests.Add({{"route", std::string(trace.route)},
                                     {"method", std::string(trace.method)},
                                     {"status", std::to_string(status)}});
  }
  counter->Increment();
  auto& bytes = bytes_[trace.route];
  if (bytes == nullptr) {
    bytes = &metrics.answered_bytes.Add({{"route", std::string(trace.route)}});
  }
  bytes->Increment(static_cast<double>(sent));
  if (!whole) metrics.cut_answers.Increment();
}

}  // namespace cc::api
