// The agent gateway's protocol (channels.md, hw): requests with a session, and what its retcodes
// mean. hw.cpp builds the provider on it.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "channel/session.hpp"
#include "config.hpp"
#include "io/http_client.hpp"
#include "shared/hw.hpp"

namespace cc {

/// What a retcode says of the session. Pure. `signing_in`: of an answer to a sign-in.
SessionAnswer::Kind judge_hw_retcode(std::string_view retcode, bool signing_in) noexcept;

/// Whether channels.md documents the code: such an answer is the gateway's own, whatever HTTP says.
bool is_documented_hw_retcode(std::string_view retcode) noexcept;

/// The guid of a Set-GUID header ("JSESSIONID=<guid>"); empty where there is none. Pure.
std::string guid_of(std::string_view set_guid);

/// Cookies as a Cookie header has them, with those of a Set-Cookie header put in their place. Pure.
std::string merge_cookies(const std::string& cookies, std::string_view set_cookie);

/// Everything but RFC 3986's unreserved characters is escaped, upper-case. Pure.
std::string hw_encode(std::string_view text);

struct HwReply {
  HttpExchange exchange;
  HwAnswer answer;        // of `exchange.body`
  SessionAnswer session;  // what it means for the session
};

class HwGateway {
 public:
  HwGateway(const ChannelConfig& config) : config_(config) {}

  /// With the session's Guid and cookies; what the answer renews of them is taken over.
  HttpRequest request(std::string method, const std::string& path, const LineSession& session,
                      std::string body = {}) const;
  asio::awaitable<HwReply> ask(HttpClient& http, HttpRequest request,
                               std::shared_ptr<LineSession> session, bool signing_in = false) const;

 private:
  ChannelConfig config_;
};

}  // namespace cc
