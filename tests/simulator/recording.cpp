#include "recording.hpp"

#include "digest.hpp"
#include "world.hpp"

namespace jiuyun {

namespace json = boost::json;
namespace http = boost::beast::http;

namespace {

// Silence: MPEG 1 layer III frames, 128 kbit/s, 44.1 kHz, 417 bytes each.
std::string silence(int frames) {
  std::string frame(417, '\0');
  frame.replace(0, 4, "\xff\xfb\x90\x64");
  std::string out;
  for (int i = 0; i < frames; ++i) out += frame;
  return out;
}

}  // namespace

Reply recording(World& world, Request const& request, Target const& target) {
  Reply reply;
  reply.content_type = "text/plain;charset=utf-8";
  auto name = target.path.substr(std::string("/records/").size());
  std::string call_id = name.ends_with(".mp3") ? name.substr(0, name.size() - 4) : name;
  auto call = world.find_call(call_id);
  auto auth = query_value(target.query, "auth");
  std::string reason;
  if (request.method() != http::verb::get && request.method() != http::verb::head) {
    reply.status = 405;
    reason = "the method is " + std::string(request.method_string()) + "; use GET";
  } else if (!auth) {
    reply.status = 403;
    reason = "auth is missing from the query (a recordUrl that already has a query takes &auth=…)";
  } else if (*auth != md5_upper_hex(world.options.account_sid + ":" + world.options.auth_token)) {
    reply.status = 403;
    reason = "auth is not UPPER(HEX(MD5(accountSid \":\" authToken)))";
  } else if (!call || !call->ended() || !call->has_recording()) {
    reply.status = 404;
    reason = "no such recording";
  } else if (call->script().recording.query && query_value(target.query, "store") != "1") {
    reply.status = 404;
    reason = "recordUrl's own query was changed: store=1 is missing";
  } else if (call->script().recording.status != 200) {
    reply.status = call->script().recording.status;
    reason = "the script says so";
  } else if (static_cast<double>(now_ms() - call->ended_at()) <
             static_cast<double>(call->script().recording.after_ms) / world.options.speed) {
    reply.status = 404;
    reason = "not yet: the script says that it appears later";
  }
  if (reason.empty()) {
    reply.content_type = "audio/mpeg";
    reply.body = silence(call->script().recording.frames);
  } else {
    reply.body = reason + "\n";
  }
  json::object line;
  line["method"] = std::string(request.method_string());
  line["target"] = std::string(request.target());
  line["httpStatus"] = reply.status;
  line["reason"] = reason;
  line["bytes"] = reason.empty() ? reply.body.size() : 0;
  world.journal.write("recording", call ? call->name() : CallName{call_id.substr(0, 64), ""},
                      std::move(line));
  return reply;
}

}  // namespace jiuyun
