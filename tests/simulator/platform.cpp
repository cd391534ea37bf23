#include "platform.hpp"

#include <charconv>
#include <chrono>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "checks.hpp"
#include "digest.hpp"
#include "world.hpp"

namespace jiuyun {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

constexpr std::int64_t query_age_limit_ms = 48LL * 3600 * 1000;

asio::awaitable<void> rest(World const& world, std::int64_t script_ms) {
  if (script_ms <= 0) co_return;
  asio::steady_timer timer(world.executor);
  timer.expires_after(std::chrono::microseconds(
      static_cast<std::int64_t>(static_cast<double>(script_ms) * 1000.0 / world.options.speed)));
  boost::system::error_code ignored;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

std::int64_t steady_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

Reply answer(json::object resp, unsigned int status = 200) {
  json::object outer;
  outer["resp"] = std::move(resp);
  Reply reply;
  reply.status = status;
  reply.body = json::serialize(outer);
  return reply;
}

Reply refused(World& world, CallName const& call, std::string_view function,
              Refusal const& refusal) {
  auto const at = now_ms();
  auto const status = refusal.http_status ? refusal.http_status : world.options.refusal_status;
  json::object line;
  line["func"] = function;
  line["statusCode"] = refusal.code;
  line["reason"] = refusal.reason;
  line["httpStatus"] = status;
  world.journal.write("refused", call, std::move(line));

  json::object resp;
  resp["statusCode"] = refusal.code;
  resp["dateCreated"] = world.clock.slashed(at);
  resp["represent"] = refusal.reason;
  return answer(std::move(resp), status);
}

// One request, as far as it could be read.
struct Asked {
  std::string function;
  Checked wrong;
  json::value body;
  CallRequest call;     // of an originate
  std::string call_id;  // of a cancel or query
};

// What a line of the journal can be found by, even if the request is refused.
void find_names(Asked& asked) {
  auto outer = asked.body.if_object();
  if (!outer) return;
  for (auto const& entry : *outer) {
    auto fields = entry.value().if_object();
    if (!fields) continue;
    auto take = [&](char const* key, std::string& into) {
      auto value = fields->if_contains(key);
      if (value && value->is_string()) into = printable(std::string_view(value->get_string()), 200);
    };
    auto data = fields->if_contains("userData");
    if (data && data->is_string() && data->get_string().size() <= 1024)
      asked.call.user_data = std::string_view(data->get_string());
    take("callId", asked.call_id);
  }
}

Asked read(World& world, Request const& request, Target const& target) {
  Asked asked;
  auto function = function_of(target.path);
  asked.function = function.name;
  asked.wrong = check_envelope(world, request, target, function);
  boost::system::error_code error;
  asked.body = json::parse(request.body(), error);
  if (error) {
    asked.body = nullptr;
    if (!asked.wrong)
      asked.wrong = Refusal{"900098", "the body is not JSON: " + error.message(), 0};
  }
  find_names(asked);
  if (asked.wrong) return asked;
  if (asked.function == "Calls/callBack")
    asked.wrong = check_originate(world, asked.body, asked.call);
  else if (asked.function == "Calls/CancelCallback")
    asked.wrong = check_cancel(world, asked.body, asked.call_id);
  else
    asked.wrong = check_query(asked.body, asked.call_id);
  return asked;
}

// The names of the call that a cancel or query is about.
CallName name_of(World const& world, Asked const& asked) {
  if (asked.call_id.empty()) return {"", asked.call.user_data};
  auto call = world.find_call(asked.call_id);
  return call ? call->name() : CallName{asked.call_id, ""};
}

void note_request(World& world, Request const& request, Asked const& asked, CallName const& call,
                  std::string_view outage) {
  json::object line;
  line["func"] = asked.function.empty() ? std::string("unknown") : asked.function;
  line["method"] = std::string(request.method_string());
  line["target"] =
      printable(std::string_view(request.target().data(), request.target().size()), 300);
  line["checks"] = asked.wrong ? "failed" : "passed";
  line["statusCode"] = asked.wrong ? asked.wrong->code : "000000";
  line["reason"] = asked.wrong ? asked.wrong->reason : "";
  line["outage"] = outage;
  if (!asked.body.is_null() && request.body().size() <= 8 * 1024)
    line["body"] = asked.body;
  else
    line["body"] = printable(request.body(), 1024);
  world.journal.write("request", call, std::move(line));
}

// The answer under an outage that doesn't wait for the checks; nothing if there is none.
std::optional<Reply> out_of_order(Outage const& outage) {
  if (!outage.at_the_gate()) return std::nullopt;
  Reply reply;
  switch (outage.kind) {
    case Outage::Kind::none:
    case Outage::Kind::refuse:
      return std::nullopt;
    case Outage::Kind::hang:
      reply.fate = Reply::Fate::hang;
      break;
    case Outage::Kind::drop:
      reply.fate = Reply::Fate::drop;
      break;
    case Outage::Kind::error:
      reply.status = outage.status;
      reply.content_type = "text/html";
      reply.body = "<html><head><title>Out of order</title></head></html>\n";
      break;
  }
  return reply;
}

// The originate's own answer, once everything that it waits for is over.
Reply originated(World& world, Call& call) {
  auto const& script = call.script().originate;
  json::object line;
  line["fault"] = "none";
  line["httpStatus"] = 200;
  line["statusCode"] = "";
  line["afterMs"] = now_ms() - call.accepted_at();
  Reply reply;
  switch (script.fault) {
    case Fault::hang_before:
    case Fault::hang_after:
      reply.fate = Reply::Fate::hang;
      line["fault"] = "hang";
      line["httpStatus"] = nullptr;
      break;
    case Fault::drop_before:
    case Fault::drop_after:
      reply.fate = Reply::Fate::drop;
      line["fault"] = "drop";
      line["httpStatus"] = nullptr;
      break;
    case Fault::none:
      if (script.unclear()) {
        reply.status = script.http_status.value_or(200);
        reply.content_type = "text/html";
        reply.body = script.raw_body.value_or("<html><head><title>Error</title></head></html>\n");
        line["fault"] = "unclear";
      } else {
        json::object resp;
        resp["statusCode"] = "000000";
        if (!script.sub_status_code.empty()) resp["subStatusCode"] = script.sub_status_code;
        resp["dateCreated"] = world.clock.slashed(now_ms());
        resp["callId"] = call.id();
        reply = answer(std::move(resp), script.http_status.value_or(200));
        line["statusCode"] = "000000";
      }
      line["httpStatus"] = reply.status;
  }
  world.journal.write("reply", call.name(), std::move(line));
  return reply;
}

void give_up(World& world, Call& call) {
  world.journal.write("undialled", call.name(), json::object{{"why", "the client had gone"}});
  world.forget(call);
}

asio::awaitable<Reply> originate(World& world, Asked const& asked) {
  CallName const nameless{"", asked.call.user_data};
  if (asked.wrong) co_return refused(world, nameless, asked.function, *asked.wrong);
  Script script = world.script_for(asked.call.to);
  if (world.random_faults.on()) {
    auto const lot = world.random_faults.draw(asked.call.from, asked.call.to);
    auto line = lot.to_json();
    line["from"] = asked.call.from;
    line["to"] = asked.call.to;
    world.journal.write("random", nameless, std::move(line));
    lot.lay_on(script, world.options.speed);
  }
  world.outages.lay_on(script, world.options.speed);  // what is certain beats what is random
  if (!script.originate.code.empty()) {
    co_await rest(world, script.originate.delay_ms);
    Refusal refusal{script.originate.code, "refused by script, outage or chance",
                    script.originate.http_status.value_or(0)};
    co_return refused(world, nameless, asked.function, refusal);
  }
  if (world.living_calls() >= world.options.max_calls) {
    Refusal refusal{
        "900123",
        "over " + std::to_string(world.options.max_calls) + " calls in progress (--max-calls)", 0};
    co_return refused(world, nameless, asked.function, refusal);
  }
  bool const dials = script.originate.dials();
  if (!dials) {
    // No call comes into being: only the answer's fault is played.
    Call nobody(world, world.executor, "", asked.call, script);
    co_await rest(world, script.originate.delay_ms);
    co_return originated(world, nobody);
  }
  auto call = world.new_call(asked.call, script);
  json::object line;
  line["from"] = asked.call.from;
  line["to"] = asked.call.to;
  line["script"] = script.name;
  world.journal.write("originate", call->name(), std::move(line));

  auto const& answering = script.originate;
  bool const at_once = (answering.delay_ms > 0 && !answering.dial_after_answer) ||
                       answering.fault != Fault::none || script.callbacks.before_answer;
  if (at_once) call->start();
  if (script.callbacks.before_answer) co_await call->first_push_over();
  co_await rest(world, answering.delay_ms);
  Reply reply = originated(world, *call);
  reply.afterwards = [&world, call, at_once](bool peer_gone) {
    // A platform that dials last has seen by then that nobody waits for it any more.
    if (peer_gone && !at_once && call->script().originate.dial_after_answer)
      give_up(world, *call);
    else
      call->start();
  };
  co_return reply;
}

Reply cancel(World& world, Asked const& asked) {
  auto const name = name_of(world, asked);
  if (asked.wrong) return refused(world, name, asked.function, *asked.wrong);
  auto const outage = world.outages.of("cancel");
  if (outage.kind == Outage::Kind::refuse)
    return refused(world, name, asked.function, {outage.code, "refused by outage", 0});
  auto call = world.find_call(asked.call_id);
  if (!call)
    return refused(world, name, asked.function, {"900217", "there is no call " + asked.call_id, 0});
  if (call->ended())
    return refused(world, name, asked.function,
                   {"900217", "call " + asked.call_id + " has ended", 0});
  world.journal.write("cancel", name);
  call->cancel();
  json::object resp;
  resp["statusCode"] = "000000";
  resp["dateCreated"] = world.clock.slashed(now_ms());
  resp["callId"] = call->id();
  return answer(std::move(resp));
}

bool query_allowed(World& world) {
  auto const now = steady_ms();
  while (!world.queries.empty() && world.queries.front() <= now - 60'000) world.queries.pop_front();
  if (world.queries.size() >= world.options.query_limit) return false;
  world.queries.push_back(now);
  return true;
}

json::object call_notify(Call const& call) {
  json::object notify;
  for (auto const& [key, value] : call.final_fields()) notify[key] = value;
  for (auto key : {"type", "userFlag", "subType", "duration", "byeType"}) {
    auto text = notify.if_contains(key);
    if (!text) continue;
    std::string digits(std::string_view(text->get_string()));
    std::int64_t number = 0;
    auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (read.ec == std::errc{}) notify[key] = number;
  }
  return notify;
}

asio::awaitable<Reply> query(World& world, Asked const& asked) {
  auto const name = name_of(world, asked);
  if (asked.wrong) co_return refused(world, name, asked.function, *asked.wrong);
  bool const allowed = query_allowed(world);
  if (!allowed) {
    Refusal refusal{"900224",
                    "over " + std::to_string(world.options.query_limit) + " queries in 60 s", 0};
    co_return refused(world, name, asked.function, refusal);
  }
  auto const outage = world.outages.of("query");
  auto call = world.find_call(asked.call_id);
  Refusal refusal;
  if (outage.kind == Outage::Kind::refuse)
    refusal = {outage.code, "refused by outage", 0};
  else if (!call)
    refusal = {"900217", "there is no call " + asked.call_id, 0};
  else if (!call->script().query.code.empty())
    refusal = {call->script().query.code, "the script says so",
               call->script().query.http_status.value_or(0)};
  else if (!call->ended())
    refusal = {"900218", "call " + asked.call_id + " has not ended: there is no record yet", 0};
  else if (now_ms() - call->ended_at() > query_age_limit_ms)
    refusal = {"900219", "the call ended over 48 h ago", 0};

  if (call) co_await rest(world, call->script().query.delay_ms);
  if (!refusal.code.empty()) co_return refused(world, name, asked.function, refusal);
  auto const status = call->script().query.http_status.value_or(200);
  auto const notify = call_notify(*call);
  json::object line;
  if (status < 400) line["answer"] = notify;
  world.journal.write("query", name, std::move(line));
  Reply reply;
  if (status >= 400) {
    reply.status = status;
    reply.content_type = "text/html";
    reply.body = "<html><head><title>Error</title></head></html>\n";
    co_return reply;
  }
  json::object resp;
  resp["statusCode"] = "000000";
  resp["callNotify"] = notify;
  reply = answer(std::move(resp), status);
  co_return reply;
}

}  // namespace

asio::awaitable<Reply> platform(World& world, Request const& request, Target const& target) {
  Asked asked = read(world, request, target);
  bool const is_originate = asked.function == "Calls/callBack";
  auto const kind = is_originate                        ? "originate"
                    : asked.function == "Records/query" ? "query"
                                                        : "cancel";
  Outage outage;
  if (!asked.function.empty()) outage = world.outages.of(kind);
  auto faulty = out_of_order(outage);
  note_request(world, request, asked, name_of(world, asked), faulty ? "on" : "");
  if (is_originate && world.seen_before(asked.call.user_data))
    world.journal.violation("userData originated twice", name_of(world, asked));
  if (faulty) {
    if (is_originate)
      co_await rest(world, real_ms(world.outages.originate_delay_ms(), world.options.speed));
    co_return *faulty;
  }

  if (is_originate) {
    Reply reply = co_await originate(world, asked);
    co_return reply;
  }
  if (asked.function == "Calls/CancelCallback") co_return cancel(world, asked);
  if (asked.function == "Records/query") {
    Reply reply = co_await query(world, asked);
    co_return reply;
  }
  co_return refused(world, name_of(world, asked), "unknown", *asked.wrong);
}

}  // namespace jiuyun
