// Requests to OSS, each signed when it leaves, and sent again while that may help.
#pragma once

#include <boost/asio/awaitable.hpp>

#include "config.hpp"
#include "io/backoff.hpp"
#include "io/clock.hpp"
#include "io/http_client.hpp"
#include "recording/oss_answer.hpp"
#include "recording/oss_credentials.hpp"
#include "recording/oss_requests.hpp"

namespace cc {

namespace asio = boost::asio;

class OssClient {
 public:
  static constexpr unsigned usual_tries = 5;

  /// `idle`: a request's time is that and what its body takes at 64 KiB/s. `http` and `clock` must
  /// live as long.
  OssClient(const OssAccount& account, Millis idle, HttpClient& http, Clock& clock);
  OssClient(const OssClient&) = delete;

  const OssRequests& requests() const noexcept { return requests_; }
  Result<OssCredentials> credentials() { return credentials_.get(); }

  /// The last answer of at most `tries`. `request` is as it was afterwards, its body too, so that
  /// whoever gave the body's memory has it back.
  asio::awaitable<OssAnswer> ask(OssRequest& request, unsigned tries = usual_tries);

  /// Between two tries: as long as `answer` asks for, within bounds.
  asio::awaitable<void> pause(Backoff& backoff, const OssAnswer& answer);
  static Backoff make_backoff();

 private:
  OssRequests requests_;
  OssCredentialSource credentials_;
  const Millis idle_;
  HttpClient& http_;
  Clock& clock_;
};

}  // namespace cc
