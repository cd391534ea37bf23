// /v1/calls: create, read, wait, hang up.
#include <algorithm>
#include <array>

#include <boost/json.hpp>

#include "call_path.hpp"
#include "io/pg.hpp"
#include "log.hpp"
#include "new_call.hpp"
#include "phone.hpp"
#include "record_json.hpp"
#include "refused_call.hpp"
#include "reveal.hpp"
#include "router.hpp"

namespace cc::api {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int longest_preferred_wait = 30;  // seconds
constexpr int longest_poll = 60;

std::string location_of(std::int64_t call) {
  return "/v1/calls/" + std::to_string(call);
}

Response record_response(unsigned status, const StoredRecord& record, Sight sight) {
  Response response;
  response.status = status;
  response.body = to_json(record, sight);
  return response;
}

/// The call exists by now: where it can't be told that its number is shown, it is not shown.
asio::awaitable<Sight> sight_of_unseen(const Exchange& exchange, std::int64_t call) {
  Sight sight = sight_of(exchange.key);
  try {
    auto telling = tell_shown(exchange, {call});
    co_await std::move(telling);
  } catch (const pg::Failure& failure) {
    log().warn("request {}: call {}: its number stays masked, for the audit trail is away: {}",
               exchange.request.id, call, mask_numbers_in(failure.what()));
    sight.numbers = false;
  }
  co_return sight;
}

std::optional<Problem> wrong_content(const Request& request) {
  const std::string* encoding = request.header("content-encoding");
  const std::string* type = request.header("content-type");
  Problem problem;
  problem.type = ProblemType::unsupported_media_type;
  if (encoding != nullptr && *encoding != "identity") {
    problem.detail = "Content-Encoding is not supported: send the body as it is.";
    return problem;
  }
  if (type == nullptr || !is_json(*type)) {
    problem.detail = "Send Content-Type: application/json, in UTF-8.";
    return problem;
  }
  return std::nullopt;
}

/// Absent, or 1 to 128 visible ASCII characters.
std::optional<Problem> read_idempotency_key(const Request& request, OptText& key) {
  const std::string* header = request.header("idempotency-key");
  if (header == nullptr) return std::nullopt;
  std::string reason;
  if (request.header_count("idempotency-key") != 1) {
    reason = "must be given once";
  } else if (header->empty() || header->size() > 128 ||
             std::any_of(header->begin(), header->end(),
                         [](char c) { return c < 0x21 || c > 0x7e; })) {
    reason = "must be 1 to 128 visible ASCII characters";
  }
  if (reason.empty()) {
    key = *header;
    return std::nullopt;
  }
  Problem problem;
  problem.type = ProblemType::invalid_request;
  problem.detail = "The header Idempotency-Key " + reason + ".";
  problem.invalid_params.push_back({"header Idempotency-Key", reason});
  return problem;
}

std::optional<int> wait_of(const Request& request) {
  for (const auto& [name, value] : request.headers) {
    if (name != "prefer") continue;
    if (const auto wait = preferred_wait(value)) return std::min(*wait, longest_preferred_wait);
  }
  return std::nullopt;
}

/// The latest attempt's end. The call is stored by now: whatever goes wrong here must not look as
/// if it were not, so a storage that went away means `pending`.
asio::awaitable<AttemptOutcome> outcome_of(Exchange& exchange, std::int64_t call, int wait) {
  AttemptOutcome outcome;
  try {
    auto waiting = exchange.parts.calls.wait_outcome(call, milliseconds(seconds(wait)));
    outcome = co_await std::move(waiting);
  } catch (const std::exception& error) {
    log().warn("request {}: call {}: waiting for its outcome: {}", exchange.request.id, call,
               mask_numbers_in(error.what()));
  }
  co_return outcome;
}

/// The record as it is now, or as it was at creation where that can't be learnt.
asio::awaitable<StoredRecord> current(Exchange& exchange, StoredRecord created) {
  std::optional<StoredRecord> now;
  try {
    auto getting = exchange.parts.calls.get(exchange.key.tenant->name, created.constants.id,
                                            std::nullopt, milliseconds(0));
    now = co_await std::move(getting);
  } catch (const std::exception& error) {
    log().warn("request {}: call {}: reading it again: {}", exchange.request.id,
               created.constants.id, mask_numbers_in(error.what()));
  }
  if (!now) now = std::move(created);
  co_return *std::move(now);
}

Response refused_by_channel(const Exchange& exchange, std::int64_t call,
                            const AttemptOutcome& outcome, bool whole) {
  Problem problem;
  problem.call = call;
  const auto add = [&](const char* name, const OptText& value) {
    if (value) problem.members.emplace_back(name, whole ? *value : mask_numbers_in(*value));
  };
  if (outcome.outcome == Outcome::refused) {
    problem.type = ProblemType::channel_refused;
    problem.detail = "The call is stored and closed; nobody's phone rang.";
  } else {
    problem.type = ProblemType::outcome_unknown;
    problem.detail =
        "The channel did not say whether it placed the call: phones may ring. Don't repeat; the "
        "record will tell.";
  }
  add("channelCode", outcome.code);
  add("channelMessage", outcome.message);
  return exchange.refuse(problem);
}

/// A database that went away between the commit's sending and its answer leaves it unknown whether
/// the call exists. Repeating is harmless with an idempotency key only.
Problem storage_problem(const pg::Failure& failure, bool has_key) {
  Problem problem;
  problem.type = ProblemType::storage_unavailable;
  if (!failure.connection_lost()) {
    problem.detail = "PostgreSQL did not take it; no call was made.";
  } else if (has_key) {
    problem.detail =
        "It is not known whether the call was stored. Repeat with the same Idempotency-Key: that "
        "makes one call at most.";
  } else {
    problem.detail =
        "It is not known whether the call was stored, and without an Idempotency-Key a repeat "
        "could "
        "make a second one.";
    problem.retryable = false;
  }
  return problem;
}

asio::awaitable<std::variant<Created, Refusal, Problem>> create(Exchange& exchange, NewCall call) {
  const bool has_key = call.idempotency_key.has_value();
  std::variant<Created, Refusal, Problem> result;
  try {
    auto creating = exchange.parts.calls.create(std::move(call));
    std::variant<Created, Refusal> made = co_await std::move(creating);
    if (Created* created = std::get_if<Created>(&made)) {
      result = std::move(*created);
    } else {
      result = std::get<Refusal>(std::move(made));
    }
  } catch (const pg::Failure& failure) {
    log().warn("request {}: creating a call: PostgreSQL: {}", exchange.request.id,
               mask_numbers_in(failure.what()));
    result = storage_problem(failure, has_key);
  }
  co_return result;
}

asio::awaitable<Response> created_response(Exchange& exchange, Created created, Sight sight) {
  const std::int64_t call = created.record.constants.id;
  const auto wait = wait_of(exchange.request);
  AttemptOutcome outcome;
  if (wait) {
    auto waiting = outcome_of(exchange, call, *wait);
    outcome = co_await std::move(waiting);
  }
  Response response;
  if (outcome.outcome == Outcome::refused || outcome.outcome == Outcome::unknown) {
    response = refused_by_channel(exchange, call, outcome, sight.numbers);
  } else {
    StoredRecord record = std::move(created.record);
    if (wait) {
      auto reading = current(exchange, std::move(record));
      record = co_await std::move(reading);
    }
    response = record_response(outcome.outcome == Outcome::accepted ? 201 : 202, record, sight);
    if (!created.notice.empty()) {
      boost::json::object document = to_object(record, sight);
      document["notice"] = mask_numbers_in(created.notice);
      response.body = boost::json::serialize(document);
    }
  }
  response.headers.emplace_back("Location", location_of(call));
  if (wait) response.headers.emplace_back("Preference-Applied", "wait=" + std::to_string(*wait));
  if (created.replayed) response.headers.emplace_back("Idempotency-Replayed", "true");
  co_return response;
}

std::variant<NewCall, Problem> read_request(const Exchange& exchange) {
  if (auto problem = wrong_content(exchange.request)) return *std::move(problem);
  OptText idempotency_key;
  if (auto problem = read_idempotency_key(exchange.request, idempotency_key)) {
    return *std::move(problem);
  }
  QueryReader query(exchange.target);
  if (auto problem = std::move(query).problem()) return *std::move(problem);
  auto read = read_new_call(exchange.request.body, *exchange.key.tenant);
  if (NewCall* call = std::get_if<NewCall>(&read)) {
    call->tenant = exchange.key.tenant->name;
    call->key = exchange.key.key;
    call->request_id = exchange.request.id;
    call->idempotency_key = std::move(idempotency_key);
  }
  return read;
}

asio::awaitable<Response> post_call(Exchange& exchange) {
  auto read = read_request(exchange);
  if (Problem* problem = std::get_if<Problem>(&read)) {
    auto refusing = refuse_call(exchange, std::move(*problem), std::nullopt);
    Response response = co_await std::move(refusing);
    co_return response;
  }
  NewCall call = std::get<NewCall>(std::move(read));
  const bool unseen = call.called_of.has_value();
  auto creating = create(exchange, std::move(call));
  auto made = co_await std::move(creating);
  if (Refusal* refusal = std::get_if<Refusal>(&made)) {
    auto refusing = refuse_call(exchange, problem_of(*refusal, exchange.key), refusal->busy_call);
    Response response = co_await std::move(refusing);
    co_return response;
  }
  if (Problem* problem = std::get_if<Problem>(&made)) {
    co_return exchange.refuse(*problem);
  }
  Created created = std::get<Created>(std::move(made));
  const std::int64_t id = created.record.constants.id;
  exchange.trace.call = std::to_string(id);
  Sight sight = sight_of(exchange.key);
  if (unseen && sight.numbers) {
    auto looking = sight_of_unseen(exchange, id);
    sight = co_await std::move(looking);
  }
  auto answering = created_response(exchange, std::move(created), sight);
  Response response = co_await std::move(answering);
  co_return response;
}

asio::awaitable<Response> get_call(Exchange& exchange) {
  QueryReader query(exchange.target);
  const auto above = query.integer("version", 0, std::int64_t{1} << 53);
  const auto wait = query.integer("wait", 0, longest_poll);
  if (wait && !above) query.refuse("wait", "needs version=: it waits until the version is above");
  if (auto problem = std::move(query).problem()) co_return exchange.refuse(*problem);
  const auto call = call_of(exchange);
  if (!call) co_return no_such_call(exchange);
  auto getting = exchange.parts.calls.get(exchange.key.tenant->name, *call, above,
                                          milliseconds(seconds(wait.value_or(0))));
  const std::optional<StoredRecord> record = co_await std::move(getting);
  if (!record) co_return no_such_call(exchange);
  auto telling = tell_shown(exchange, {record->constants.id});
  co_await std::move(telling);
  co_return record_response(200, *record, sight_of(exchange.key));
}

asio::awaitable<Response> get_events(Exchange& exchange) {
  QueryReader query(exchange.target);
  if (auto problem = std::move(query).problem()) co_return exchange.refuse(*problem);
  const auto call = call_of(exchange);
  if (!call) co_return no_such_call(exchange);
  auto getting = exchange.parts.calls.timeline(exchange.key.tenant->name, *call);
  const std::optional<Timeline> timeline = co_await std::move(getting);
  if (!timeline) co_return no_such_call(exchange);
  const std::int64_t shown = timeline->call > 0 ? timeline->call : *call;
  auto telling = tell_shown(exchange, {shown});
  co_await std::move(telling);
  Response response;
  response.body = to_json(*timeline, shown, sight_of(exchange.key));
  co_return response;
}

asio::awaitable<Response> post_hangup(Exchange& exchange) {
  QueryReader query(exchange.target);
  if (auto problem = std::move(query).problem()) co_return exchange.refuse(*problem);
  const auto call = call_of(exchange);
  if (!call) co_return no_such_call(exchange);
  auto hanging = exchange.parts.calls.hangup(exchange.key.tenant->name, *call, exchange.request.id);
  const std::optional<HangupAnswer> answer = co_await std::move(hanging);
  if (!answer) co_return no_such_call(exchange);
  auto telling = tell_shown(exchange, {answer->record.constants.id});
  co_await std::move(telling);
  co_return record_response(answer->already_closed ? 200 : 202, answer->record,
                            sight_of(exchange.key));
}

constexpr std::array routes{
    Route{"POST", "/v1/calls", Scope::call, post_call},
    Route{"GET", "/v1/calls/{callId}", Scope::read, get_call},
    Route{"GET", "/v1/calls/{callId}/events", Scope::read, get_events},
    Route{"POST", "/v1/calls/{callId}/hangup", Scope::call, post_hangup},
};

}  // namespace

std::span<const Route> calls_routes() noexcept {
  return routes;
}

}  // namespace cc::api
