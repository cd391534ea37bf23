#include "recording/oss_client.hpp"

#include <algorithm>
#include <utility>

namespace cc {
namespace {

constexpr Millis connect_timeout{5'000};
constexpr std::size_t slowest = 64 * 1024;  // bytes a second
constexpr Millis first_pause{500}, longest_pause{8'000};
constexpr Millis longest_retry_after{30'000};

}  // namespace

OssClient::OssClient(const OssAccount& account, Millis idle, HttpClient& http, Clock& clock)
    : requests_(account), credentials_(account, clock), idle_(idle), http_(http), clock_(clock) {}

Backoff OssClient::make_backoff() {
  return {first_pause, longest_pause};
}

asio::awaitable<OssAnswer> OssClient::ask(OssRequest& request, unsigned tries) {
  Backoff backoff = make_backoff();
  for (unsigned number = 1;; ++number) {
    const Result<OssCredentials> credentials = credentials_.get();
    if (!credentials) {
      OssAnswer answer;
      answer.problem = {"credentials", credentials.error().message, true};
      co_return answer;
    }
    HttpRequest http = requests_.sign(request, *credentials, clock_.epoch_ms());
    http.connect_timeout = connect_timeout;
    http.timeout = connect_timeout + idle_ +
                   std::chrono::seconds{static_cast<long>(http.body.size() / slowest)};
    HttpExchange exchange = co_await http_.perform(std::move(http));
    request.body = std::move(exchange.sent);
    OssAnswer answer = judge_oss_answer(std::move(exchange), clock_.epoch_ms());
    if (answer.good || !answer.again || number >= tries) co_return answer;
    co_await pause(backoff, answer);
  }
}

asio::awaitable<void> OssClient::pause(Backoff& backoff, const OssAnswer& answer) {
  const Millis asked_for = std::min(answer.retry_after, longest_retry_after);
  co_await clock_.sleep_for(std::max(backoff.next(), asked_for));
}

}  // namespace cc
