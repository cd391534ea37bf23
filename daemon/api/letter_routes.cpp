// /v1/dead-letters: what nobody could read, and its replay. For operators: scope admin.
#include <array>

#include <boost/json.hpp>

#include "envelope.hpp"
#include "log.hpp"
#include "phone.hpp"
#include "record_json.hpp"
#include "reveal.hpp"
#include "router.hpp"

namespace cc::api {
namespace {

namespace json = boost::json;

constexpr std::int64_t most_letters = 200;  // of a page
constexpr std::int64_t default_letters = 50;

/// Reasons and codes repeat what somebody sent, and so may hold a number.
std::string words(const std::string& text, bool whole) {
  return whole ? text : mask_numbers_in(text);
}

json::object to_object(const Letter& letter, bool whole) {
  json::object object;
  object["id"] = std::to_string(letter.id);
  object["channel"] = words(letter.channel, whole);
  object["reason"] = words(letter.reason, whole);
  object["received"] = letter.received_ms;
  object["firstSeen"] = letter.first_seen_ms;
  object["lastSeen"] = letter.last_seen_ms;
  object["count"] = letter.count;
  object["bytes"] = letter.bytes;
  object["replayed"] = nullptr;
  if (letter.replayed_ms) object["replayed"] = *letter.replayed_ms;
  return object;
}

json::value text_or_null(const std::string& text) {
  if (text.empty()) return nullptr;
  return json::value(text);
}

/// What the envelope's header says, or null where it can't be read. The query string may hold
/// numbers in escapes that no mask would find: it is shown whole or not at all.
json::value envelope_of(const Letter& letter, bool whole) {
  const auto delivery = decode_envelope(letter.channel, letter.raw);
  if (!delivery) return nullptr;
  json::object object;
  object["received"] = delivery->received_ms;
  object["source"] = cc::to_text(delivery->source);
  object["subject"] = text_or_null(delivery->subject);
  object["address"] = text_or_null(delivery->address);
  if (whole) object["queryString"] = text_or_null(delivery->query_string);
  object["contentType"] = text_or_null(words(delivery->content_type, whole));
  object["bodyBytes"] = delivery->body.size();
  return object;
}

Response no_such_letter(const Exchange& exchange) {
  Problem problem;
  problem.type = ProblemType::letter_not_found;
  problem.detail = "No dead letter that you may see has this id.";
  return exchange.refuse(problem);
}

/// For the audit trail.
std::string detail_of(std::int64_t letter) {
  return json::serialize(json::object{{"letter", std::to_string(letter)}});
}

asio::awaitable<Response> list_letters(Exchange& exchange) {
  QueryReader query(exchange.target);
  LetterFilter filter;
  filter.channel = query.text("channel", 64);
  filter.reason = query.text("reason", 256);
  filter.replayed = query.boolean("replayed");
  filter.below = query.integer("cursor", 1, INT64_MAX);
  const std::int64_t limit = query.integer("limit", 1, most_letters).value_or(default_letters);
  if (auto problem = std::move(query).problem()) co_return exchange.refuse(*problem);
  filter.limit = static_cast<int>(limit) + 1;  // one more tells whether there is a next page
  auto listing = exchange.parts.nouns.letters->list(exchange.key.tenant->name, std::move(filter));
  std::vector<Letter> letters = co_await std::move(listing);
  json::object document;
  const bool more = letters.size() > static_cast<std::size_t>(limit);
  if (more) letters.pop_back();
  json::array& items = document["items"].emplace_array();
  const bool whole = exchange.key.may(Scope::numbers);
  for (const Letter& letter : letters) items.push_back(to_object(letter, whole && !letter.foreign));
  document["next"] = nullptr;
  if (more) document["next"] = std::to_string(letters.back().id);
  Response response;
  response.body = json::serialize(document);
  co_return response;
}

asio::awaitable<Response> get_letter(Exchange& exchange) {
  QueryReader query(exchange.target);
  if (auto problem = std::move(query).problem()) co_return exchange.refuse(*problem);
  const auto id = parse_call_id(exchange.parameters.front());
  if (!id) co_return no_such_letter(exchange);
  auto getting = exchange.parts.nouns.letters->get(exchange.key.tenant->name, *id);
  const std::optional<Letter> letter = co_await std::move(getting);
  if (!letter) co_return no_such_letter(exchange);
  const bool whole = exchange.key.may(Scope::numbers) && !letter->foreign;
  json::object document = to_object(*letter, whole);
  document["envelope"] = envelope_of(*letter, whole);
  if (whole) {
    document["raw"] = base64(letter->raw);
    auto telling = tell_done(exchange, "letter.shown", {}, 1, detail_of(*id));
    co_await std::move(telling);
  }
  Response response;
  response.body = json::serialize(document);
  co_return response;
}

asio::awaitable<Response> replay_letter(Exchange& exchange) {
  QueryReader query(exchange.target);
  if (auto problem = std::move(query).problem()) co_return exchange.refuse(*problem);
  const auto id = parse_call_id(exchange.parameters.front());
  if (!id) co_return no_such_letter(exchange);
  auto replaying = exchange.parts.nouns.letters->replay(exchange.key.tenant->name, *id);
  const std::optional<Replay> replay = co_await std::move(replaying);
  if (!replay) co_return no_such_letter(exchange);
  log().info("audit request={} tenant={} key={} replays=dead-letter/{}", exchange.request.id,
             exchange.key.tenant->name, exchange.key.key, *id);
  auto telling = tell_afterwards(exchange, "letter.replayed", {}, detail_of(*id));
  co_await std::move(telling);
  const bool readable = replay->outcome == Replay::Outcome::replayed;
  json::object document;
  document["id"] = std::to_string(*id);
  document["outcome"] = readable ? "replayed" : "still_unreadable";
  document["before"] = replay->before;
  document["reason"] = nullptr;
  if (!readable) document["reason"] = words(replay->reason, false);
  document["replayed"] = nullptr;
  if (replay->replayed_ms > 0) document["replayed"] = replay->replayed_ms;
  document["events"] = replay->events;
  document["stored"] = replay->stored;
  document["waiting"] = replay->waiting;
  Response response;
  response.body = json::serialize(document);
  co_return response;
}

constexpr std::array routes{
    Route{"GET", "/v1/dead-letters", Scope::admin, list_letters},
    Route{"GET", "/v1/dead-letters/{id}", Scope::admin, get_letter},
    Route{"POST", "/v1/dead-letters/{id}/replay", Scope::admin, replay_letter},
};

}  // namespace

std::span<const Route> letter_routes() noexcept {
  return routes;
}

}  // namespace cc::api
