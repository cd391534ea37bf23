#include "channel/e9.hpp"

#include <array>

#include <boost/json.hpp>
#include <openssl/evp.h>

#include "beijing_time.hpp"
#include "channel/audio_kind.hpp"
#include "phone.hpp"
#include "recording/fetch.hpp"
#include "shared/e9.hpp"
#include "text.hpp"

namespace cc {
namespace {

namespace json = boost::json;

// The bounds of what we keep of a channel's error text.
constexpr std::size_t max_message = 200;
constexpr std::size_t max_host = 60;

std::string md5_upper_hex(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &length, EVP_md5(), nullptr);
  std::string hex = to_hex({reinterpret_cast<const char*>(digest.data()), length});
  for (char& c : hex) c = c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c;
  return hex;
}

std::string base64(std::string_view text) {
  std::string out(4 * ((text.size() + 2) / 3) + 1, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                     reinterpret_cast<const unsigned char*>(text.data()),
                                     static_cast<int>(text.size()));
  out.resize(static_cast<std::size_t>(length));
  return out;
}

// statusCode and the like come as strings; a number is taken as well.
std::string text_of(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr) return {};
  if (const json::string* text = value->if_string()) return std::string(text->data(), text->size());
  if (value->is_int64()) return std::to_string(value->get_int64());
  if (value->is_uint64()) return std::to_string(value->get_uint64());
  return {};
}

std::string bounded(std::string text) {
  bool cut = false;
  return mask_numbers_in(cut_to_width(repair_utf8(text), max_message, cut));
}

std::string bounded_code(const std::string& text) {
  bool cut = false;
  return mask_numbers_in(cut_to_width(repair_utf8(text), 32, cut));
}

bool in_range(const std::string& code, std::int64_t low, std::int64_t high) {
  const auto number = parse_integer(code);
  return number && *number >= low && *number <= high;
}

/// Not approved, or on a blacklist.
bool is_display_code(const std::string& code) {
  return in_range(code, 900204, 900208) || in_range(code, 900222, 900223);
}

/// The object under "resp", or nothing where the body is not Jiuyun's answer.
std::optional<json::object> read_resp(const std::string& body) {
  boost::system::error_code error;
  json::value value = json::parse(body, error);
  if (error || !value.is_object()) return std::nullopt;
  const json::value* resp = value.get_object().if_contains("resp");
  if (resp == nullptr || !resp->is_object()) return std::nullopt;
  return resp->get_object();
}

class E9Provider final : public Provider {
 public:
  E9Provider(const ChannelConfig& config, HttpClient& http, Clock& clock)
      : config_(config), http_(http), clock_(clock) {}

  asio::awaitable<OriginateAnswer> originate(Originate request) override;
  asio::awaitable<HangupReply> hang_up(Hangup request) override;
  // "Fewer than 10 a minute per account" (900224).
  int queries_a_minute() const noexcept override { return 9; }
  asio::awaitable<QueryReply> query(Query request) override;
  FileRequest file_request(const ChannelFile& file) const override;
  FileAnswer judge_file(const HttpExchange& head, std::string_view begin) const override;

 private:
  HttpRequest request_to(std::string_view function, const json::object& body) const;

  ChannelConfig config_;
  HttpClient& http_;
  Clock& clock_;
};

HttpRequest E9Provider::request_to(std::string_view function, const json::object& body) const {
  const E9Account& account = config_.e9;
  const std::string timestamp = format_beijing(clock_.epoch_ms());
  HttpRequest request;
  request.method = "POST";
  request.url = account.base_url + "/" + account.soft_version + "/Accounts/" + account.account_sid +
                "/" + std::string(function) +
                "?sig=" + md5_upper_hex(account.account_sid + account.auth_token + timestamp);
  request.headers = {{"Authorization", base64(account.account_sid + ":" + timestamp)},
                     {"Accept", "application/json;charset=utf-8"},
                     {"Content-Type", "application/json;charset=utf-8"}};
  request.body = json::serialize(body);
  request.connect_timeout = config_.connect_timeout;
  request.timeout = config_.answer_timeout;
  request.ca_file = account.ca_file;
  return request;
}

OriginateAnswer nothing_sent(const HttpExchange& exchange) {
  OriginateAnswer answer;
  answer.outcome = OriginateAnswer::Outcome::refused;
  answer.code = to_text(exchange.end);
  answer.message = exchange.problem;
  answer.never_dialled = true;
  answer.verdict = verdict_of(exchange);
  answer.close = exchange.end == HttpExchange::End::withheld
                     ? CloseFact{"255", "not_sent", "cc"}
                     : CloseFact{"7", "network_error", "channel"};
  return answer;
}

OriginateAnswer unknown(std::string code, std::string message, ChannelVerdict verdict) {
  OriginateAnswer answer;
  answer.verdict = verdict;
  answer.code = std::move(code);
  answer.message = std::move(message);
  return answer;
}

OriginateAnswer judge_originate(const HttpExchange& exchange) {
  if (exchange.nothing_sent()) return nothing_sent(exchange);
  if (!exchange.answered()) {
    return unknown(std::string(to_text(exchange.end)), exchange.problem,
                   verdict_of(exchange).value_or(ChannelVerdict::failed));
  }
  const std::optional<json::object> resp = read_resp(exchange.body);
  const std::string status = resp ? text_of(*resp, "statusCode") : std::string{};
  if (status.empty()) {
    return unknown("http_" + std::to_string(exchange.status),
                   "the answer is not readable as Jiuyun's", ChannelVerdict::failed);
  }
  if (status != "000000") {
    return judge_e9_refusal(status, text_of(*resp, "represent"), exchange.status);
  }
  OriginateAnswer answer;
  answer.outcome = OriginateAnswer::Outcome::accepted;
  answer.verdict = ChannelVerdict::well;
  bool cut = false;
  answer.channel_call_id = cut_to_width(repair_utf8(text_of(*resp, "callId")), 64, cut);
  // Not fatal: a display number was refused, say. Kept with the attempt.
  answer.code = bounded_code(text_of(*resp, "subStatusCode"));
  if (answer.code == "000000" || answer.code == "0" || answer.code == "null") answer.code.clear();
  answer.display_refused = is_display_code(answer.code);
  return answer;
}

asio::awaitable<OriginateAnswer> E9Provider::originate(Originate request) {
  json::object callback;
  callback["appId"] = config_.e9.app_id;
  callback["from"] = request.handset;
  callback["to"] = request.called;
  callback["userData"] = make_echo(request.call, request.attempt);
  // Transparent = the list of that leg left out; hidden = the merchant's own number (channels.md).
  const auto show = [&](const char* name, const std::string& number) {
    if (!number.empty()) callback[name] = json::array{json::value(number)};
  };
  show("fromSerNum", request.show_a);
  show("toSerNum", request.show_b);
  callback["maxCallTime"] = request.max_duration;
  callback["needRecord"] = request.record ? 1 : 0;
  json::object body;
  body["callback"] = std::move(callback);
  HttpRequest http = request_to("Calls/callBack", body);
  http.only_once = true;
  http.may_send = std::move(request.may_send);
  const HttpExchange exchange = co_await http_.perform(std::move(http));
  OriginateAnswer answer = judge_originate(exchange);
  answer.elapsed = exchange.elapsed;
  co_return answer;
}

asio::awaitable<HangupReply> E9Provider::hang_up(Hangup request) {
  json::object req;
  req["appId"] = config_.e9.app_id;
  req["callId"] = request.channel_call_id;
  json::object body;
  body["req"] = std::move(req);
  HttpRequest http = request_to("Calls/CancelCallback", body);
  const HttpExchange exchange = co_await http_.perform(std::move(http));
  HangupReply reply;
  if (!exchange.answered()) {
    reply.code = to_text(exchange.end);
    reply.message = exchange.problem;
    co_return reply;
  }
  const std::optional<json::object> resp = read_resp(exchange.body);
  reply.code =
      resp ? bounded_code(text_of(*resp, "statusCode")) : "http_" + std::to_string(exchange.status);
  reply.message =
      resp ? bounded(text_of(*resp, "represent")) : "the answer is not readable as Jiuyun's";
  reply.accepted = reply.code == "000000";
  co_return reply;
}

asio::awaitable<QueryReply> E9Provider::query(Query request) {
  json::object req;
  req["callId"] = request.channel_call_id;
  req["type"] = 1;
  json::object body;
  body["req"] = std::move(req);
  HttpRequest http = request_to("Records/query", body);
  const HttpExchange exchange = co_await http_.perform(std::move(http));
  QueryReply reply;
  if (!exchange.answered()) {
    reply.problem = exchange.problem;
    reply.try_later = true;
    co_return reply;
  }
  const std::optional<json::object> resp = read_resp(exchange.body);
  const std::string status = resp ? text_of(*resp, "statusCode") : std::string{};
  if (status != "000000") {
    reply.problem = "Jiuyun answered the query with " +
                    (status.empty() ? "HTTP " + std::to_string(exchange.status) : bounded(status));
    // Not yet ended, too many queries, or no answer of Jiuyun's at all. 900213, 217, 219 are final.
    reply.try_later = status.empty() || status == "900218" || status == "900224";
    co_return reply;
  }
  Delivery delivery;
  delivery.channel = config_.code;
  delivery.received_ms = clock_.epoch_ms();
  delivery.source = Source::query;
  delivery.subject = std::to_string(request.call);
  delivery.content_type = "application/json";
  delivery.body = exchange.body;
  reply.delivery = std::move(delivery);
  co_return reply;
}

/// "https://host:port" of a URL; empty where it is none.
std::string_view origin_of(std::string_view url) {
  const std::size_t host = url.find("://");
  if (host == std::string_view::npos) return {};
  return url.substr(0, url.find_first_of("/?#", host + 3));
}

bool begins_with_scheme(std::string_view url, std::string_view scheme) {
  if (url.size() <= scheme.size()) return false;
  for (std::size_t i = 0; i < scheme.size(); ++i) {
    const char c = url[i];
    if ((c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c) != scheme[i]) return false;
  }
  return true;
}

FileRequest E9Provider::file_request(const ChannelFile& file) const {
  const E9Account& account = config_.e9;
  std::string url;
  for (const char c : std::string_view(file.source).substr(0, file.source.find('#'))) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      return Error{"the channel's address of the file has a control character in it"};
    }
    if (byte == ' ' || byte >= 0x80) {  // as browsers take it
      url += '%' + to_hex({&c, 1});
    } else {
      url += c;
    }
  }
  if (!begins_with_scheme(url, "https://") && !begins_with_scheme(url, "http://")) {
    return Error{"the channel's address of the file is no http or https URL"};
  }
  const std::optional<UrlHost> host = url_host(url);
  if (!host) return Error{"the channel's address of the file is no http or https URL"};
  // What is appended opens every recording of the account and never expires, so only the channel's
  // own hosts see it, and nobody on the way to one that the configuration does not name.
  const std::optional<UrlHost> own = url_host(account.base_url);
  const bool at_home = own && own->host == host->host && begins_with_scheme(url, "https://");
  if (!at_home && !is_listed(*host, config_.recordings.hosts)) {
    bool cut = false;
    return no_way_yet("the channel named a recording on another host than its own; if that host is "
                      "the channel's, name it in channels." +
                      config_.code + ".recordings.hosts: " +
                      cut_to_width(repair_utf8(host->host), max_host, cut));
  }
  const std::size_t query = url.find('?');
  if (query == std::string::npos) {
    url += '?';
  } else if (query + 1 < url.size() && !url.ends_with('&')) {
    url += '&';
  }
  url += "auth=" + md5_upper_hex(account.account_sid + ":" + account.auth_token);
  HttpRequest request;
  // A callback brought it; where we send our requests anyway it may lead.
  request.public_only = !(at_home && own->port == host->port);
  request.connect_timeout = config_.connect_timeout;
  // An own authority is that of the vendor's own address; its files may lie elsewhere.
  if (origin_of(url) == origin_of(account.base_url)) request.ca_file = account.ca_file;
  request.url = std::move(url);
  return request;
}

FileAnswer E9Provider::judge_file(const HttpExchange& head, std::string_view begin) const {
  FileAnswer answer;
  const std::string status = std::to_string(head.status);
  if (head.status == 404 || head.status == 410) {
    answer.kind = FileAnswer::Kind::none;
    answer.problem = "the channel answers with HTTP " + status;
    return answer;
  }
  if (head.status != 200) {
    answer.problem = "the channel answers with HTTP " + status;
    if (head.status == 401 || head.status == 403) {
      answer.problem += ": it does not accept accountSid and authToken of channels." + config_.code;
    }
    return answer;
  }
  std::string type;
  for (const auto& [name, value] : head.headers) {
    if (name == "content-type") type = value.substr(0, value.find(';'));
  }
  if (const auto kind = audio_kind(begin)) {
    answer.kind = FileAnswer::Kind::file;
    answer.content_type = kind->content_type;
    answer.extension = kind->extension;
    return answer;
  }
  const std::string_view text = trim(begin);
  // A page that says in words what a status should have said.
  if (!begins_with_scheme(type, "audio/") || text.starts_with('<') || text.starts_with('{')) {
    answer.problem = begin.empty() ? "the channel answers with HTTP 200 and nothing"
                                   : "the channel answers with HTTP 200 and what is no sound";
    return answer;
  }
  answer.kind = FileAnswer::Kind::file;
  answer.content_type = "audio/mpeg";  // what Jiuyun's are
  answer.extension = ".mp3";
  return answer;
}

}  // namespace

OriginateAnswer judge_e9_refusal(const std::string& status_code, std::string represent,
                                 long http_status) {
  OriginateAnswer answer;
  answer.outcome = OriginateAnswer::Outcome::refused;
  answer.code = bounded_code(status_code);
  answer.message = bounded(std::move(represent));
  const auto is = [&](std::int64_t low, std::int64_t high) {
    return in_range(status_code, low, high);
  };
  if (http_status >= 500 && !is(900000, 900299)) {
    // Somebody's 5xx with a code that is none of Jiuyun's: it says nothing about the phones.
    answer.outcome = OriginateAnswer::Outcome::unknown;
    answer.verdict = ChannelVerdict::failed;
    return answer;
  }
  answer.verdict = ChannelVerdict::well;  // a person's or a request's fault
  if (is(900200, 900201) || is(900220, 900220)) {
    answer.close = {"1", "a_unreachable", "channel"};
  } else if (is(900202, 900203) || is(900221, 900221)) {
    answer.close = {"2", "b_unreachable", "channel"};
  } else {
    // Account, app, signature, quota (9000xx, 9001xx) and display numbers (900204–208, 222, 223)
    // are on the channel's list of "never dialled"; any other code is not.
    answer.display_refused = is_display_code(status_code);
    answer.never_dialled = is(900000, 900199) || answer.display_refused;
    if (is(900000, 900199) && status_code != "900098") answer.verdict = ChannelVerdict::failed;
    answer.close = {"6", "channel_error", "channel"};
  }
  return answer;
}

std::unique_ptr<Provider> make_e9_provider(const ChannelConfig& config, HttpClient& http,
                                           Clock& clock) {
  return std::make_unique<E9Provider>(config, http, clock);
}

}  // namespace cc
