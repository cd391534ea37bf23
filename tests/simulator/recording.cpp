#include "recording.hpp"

#include <cmath>
#include <memory>

#include "digest.hpp"
#include "world.hpp"

namespace jiuyun {

namespace json = boost::json;
namespace http = boost::beast::http;

namespace {

constexpr std::uint64_t size_ordinal = 0;  // of drawn(); those of a GET begin at 8

Sound sound_of(Call const& call) {
  auto const& script = call.script().recording;
  if (script.bytes_most == 0) return Sound::silence(script.frames);
  auto const least = static_cast<double>(script.bytes_least);
  auto const most = static_cast<double>(script.bytes_most);
  auto const bytes = least * std::pow(most / least, drawn(call.id(), size_ordinal));
  return Sound::of_call(call.id(), script.bytes_least == script.bytes_most
                                       ? static_cast<std::uint64_t>(script.bytes_most)
                                       : static_cast<std::uint64_t>(bytes));
}

// What happens to the nth GET is drawn by the call's id and n.
bool strikes(Call const& call, double chance, std::uint64_t which) {
  return drawn(call.id(), static_cast<std::uint64_t>(call.fetches().asked) * 8 + which) < chance;
}

// The status that the script has for this GET; 200 = the recording itself.
unsigned int scripted_status(Call& call) {
  auto const& script = call.script().recording;
  bool const counted = script.status_times > 0;
  if (script.status != 200 && (!counted || call.fetches().statuses < script.status_times))
    return script.status;
  return strikes(call, script.status_chance, 0) ? 503 : 200;
}

std::shared_ptr<Stream> stream_of(std::shared_ptr<Call> const& call) {
  auto const& script = call->script().recording;
  auto stream = std::make_shared<Stream>();
  stream->sound = sound_of(*call);
  stream->rate = script.rate;
  stream->cut_at = stream->sound.size();
  if (call->fetches().cut < script.breaks || strikes(*call, script.break_chance, 1)) {
    auto const part = drawn(call->id(), static_cast<std::uint64_t>(call->fetches().asked) * 8 + 2);
    stream->cut_at = static_cast<std::uint64_t>(part * static_cast<double>(stream->sound.size()));
    ++call->fetches().cut;
  }
  stream->over = [call](bool whole) {
    if (whole) ++call->fetches().whole;
  };
  return stream;
}

}  // namespace

json::object recording_truth(Call& call, bool with_md5) {
  auto const sound = sound_of(call);
  auto& fetches = call.fetches();
  if (with_md5 && fetches.md5.empty()) fetches.md5 = sound.md5();
  json::object out;
  out["callId"] = call.id();
  out["userData"] = call.request().user_data;
  out["endedAt"] = call.ended_at();
  out["size"] = sound.size();
  out["md5"] = fetches.md5.empty() ? json::value(nullptr) : json::value(fetches.md5);
  out["asked"] = fetches.asked;
  out["refused"] = fetches.statuses;
  out["cut"] = fetches.cut;
  out["whole"] = fetches.whole;
  return out;
}

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
  } else if (static_cast<double>(now_ms() - call->ended_at()) <
             static_cast<double>(call->script().recording.after_ms) / world.options.speed) {
    reply.status = 404;
    reason = "not yet: the script says that it appears later";
  }
  bool const get = request.method() == http::verb::get;
  if (reason.empty()) {
    if (get) ++call->fetches().asked;
    reply.status = scripted_status(*call);
    if (reply.status != 200) {
      if (get) ++call->fetches().statuses;
      reason = "the script says so";
    }
  }
  json::object line;
  if (reason.empty()) {
    reply.content_type = "audio/mpeg";
    reply.stream = get ? stream_of(call) : std::make_shared<Stream>();
    if (!get) reply.stream->sound = sound_of(*call);
    if (get && reply.stream->cut_at < reply.stream->sound.size())
      line["cutAt"] = reply.stream->cut_at;
  } else {
    reply.body = reason + "\n";
  }
  line["method"] = std::string(request.method_string());
  line["target"] = std::string(request.target());
  line["httpStatus"] = reply.status;
  line["reason"] = reason;
  line["bytes"] = reply.stream ? reply.stream->sound.size() : 0;
  world.journal.write("recording", call ? call->name() : CallName{call_id.substr(0, 64), ""},
                      std::move(line));
  return reply;
}

}  // namespace jiuyun
