#include "control.hpp"

#include <charconv>
#include <stdexcept>

#include <boost/beast/http/field.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "digest.hpp"
#include "door.hpp"
#include "presets.hpp"
#include "recording.hpp"
#include "world.hpp"

namespace jiuyun {

namespace asio = boost::asio;
namespace json = boost::json;
namespace http = boost::beast::http;

namespace {

constexpr std::size_t most_scripts = 100'000;

// A complaint with its HTTP status.
struct Wrong : std::runtime_error {
  Wrong(unsigned int given_status, std::string const& text)
      : std::runtime_error(text), status(given_status) {}
  unsigned int status;
};

Reply as_json(json::value const& value) {
  Reply reply;
  reply.content_type = "application/json";
  reply.body = json::serialize(value);
  return reply;
}

Reply done() {
  return as_json(json::object{{"ok", true}});
}

std::int64_t number_in(Target const& target, std::string_view name, std::int64_t otherwise,
                       std::int64_t most) {
  auto text = query_value(target.query, name);
  if (!text) return otherwise;
  std::int64_t value = 0;
  auto read = std::from_chars(text->data(), text->data() + text->size(), value);
  if (read.ec != std::errc{} || read.ptr != text->data() + text->size() || value < 0 ||
      value > most)
    throw Wrong(400, "the query's " + std::string(name) + " is '" + printable(*text, 40) +
                         "': give a whole number from 0 to " + std::to_string(most));
  return value;
}

json::value body_of(Request const& request) {
  boost::system::error_code error;
  auto value = json::parse(request.body(), error);
  if (error) throw Wrong(400, "the body is not JSON: " + error.message());
  return value;
}

std::shared_ptr<Call> call_of(World const& world, std::string const& call_id) {
  auto call = world.find_call(call_id);
  if (!call)
    throw Wrong(
        404, "there is no call '" + printable(call_id, 64) + "'; GET /_control/calls lists them");
  return call;
}

Reply health(World const& world) {
  json::object out;
  out["ok"] = true;
  out["accountSid"] = world.options.account_sid;
  out["appId"] = world.options.app_id;
  out["speed"] = world.options.speed;
  out["now"] = now_ms();
  out["calls"] = world.calls().size();
  out["living"] = world.living_calls();
  out["violations"] = world.journal.violations();
  out["journalSeq"] = world.journal.last_seq();
  out["callbackUrl"] = world.callback_url.has_value();
  out["outage"] = world.outages.to_json();
  return as_json(out);
}

Reply list_calls(World const& world, Target const& target) {
  auto limit = static_cast<std::size_t>(number_in(target, "limit", 1000, 100'000));
  auto user_data = query_value(target.query, "userData");
  auto prefix = query_value(target.query, "userDataPrefix");
  auto from = query_value(target.query, "from");
  auto to = query_value(target.query, "to");
  json::array list;
  auto const& calls = world.calls();
  for (auto call = calls.rbegin(); call != calls.rend() && list.size() < limit;
       ++call) {  // newest first
    auto const& asked = (*call)->request();
    if (user_data && asked.user_data != *user_data) continue;
    if (prefix && !asked.user_data.starts_with(*prefix)) continue;
    if (from && asked.from != *from) continue;
    if (to && asked.to != *to) continue;
    list.push_back((*call)->to_json());
  }
  return as_json(json::object{{"calls", std::move(list)}});
}

Reply list_recordings(World const& world, Target const& target) {
  auto const limit = static_cast<std::size_t>(number_in(target, "limit", 1000, 100'000));
  json::array list;
  auto const& calls = world.calls();
  for (auto call = calls.rbegin(); call != calls.rend() && list.size() < limit; ++call)
    if ((*call)->ended() && (*call)->has_recording())
      list.push_back(recording_truth(**call, false));
  return as_json(json::object{{"recordings", std::move(list)}});
}

Reply show_recording(World const& world, std::string const& call_id) {
  auto const call = call_of(world, call_id);
  if (!call->ended() || !call->has_recording())
    throw Wrong(404, "call " + call_id + " has no recording, or has not ended");
  return as_json(recording_truth(*call, true));
}

asio::awaitable<Reply> show_journal(World& world, Target const& target) {
  auto since = number_in(target, "since", 0, INT64_MAX);
  auto limit = static_cast<std::size_t>(number_in(target, "limit", 10'000, 200'000));
  auto wait = number_in(target, "waitMs", 0, 60'000);
  if (wait > 0) co_await world.journal.wait(since, wait);
  auto lines = world.journal.lines(since, limit);
  Reply reply;
  reply.content_type = "application/json";
  reply.body = "{\"oldest\":" + std::to_string(world.journal.oldest_seq()) +
               ",\"last\":" + std::to_string(world.journal.last_seq()) + ",\"lines\":[";
  for (std::size_t i = 0; i < lines.size(); ++i) reply.body += (i ? ",\n" : "\n") + lines[i];
  reply.body += "]}\n";
  co_return reply;
}

Reply put_script(World& world, std::string const& number, Request const& request) {
  if (number.empty() || number.size() > 20 ||
      number.find_first_not_of("0123456789") != std::string::npos)
    throw Wrong(400, "the called number '" + printable(number, 40) + "' must be digits");
  if (world.scripts.size() >= most_scripts && !world.scripts.contains(number))
    throw Wrong(400, "there are " + std::to_string(most_scripts) +
                         " scripts; DELETE some or POST /_control/reset");
  Script script;
  script.apply(body_of(request));
  auto out = script.to_json();
  world.scripts[number] = std::move(script);
  world.journal.write("control",
                      json::object{{"what", "script"}, {"number", number}, {"script", out}});
  return as_json(out);
}

Reply put_default_script(World& world, Request const& request) {
  Script script;
  script.apply(body_of(request));
  auto out = script.to_json();
  world.default_script = std::move(script);
  world.journal.write("control", json::object{{"what", "default-script"}, {"script", out}});
  return as_json(out);
}

// The body is the URL itself, {"url":"…"}, or {"url":null}.
Reply put_callback_url(World& world, Request const& request) {
  std::string url = request.body();
  while (!url.empty() && (url.back() == '\n' || url.back() == '\r')) url.pop_back();
  if (url.starts_with("{") || url.starts_with("\"")) {
    auto value = body_of(request);
    auto object = value.if_object();
    auto field = object ? object->if_contains("url") : &value;
    if (field && field->is_null())
      url.clear();
    else if (field && field->is_string())
      url = std::string_view(field->get_string());
    else
      throw Wrong(400, "the body must be {\"url\":\"http://HOST:PORT/PATH\"} or {\"url\":null}");
  }
  if (url.empty())
    world.callback_url.reset();
  else
    world.callback_url = CallbackUrl::parse(url);
  world.journal.write("control", json::object{{"what", "callback-url"}, {"url", url}});
  return done();
}

Reply put_outage(World& world, Request const& request) {
  auto const value = body_of(request);
  Outages next = world.outages;
  next.apply(value);
  if (next.connections_refused())
    world.door->shut();
  else
    world.door->open();
  world.outages = std::move(next);
  world.journal.write("control", json::object{{"what", "outage"}, {"outage", value}});
  return as_json(world.outages.to_json());
}

Reply put_random(World& world, Request const& request) {
  world.random_faults.set(body_of(request));
  auto const out = world.random_faults.to_json();
  world.journal.write("control", json::object{{"what", "random"}, {"random", out}});
  return as_json(out);
}

Reply delete_random(World& world) {
  world.random_faults.off();
  world.journal.write("control", json::object{{"what", "random"}, {"random", nullptr}});
  return done();
}

Reply hang_up(World& world, std::string const& call_id, Target const& target) {
  auto call = call_of(world, call_id);
  auto by = query_value(target.query, "by");
  if (!by || (*by != "a" && *by != "b"))
    throw Wrong(400,
                "the query's by is '" + printable(by.value_or(""), 20) + "': give by=a or by=b");
  if (call->ended()) throw Wrong(409, "call " + call_id + " has ended");
  world.journal.write("control", call->name(), json::object{{"what", "hangup"}, {"by", *by}});
  call->hang_up(*by == "a" ? Leg::a : Leg::b);
  return done();
}

asio::awaitable<Reply> push_raw(World& world, Request const& request) {
  if (!world.callback_url)
    throw Wrong(409, "no callback URL is set: PUT /_control/callback-url first");
  CallbackUrl url = *world.callback_url;
  std::string type(request[http::field::content_type]);
  std::string body = request.body();
  auto digest = sha256_hex(body);
  json::object line;
  line["action"] = "raw";
  line["attempt"] = 1;
  line["contentType"] = printable(type, 200);
  line["bodySha256"] = digest;
  line["body"] = printable(body, 8192);
  PushResult result = co_await push(std::move(url), std::move(type), std::move(body));
  line["status"] = result.status;
  line["error"] = result.error;
  line["sentAt"] = result.sent_at;
  line["durationMs"] = result.duration_ms;
  line["answer"] = result.answer;
  world.journal.write("push", line);
  co_return as_json(line);
}

asio::awaitable<Reply> route(World& world, Request const& request, Target const& target) {
  std::string const path =
      target.path.substr(std::min<std::size_t>(target.path.size(), 10));  // after "/_control/"
  std::string const method(request.method_string());
  auto is = [&](std::string_view wanted_method, std::string_view wanted) {
    return method == wanted_method && path == wanted;
  };
  auto below = [&](std::string_view wanted_method, std::string_view folder) {
    return method == wanted_method && path.starts_with(folder) && path.size() > folder.size();
  };

  if (is("GET", "health")) co_return health(world);
  if (is("GET", "presets")) co_return as_json(json::object{{"presets", list_presets()}});
  if (is("GET", "calls")) co_return list_calls(world, target);
  if (below("GET", "calls/")) co_return as_json(call_of(world, path.substr(6))->to_json());
  if (is("GET", "recordings")) co_return list_recordings(world, target);
  if (below("GET", "recordings/")) co_return show_recording(world, path.substr(11));
  if (is("GET", "journal")) {
    Reply reply = co_await show_journal(world, target);
    co_return reply;
  }
  if (is("GET", "phones")) {
    auto number = query_value(target.query, "number");
    co_return as_json(json::object{{"phones", world.phones.to_json(number.value_or(""))}});
  }
  if (is("PUT", "callback-url")) co_return put_callback_url(world, request);
  if (is("PUT", "default-script")) co_return put_default_script(world, request);
  if (below("PUT", "scripts/")) co_return put_script(world, path.substr(8), request);
  if (below("DELETE", "scripts/")) {
    bool const known = world.scripts.erase(path.substr(8)) > 0;
    if (!known) throw Wrong(404, "there is no script for '" + printable(path.substr(8), 40) + "'");
    world.journal.write(
        "control",
        json::object{{"what", "script"}, {"number", path.substr(8)}, {"script", nullptr}});
    co_return done();
  }
  if (below("POST", "hangup/")) co_return hang_up(world, path.substr(7), target);
  if (is("POST", "push")) {
    Reply reply = co_await push_raw(world, request);
    co_return reply;
  }
  if (is("GET", "outage")) co_return as_json(world.outages.to_json());
  if (is("PUT", "outage")) co_return put_outage(world, request);
  if (is("GET", "random")) co_return as_json(world.random_faults.to_json());
  if (is("PUT", "random")) co_return put_random(world, request);
  if (is("DELETE", "random")) co_return delete_random(world);
  if (is("POST", "reset")) {
    world.reset();
    world.journal.write("control", json::object{{"what", "reset"}});
    co_return done();
  }
  throw Wrong(404, "there is no " + printable(method, 20) + " /_control/" + printable(path, 100) +
                       "; see tests/simulator/README.md");
}

Reply complaint(unsigned int status, std::string const& text) {
  auto reply = as_json(json::object{{"error", text}});
  reply.status = status;
  return reply;
}

}  // namespace

asio::awaitable<Reply> control(World& world, Request const& request, Target const& target) {
  try {
    Reply reply = co_await route(world, request, target);
    co_return reply;
  } catch (Wrong const& wrong) {
    co_return complaint(wrong.status, wrong.what());
  } catch (std::runtime_error const& error) {
    co_return complaint(400, error.what());
  }
}

}  // namespace jiuyun
