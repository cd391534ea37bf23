#include "files.hpp"

#include <cmath>
#include <utility>
#include <vector>

#include <boost/beast/http/verb.hpp>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include "aksk.hpp"
#include "archive.hpp"
#include "fields.hpp"
#include "visit.hpp"
#include "world.hpp"

namespace gateway {

namespace json = boost::json;
namespace http = boost::beast::http;

namespace {

constexpr std::string_view place = "/CCFS/resource/ccfs/downloadRecord";
constexpr std::string_view nothing_found = "0300012";
constexpr std::string_view wrong_parameter = "0300028";
constexpr std::string_view not_authorized = "0300401";

Reply refusal(std::string_view code, std::string_view text, unsigned int status = 200) {
  auto reply = json_reply({{"resultCode", code}, {"resultDesc", text}}, status);
  reply.content_type = "application/json";
  return reply;
}

std::vector<Audio> files_of(Call const& call) {
  auto const& script = call.script().recording;
  auto const least = static_cast<double>(script.bytes_least);
  auto const most = static_cast<double>(script.bytes_most);
  std::vector<Audio> files;
  for (std::int64_t n = 1; n <= script.files; ++n) {
    auto const part = drawn(call.id() + "/" + std::to_string(n), 0);
    auto const bytes =
        script.bytes_least == script.bytes_most ? most : least * std::pow(most / least, part);
    files.emplace_back(call.id(), n, static_cast<std::uint64_t>(bytes));
  }
  return files;
}

std::unique_ptr<Body> body_of(Call const& call) {
  auto const& script = call.script().recording;
  auto files = files_of(call);
  if (files.size() == 1) return wav_body(std::move(files.front()));
  return zip_body(std::move(files), script.packing, script.descriptors);
}

std::int64_t ready_at(World const& world, Call const& call) {
  auto const after = static_cast<double>(call.script().recording.after_ms) / world.options.speed;
  return call.ended_at() + static_cast<std::int64_t>(after);
}

// What the body asks for.
struct Wish {
  std::string call_id;
  std::string file_name;
};

std::optional<std::string> text_or_number(json::object const& object, std::string_view name) {
  auto const value = object.if_contains(name);
  if (!value) return std::nullopt;
  if (value->is_int64()) return std::to_string(value->get_int64());
  return text_in(object, name);
}

// Nothing if the body is wrong.
std::optional<Wish> wish_of(World& world, Request const& request) {
  boost::system::error_code error;
  auto const value = json::parse(request.body(), error);
  if (error || !value.is_object()) return std::nullopt;
  auto const& root = value.get_object();
  auto const head = root.if_contains("request");
  auto const body = root.if_contains("msgBody");
  if (!head || !head->is_object() || !body || !body->is_object()) return std::nullopt;
  auto const unknown = [&](json::object const& object,
                           std::initializer_list<std::string_view> known) {
    for (auto const& member : object)
      if (std::ranges::find(known, std::string_view(member.key())) == known.end())
        world.journal.violation("unknown_member",
                                {{"function", "files"}, {"member", printable(member.key(), 80)}});
  };
  unknown(root, {"request", "msgBody"});
  unknown(head->get_object(), {"version"});
  unknown(body->get_object(), {"callId", "fileName", "ccId"});
  auto const& message = body->get_object();
  Wish wish{text_in(message, "callId"), text_in(message, "fileName")};
  if (text_in(head->get_object(), "version") != "2.0" ||
      text_or_number(message, "ccId") != world.options.cc_id ||
      (wish.call_id.empty() && wish.file_name.empty()))
    return std::nullopt;
  return wish;
}

std::shared_ptr<Call> call_of(World const& world, Wish const& wish) {
  auto const fits = [&](Call const& call) {
    return call.has_recording() && (wish.file_name.empty() || call.record_file() == wish.file_name);
  };
  if (!wish.call_id.empty()) {
    auto call = world.calls.find(wish.call_id);
    return call && fits(*call) ? call : nullptr;
  }
  auto const& all = world.calls.all();
  for (auto call = all.rbegin(); call != all.rend(); ++call)
    if (fits(**call)) return *call;
  return nullptr;
}

void check_form(World& world, Request const& request, Target const& target) {
  auto const violation = [&](std::string_view what, std::string_view value) {
    world.journal.violation(what, {{"function", "files"}, {"value", printable(value, 200)}});
  };
  auto const type = request[http::field::content_type];
  if (plain(type) != "application/json;charset=utf-8") violation("content_type", type);
  if (!target.query.empty()) violation("query", target.query);
}

// What happens to the nth request is drawn by the call's id and n.
double draw(Call const& call, std::uint64_t which) {
  return drawn(call.id(), static_cast<std::uint64_t>(call.fetches().asked) * 8 + which);
}

Reply deliver(std::shared_ptr<Call> const& call) {
  auto const& script = call->script().recording;
  auto& fetches = call->fetches();
  ++fetches.asked;
  if (fetches.refused < script.status_times || draw(*call, 0) < script.status_chance) {
    ++fetches.refused;
    return html_reply(script.status);
  }
  Reply reply;
  reply.content_type = "application/octet-stream";
  reply.disposition =
      "attachment; filename=\"" + call->id() + (script.files == 1 ? ".wav\"" : ".zip\"");
  reply.stream = std::make_shared<Stream>();
  reply.stream->body = body_of(*call);
  reply.stream->rate = script.rate;
  auto const size = reply.stream->body->size();
  reply.stream->cut_at = size;
  if (fetches.cut < script.breaks || draw(*call, 1) < script.break_chance) {
    ++fetches.cut;
    reply.stream->cut_at = static_cast<std::uint64_t>(draw(*call, 2) * static_cast<double>(size));
  }
  reply.stream->over = [call](bool whole) {
    if (whole) ++call->fetches().whole;
  };
  return reply;
}

void note(World& world, Wish const& wish, Call const* call, Reply const& reply,
          std::string_view why) {
  json::object line{{"agent", nullptr},
                    {"callId", call ? json::value(call->id()) : json::value(nullptr)},
                    {"asked", printable(wish.call_id + wish.file_name, 200)},
                    {"status", reply.status},
                    {"why", why},
                    {"bytes", reply.stream ? reply.stream->body->size() : 0}};
  if (call) line["agent"] = call->agent();
  if (reply.stream && reply.stream->cut_at < reply.stream->body->size())
    line["cutAt"] = reply.stream->cut_at;
  world.journal.write(Journal::About::call, "file", std::move(line));
}

}  // namespace

bool is_for_files(Target const& target) {
  return target.path == place;
}

Reply download_record(World& world, Request const& request, Target const& target) {
  Wish wish;
  if (request.method() != http::verb::post) return html_reply(405);
  if (auto const fault = signature_fault(request, target, world.options, now_ms());
      !fault.empty()) {
    auto reply = refusal(not_authorized, fault, 401);
    note(world, wish, nullptr, reply, fault);
    return reply;
  }
  check_form(world, request, target);
  auto const asked = wish_of(world, request);
  if (!asked) {
    auto reply = refusal(wrong_parameter, "invalid parameter");
    note(world, wish, nullptr, reply, "the body or ccId is wrong");
    return reply;
  }
  auto const call = call_of(world, *asked);
  if (!call || now_ms() < ready_at(world, *call)) {
    if (call) ++call->fetches().unready;
    auto reply = refusal(nothing_found, "No data found");
    note(world, *asked, call.get(), reply, call ? "not ready yet" : "no such recording");
    return reply;
  }
  auto reply = deliver(call);
  note(world, *asked, call.get(), reply, reply.status == 200 ? "" : "the script says so");
  return reply;
}

json::object recording_truth(World const& world, Call const& call, bool whole) {
  auto const& fetches = call.fetches();
  auto const files = files_of(call);
  json::object out{{"callId", call.id()},
                   {"agent", call.agent()},
                   {"fileName", call.record_file()},
                   {"kind", files.size() == 1 ? "wav" : "zip"},
                   {"readyAt", ready_at(world, call)},
                   {"asked", fetches.asked},
                   {"unready", fetches.unready},
                   {"refused", fetches.refused},
                   {"cut", fetches.cut},
                   {"whole", fetches.whole}};
  json::array list;
  for (auto const& file : files) {
    json::object one{{"name", file.name()}, {"size", file.size()}};
    if (whole) one["md5"] = md5_of(*wav_body(file));
    list.push_back(std::move(one));
  }
  out["files"] = std::move(list);
  if (!whole) return out;
  auto const body = body_of(call);
  out["size"] = body->size();
  out["md5"] = md5_of(*body);
  return out;
}

}  // namespace gateway
