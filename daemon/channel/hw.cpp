#include "channel/hw.hpp"

#include <boost/json.hpp>

#include "channel/hw_files.hpp"

namespace cc {
namespace {

namespace json = boost::json;
using Kind = SessionAnswer::Kind;

// Nothing public limits them [A]; every query goes through one of our own lines' sessions.
constexpr int most_queries_a_minute = 600;

// A poll is answered after 10 s; making the connection for it may take as long, when thousands of
// lines begin at once.
constexpr Millis poll_connect_timeout{10'000};

class HwProvider final : public Provider, public LineSessions {
 public:
  HwProvider(const ChannelConfig& config, HttpClient& http, Clock& clock)
      : config_(config), gateway_(config), http_(http), clock_(clock) {}

  asio::awaitable<OriginateAnswer> originate(Originate request) override;
  asio::awaitable<HangupReply> hang_up(Hangup request) override;
  int queries_a_minute() const noexcept override { return most_queries_a_minute; }
  asio::awaitable<QueryReply> query(Query request) override;
  LineSessions* sessions() noexcept override { return this; }
  FileRequest file_request(const ChannelFile& file) const override {
    return hw_file_request(config_, file, clock_.epoch_ms());
  }
  FileAnswer judge_file(const HttpExchange& head, std::string_view begin) const override {
    return judge_hw_file(config_.code, head.status, begin);
  }

  asio::awaitable<SessionAnswer> sign_in(HttpClient& http, SignIn wish,
                                         std::shared_ptr<LineSession> session) override;
  asio::awaitable<SessionAnswer> sign_out(HttpClient& http, std::string agent,
                                          std::shared_ptr<LineSession> session) override;
  asio::awaitable<Polled> poll(HttpClient& http, std::string agent,
                               std::shared_ptr<LineSession> session) override;
  PollPace pace() const noexcept override {
    return {config_.hw.pause_least, config_.hw.pause_most, config_.hw.sign_ins_a_second};
  }

 private:
  ChannelConfig config_;
  HwGateway gateway_;
  HttpClient& http_;
  Clock& clock_;
};

std::string path_of(std::string_view folder, const std::string& agent,
                    const std::string& rest = {}) {
  return "/" + std::string(folder) + "/" + hw_encode(agent) + rest;
}

asio::awaitable<SessionAnswer> HwProvider::sign_in(HttpClient& http, SignIn wish,
                                                   std::shared_ptr<LineSession> session) {
  json::object body;
  body["password"] = wish.password;
  body["phonenum"] = wish.handset;
  body["status"] = "4";  // idle: it can be called and can call
  body["releasephone"] = "false";
  body["agenttype"] = "4";
  const std::string text = json::serialize(body);
  *session = LineSession{};
  HttpRequest request = gateway_.request("PUT", path_of("onlineagent", wish.agent), *session, text);
  HwReply reply = co_await gateway_.ask(http, std::move(request), session, true);
  if (reply.answer.retcode == "100-002") {  // by somebody else, or by us before our end
    request =
        gateway_.request("PUT", path_of("onlineagent", wish.agent, "/forcelogin"), *session, text);
    reply = co_await gateway_.ask(http, std::move(request), session, true);
  }
  if (!reply.session.ok()) co_return reply.session;
  if (session->ticket.empty()) {
    reply.session.kind = Kind::trouble;
    reply.session.message = "the gateway accepted the sign-in but gave no Set-GUID";
    co_return reply.session;
  }
  session->handset = wish.handset;
  request = gateway_.request(
      "POST", path_of("onlineagent", wish.agent, "/resetskill/true?phonelinkage=0"), *session);
  const HwReply skills = co_await gateway_.ask(http, std::move(request), session);
  // It belongs to a sign-in, so without its answer there is none. What the gateway refuses is its
  // own affair: an agent without skills still calls.
  if (skills.session.kind == Kind::lost || skills.answer.retcode.empty()) {
    SessionAnswer failed = skills.session;
    failed.kind = Kind::trouble;
    co_return failed;
  }
  co_return reply.session;
}

asio::awaitable<SessionAnswer> HwProvider::sign_out(HttpClient& http, std::string agent,
                                                    std::shared_ptr<LineSession> session) {
  HttpRequest request =
      gateway_.request("DELETE", path_of("onlineagent", agent, "/logout"), *session);
  const HwReply reply = co_await gateway_.ask(http, std::move(request), std::move(session));
  co_return reply.session;
}

asio::awaitable<Polled> HwProvider::poll(HttpClient& http, std::string agent,
                                         std::shared_ptr<LineSession> session) {
  HttpRequest request = gateway_.request("GET", path_of("agentevent", agent), *session);
  request.connect_timeout = poll_connect_timeout;
  request.timeout = config_.hw.poll_timeout;
  HwReply reply = co_await gateway_.ask(http, std::move(request), std::move(session));
  Polled polled;
  polled.answer = std::move(reply.session);
  // What cannot be read is kept too: as a dead letter.
  const bool unreadable =
      reply.exchange.status == 200 && !reply.exchange.body.empty() && !reply.answer.readable;
  polled.readable = !unreadable;
  if (reply.exchange.answered() && (reply.answer.has_event || unreadable)) {
    Delivery delivery;
    delivery.channel = config_.code;
    delivery.source = Source::poll;
    delivery.subject = std::move(agent);
    delivery.content_type = "application/json";
    delivery.body = std::move(reply.exchange.body);
    polled.delivery = std::move(delivery);
  }
  co_return polled;
}

asio::awaitable<OriginateAnswer> HwProvider::originate(Originate request) {
  json::object body;
  body["called"] = request.called;
  if (!request.show_b.empty())
    body["caller"] = request.show_b;  // what A's phone shows can't be set
  body["mediaability"] = 0;
  HttpRequest http = gateway_.request("PUT", path_of("voicecall", request.agent, "/callout"),
                                      *request.session, json::serialize(body));
  http.only_once = true;
  http.may_send = std::move(request.may_send);
  const HwReply reply = co_await gateway_.ask(http_, std::move(http), request.session);
  OriginateAnswer answer = judge_hw_callout(reply);
  answer.elapsed = reply.exchange.elapsed;
  co_return answer;
}

asio::awaitable<HangupReply> HwProvider::hang_up(Hangup request) {
  const bool named = !request.channel_call_id.empty();
  const std::string rest = named ? "/dropcall/" + hw_encode(request.channel_call_id) : "/release";
  HttpRequest http = gateway_.request(named ? "POST" : "DELETE",
                                      path_of("voicecall", request.agent, rest), *request.session);
  const HwReply reply = co_await gateway_.ask(http_, std::move(http), request.session);
  HangupReply told;
  told.accepted = reply.session.ok();
  told.code = reply.session.code;
  told.message = reply.session.message;
  told.session_lost = reply.session.kind == Kind::lost;
  co_return told;
}

asio::awaitable<QueryReply> HwProvider::query(Query request) {
  const std::string rest = "/callinfobycallid/" + hw_encode(request.channel_call_id);
  HttpRequest http =
      gateway_.request("GET", path_of("calldata", request.agent, rest), *request.session);
  HwReply reply = co_await gateway_.ask(http_, std::move(http), request.session);
  QueryReply told;
  told.try_later = true;  // no code is known to be the last word
  told.session_lost = reply.session.kind == Kind::lost;
  if (!reply.session.ok()) {
    told.problem =
        "the gateway answered the query with " + reply.session.code + " " + reply.session.message;
    co_return told;
  }
  Delivery delivery;
  delivery.channel = config_.code;
  delivery.received_ms = clock_.epoch_ms();
  delivery.source = Source::query;
  delivery.subject = std::to_string(request.call);
  delivery.content_type = "application/json";
  delivery.body = std::move(reply.exchange.body);
  told.delivery = std::move(delivery);
  co_return told;
}

}  // namespace

OriginateAnswer judge_hw_callout(const HwReply& reply) {
  OriginateAnswer answer;
  const HttpExchange& exchange = reply.exchange;
  answer.code = reply.session.code;
  answer.message = reply.session.message;
  if (exchange.nothing_sent()) {
    answer.outcome = OriginateAnswer::Outcome::refused;
    answer.never_dialled = true;
    answer.verdict = verdict_of(exchange);
    answer.close = exchange.end == HttpExchange::End::withheld
                       ? CloseFact{"255", "not_sent", "cc"}
                       : CloseFact{"7", "network_error", "channel"};
    return answer;
  }
  const std::string& code = reply.answer.retcode;
  const bool foreign = exchange.status >= 500 && !is_documented_hw_retcode(code);
  if (!exchange.answered() || code.empty() || foreign) {  // unknown
    answer.verdict = verdict_of(exchange).value_or(ChannelVerdict::failed);
    return answer;
  }
  if (code == "0") {
    answer.verdict = ChannelVerdict::well;
    answer.outcome = OriginateAnswer::Outcome::accepted;
    answer.channel_call_id = reply.answer.call_id;
    answer.code.clear();
    return answer;
  }
  answer.outcome = OriginateAnswer::Outcome::refused;
  answer.session_over = reply.session.kind == Kind::lost || reply.session.kind == Kind::stale;
  answer.session_lost = reply.session.kind == Kind::lost;
  answer.never_dialled = answer.line_fault = answer.session_over;
  // A session that is over is the line's affair; sign-ins that fail are judged apart.
  if (!answer.session_over) answer.verdict = ChannelVerdict::well;
  const bool phone_refused = code == "100-013" || code == "100-014";
  answer.close = phone_refused ? CloseFact{"1", "a_unreachable", "channel"}
                               : CloseFact{"6", "channel_error", "channel"};
  return answer;
}

std::unique_ptr<Provider> make_hw_provider(const ChannelConfig& config, HttpClient& http,
                                           Clock& clock) {
  return std::make_unique<HwProvider>(config, http, clock);
}

}  // namespace cc
