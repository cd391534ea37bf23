// /v1/calls/{callId}/recording: the way to what was said. Whoever is given one is in the audit log.
#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>
#include <variant>

#include <boost/json.hpp>

#include "audio_type.hpp"
#include "call_path.hpp"
#include "fields.hpp"
#include "io/pg.hpp"
#include "json_body.hpp"
#include "log.hpp"
#include "phone.hpp"
#include "reveal.hpp"
#include "router.hpp"
#include "viewer.hpp"

namespace cc::api {
namespace {

namespace json = boost::json;

constexpr std::size_t viewer_width = 64;              // characters
constexpr int shortest_ttl = 10, longest_ttl = 3600;  // seconds
constexpr std::int64_t least_wait = 5, usual_wait = 60, longest_wait = 3600;

/// The query's `file`: whether it is the IVR's.
bool wants_ivr(QueryReader& query) {
  const auto file = query.text("file", 8);
  if (file && *file != "audio" && *file != "ivr") query.refuse("file", "must be audio or ivr");
  return file == "ivr";
}

/// Why there is none to be had now; nothing where there is one.
std::optional<Problem> problem_of(const RecordingStatus& status, std::int64_t now_ms) {
  Problem problem;
  problem.detail = mask_numbers_in(status.reason);
  const auto describe = [&](ProblemType type, std::string_view words) {
    problem.type = type;
    if (problem.detail.empty()) problem.detail = words;
  };
  switch (status.state) {
    case RecordingStatus::State::stored:
      return std::nullopt;
    case RecordingStatus::State::deleted:
      describe(ProblemType::recording_gone, "The recording's time was over.");
      break;
    case RecordingStatus::State::expected: {
      describe(ProblemType::recording_not_ready, "The channel's file is not in the store yet.");
      const std::int64_t at = status.expected_at.value_or(now_ms + usual_wait * 1000);
      const std::int64_t seconds = at > now_ms ? (at - now_ms - 1) / 1000 + 1 : 0;
      problem.retry_after = static_cast<unsigned>(std::clamp(seconds, least_wait, longest_wait));
      problem.expected_at = status.expected_at;
      break;
    }
    case RecordingStatus::State::none:
      describe(ProblemType::recording_none, "There is none.");
      if (!status.later) break;
      problem.retryable = true;
      problem.retry_after = static_cast<unsigned>(usual_wait);
      break;
  }
  return problem;
}

Problem just_gone() {
  Problem problem;
  problem.type = ProblemType::recording_gone;
  problem.detail = "The recording was deleted a moment ago.";
  return problem;
}

Problem no_origin() {
  const std::string reason =
      "must say by which name or address this API is reached, like cc.example.com:8443, unless "
      "http.publicUrl is configured";
  Problem problem;
  problem.type = ProblemType::invalid_request;
  problem.detail = "The header Host " + reason + ".";
  problem.invalid_params.push_back({"header Host", reason});
  return problem;
}

std::int64_t seconds_until(std::int64_t at_ms, std::int64_t now_ms) {
  return at_ms > now_ms ? (at_ms - now_ms + 999) / 1000 : 0;
}

/// What is asked for, and by whom it will be heard.
struct Wish {
  bool ivr = false;
  std::optional<int> ttl;
  OptText viewer;
  const char* by = "redirect";
  bool absolute = false;
};

/// Nothing where the store can make none at the moment. What would mend that is for the log alone.
asio::awaitable<std::optional<std::optional<RecordingLink>>> make_link(const Exchange& exchange,
                                                                       std::int64_t call, bool ivr,
                                                                       std::optional<int> ttl) {
  std::optional<std::optional<RecordingLink>> link;
  try {
    auto linking =
        exchange.parts.nouns.recordings->link(exchange.key.tenant->name, call, ivr, ttl);
    std::optional<RecordingLink> made = co_await std::move(linking);
    link.emplace(std::move(made));
  } catch (const pg::Failure&) {
    throw;
  } catch (const std::runtime_error& away) {
    log().error("request {}: no link to a recording can be made: {}", exchange.request.id,
                mask_numbers_in(away.what()));
  }
  co_return link;
}

Problem store_away() {
  Problem problem;
  problem.type = ProblemType::storage_unavailable;
  problem.detail = "The recording is there, but no link to it can be made at the moment.";
  problem.retry_after = static_cast<unsigned>(usual_wait);
  return problem;
}

/// A way to it that the audit log knows of, or the answer that tells why there is none.
asio::awaitable<std::variant<RecordingLink, Response>> hand_out(const Exchange& exchange,
                                                                std::int64_t call, Wish wish) {
  Recordings& recordings = *exchange.parts.nouns.recordings;
  const std::string tenant = exchange.key.tenant->name;
  auto asking = recordings.status(tenant, call, wish.ivr);
  const std::optional<RecordingStatus> status = co_await std::move(asking);
  if (!status) co_return no_such_call(exchange);
  const std::int64_t now_ms = exchange.parts.clock.epoch_ms();
  if (const auto problem = problem_of(*status, now_ms)) co_return exchange.refuse(*problem);
  auto linking = make_link(exchange, status->call, wish.ivr, wish.ttl);
  auto made = co_await std::move(linking);
  if (!made) co_return exchange.refuse(store_away());
  std::optional<RecordingLink> link = *std::move(made);
  if (!link) co_return exchange.refuse(just_gone());
  const bool absolute = wish.absolute || exchange.request.origin_configured;
  if (absolute && link->url.starts_with('/')) {
    if (exchange.request.origin.empty()) co_return exchange.refuse(no_origin());
    link->url.insert(0, exchange.request.origin);
  }
  json::object detail;
  detail["viewer"] = nullptr;
  if (wish.viewer) detail["viewer"] = *wish.viewer;
  // It may end sooner than wished, with what it was signed by.
  const int good_for = static_cast<int>(seconds_until(link->expires_at, now_ms));
  detail["ttl"] = std::min(wish.ttl.value_or(good_for), good_for);
  detail["file"] = wish.ivr ? "ivr" : "audio";
  detail["by"] = wish.by;
  auto telling = tell_done(exchange, "recording.given", {status->call}, 1, json::serialize(detail));
  co_await std::move(telling);
  co_return *std::move(link);
}

/// A link is good for one GET alone, so ccd says itself what HEAD wants to know. Nobody can listen
/// to that, and nobody is told.
asio::awaitable<Response> describe_recording(const Exchange& exchange, std::int64_t call,
                                             bool ivr) {
  auto asking = exchange.parts.nouns.recordings->status(exchange.key.tenant->name, call, ivr);
  const std::optional<RecordingStatus> status = co_await std::move(asking);
  if (!status) co_return no_such_call(exchange);
  const auto problem = problem_of(*status, exchange.parts.clock.epoch_ms());
  if (problem) co_return exchange.refuse(*problem);
  Response response;
  response.content_type = audio_type(status->content_type);
  response.length = status->size;
  response.headers.emplace_back("Accept-Ranges", "bytes");
  co_return response;
}

asio::awaitable<Response> get_recording(Exchange& exchange) {
  QueryReader query(exchange.target);
  Wish wish;
  wish.ivr = wants_ivr(query);
  if (auto problem = std::move(query).problem()) co_return exchange.refuse(*problem);
  const auto call = call_of(exchange);
  if (!call) co_return no_such_call(exchange);
  if (exchange.request.method == "HEAD") {
    auto describing = describe_recording(exchange, *call, wish.ivr);
    co_return co_await std::move(describing);
  }
  auto handing = hand_out(exchange, *call, std::move(wish));
  auto link = co_await std::move(handing);
  if (Response* refused = std::get_if<Response>(&link)) co_return std::move(*refused);
  Response response;
  response.status = 302;
  response.content_type.clear();
  // A path of ours stays one where no publicUrl says more: whoever asked has reached us here.
  response.headers.emplace_back("Location", std::get<RecordingLink>(link).url);
  response.headers.emplace_back("Referrer-Policy", "no-referrer");
  co_return response;
}

asio::awaitable<Response> post_url(Exchange& exchange) {
  QueryReader query(exchange.target);
  Wish wish;
  wish.by = "url";
  wish.absolute = true;
  wish.ivr = wants_ivr(query);
  if (auto problem = std::move(query).problem()) co_return exchange.refuse(*problem);
  const auto body = read_object(exchange.request);
  if (const Problem* problem = std::get_if<Problem>(&body)) co_return exchange.refuse(*problem);
  Fields fields(std::get<json::object>(body));
  wish.viewer = fields.text("viewer", viewer_width);
  if (fields.find("viewer") == nullptr) {
    fields.refuse("viewer", "is missing: who will listen, as the audit log shall know it");
  }
  if (wish.viewer && may_hold_number(*wish.viewer)) {
    fields.refuse("viewer", "must not hold what could be a phone number: the audit log keeps it");
  }
  wish.ttl = fields.integer("ttl", shortest_ttl, longest_ttl);
  if (auto wrong = std::move(fields).wrong(); !wrong.empty()) {
    co_return exchange.refuse(wrong_fields(std::move(wrong)));
  }
  const auto call = call_of(exchange);
  if (!call) co_return no_such_call(exchange);
  auto handing = hand_out(exchange, *call, std::move(wish));
  auto link = co_await std::move(handing);
  if (Response* refused = std::get_if<Response>(&link)) co_return std::move(*refused);
  const RecordingLink& given = std::get<RecordingLink>(link);
  json::object document;
  document["url"] = given.url;
  document["expiresAt"] = given.expires_at;
  Response response;
  response.body = json::serialize(document);
  co_return response;
}

constexpr std::array routes{
    Route{"GET", "/v1/calls/{callId}/recording", Scope::read, get_recording},
    Route{"POST", "/v1/calls/{callId}/recording/url", Scope::read, post_url},
};

}  // namespace

std::span<const Route> recording_routes() noexcept {
  return routes;
}

}  // namespace cc::api
