#include "channel/hw_gateway.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "phone.hpp"

namespace cc {
namespace {

// By what follows from them; channels.md, "Session".
constexpr std::array<std::string_view, 5> session_over = {"000-003", "100-006", "105-005",
                                                          "105-006", "105-007"};
constexpr std::array<std::string_view, 4> sign_in_refused = {"100-004", "110-016", "100-013",
                                                             "100-014"};
constexpr std::string_view already_signed_in = "100-002";

constexpr std::size_t most_cookies = 4096, longest_guid = 512;  // bytes

template <std::size_t size>
bool is_one_of(std::string_view code, const std::array<std::string_view, size>& codes) noexcept {
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

/// Nothing that would end the header that it is sent back in.
bool is_header_text(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7F; });
}

void renew(LineSession& session, const HttpExchange& exchange) {
  for (const auto& [name, value] : exchange.headers) {
    if (name == "set-guid") {
      if (std::string guid = guid_of(value); !guid.empty()) session.ticket = std::move(guid);
    } else if (name == "set-cookie") {
      session.cookies = merge_cookies(session.cookies, value);
    }
  }
}

SessionAnswer judge(const HwReply& reply, bool signing_in) {
  SessionAnswer judged;
  if (!reply.exchange.answered()) {
    judged.code = to_text(reply.exchange.end);
    judged.message = reply.exchange.problem;
    return judged;
  }
  if (reply.answer.retcode.empty()) {
    judged.code = "http_" + std::to_string(reply.exchange.status);
    judged.message = "the answer is not readable as the agent gateway's";
    return judged;
  }
  judged.code = reply.answer.retcode;
  judged.message = mask_numbers_in(reply.answer.message);
  const bool foreign =
      reply.exchange.status >= 500 && !is_documented_hw_retcode(reply.answer.retcode);
  if (!foreign) judged.kind = judge_hw_retcode(reply.answer.retcode, signing_in);
  return judged;
}

}  // namespace

SessionAnswer::Kind judge_hw_retcode(std::string_view retcode, bool signing_in) noexcept {
  using Kind = SessionAnswer::Kind;
  if (retcode == "0") return Kind::ok;
  if (signing_in) return is_one_of(retcode, sign_in_refused) ? Kind::refused : Kind::trouble;
  return is_one_of(retcode, session_over) ? Kind::lost : Kind::trouble;
}

bool is_documented_hw_retcode(std::string_view retcode) noexcept {
  return retcode == already_signed_in || is_one_of(retcode, session_over) ||
         is_one_of(retcode, sign_in_refused);
}

std::string guid_of(std::string_view set_guid) {
  constexpr std::string_view name = "JSESSIONID=";
  const std::size_t at = set_guid.find(name);
  if (at == std::string_view::npos) return {};
  set_guid.remove_prefix(at + name.size());
  const std::string_view guid = trimmed(set_guid.substr(0, set_guid.find(';')));
  if (guid.size() > longest_guid || !is_header_text(guid)) return {};
  return std::string(guid);
}

std::string merge_cookies(const std::string& cookies, std::string_view set_cookie) {
  const std::string_view pair = trimmed(set_cookie.substr(0, set_cookie.find(';')));
  const std::size_t equals = pair.find('=');
  if (equals == 0 || equals == std::string_view::npos || !is_header_text(pair)) return cookies;
  const std::string_view name = pair.substr(0, equals + 1);
  std::string merged;
  const auto add = [&](std::string_view one) {
    if (!merged.empty()) merged += "; ";
    merged += one;
  };
  for (std::string_view rest = cookies; !rest.empty();) {
    const std::size_t end = rest.find(';');
    const std::string_view one = trimmed(rest.substr(0, end));
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    if (!one.empty() && !one.starts_with(name)) add(one);
  }
  if (merged.size() + pair.size() > most_cookies) return cookies;
  add(pair);
  return merged;
}

std::string hw_encode(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      out += c;
    } else {
      out += '%';
      out += digits[byte >> 4];
      out += digits[byte & 0xF];
    }
  }
  return out;
}

HttpRequest HwGateway::request(std::string method, const std::string& path,
                               const LineSession& session, std::string body) const {
  HttpRequest request;
  request.method = std::move(method);
  request.url = config_.hw.base_url + path;
  request.headers.emplace_back("Accept", "application/json");
  if (!session.ticket.empty()) request.headers.emplace_back("Guid", session.ticket);
  if (!session.cookies.empty()) request.headers.emplace_back("Cookie", session.cookies);
  if (!body.empty())
    request.headers.emplace_back("Content-Type", "application/json; charset=UTF-8");
  request.body = std::move(body);
  request.connect_timeout = config_.connect_timeout;
  request.timeout = config_.answer_timeout;
  request.max_answer = std::size_t{256} * 1024;
  request.ca_file = config_.hw.ca_file;
  return request;
}

asio::awaitable<HwReply> HwGateway::ask(HttpClient& http, HttpRequest request,
                                        std::shared_ptr<LineSession> session,
                                        bool signing_in) const {
  const std::string ticket = session->ticket;
  HwReply reply;
  reply.exchange = co_await http.perform(std::move(request));
  if (reply.exchange.answered()) {
    reply.answer = read_hw_answer(reply.exchange.body);
    renew(*session, reply.exchange);
  }
  reply.session = judge(reply, signing_in);
  if (reply.session.kind == SessionAnswer::Kind::lost && session->ticket != ticket) {
    reply.session.kind = SessionAnswer::Kind::stale;
  }
  co_return reply;
}

}  // namespace cc
