// /v1/reconciliation: whose word each day's ends rest on, and the calls that a channel still owes
// its word about.
#include <array>

#include <boost/json.hpp>

#include "call/reconciliation.hpp"
#include "phone.hpp"
#include "router.hpp"

namespace cc::api {
namespace {

namespace json = boost::json;

constexpr std::int64_t most_calls = 1000;  // of a page
constexpr std::int64_t default_calls = 100;
constexpr int most_days = 366;
constexpr int default_days = 31;
constexpr std::int64_t day_ms = 86'400'000;

std::optional<Day> read_day(QueryReader& query, std::string_view name,
                            const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  const auto day = Day::parse(*text);
  if (!day) query.refuse(name, "must be a day in UTC+8 like 2026-03-01");
  return day;
}

template <class T>
json::value or_null(const std::optional<T>& value) {
  if (!value) return nullptr;
  return json::value(*value);
}

json::object to_object(const ReconciledDay& day) {
  json::object object;
  object["day"] = day.day;
  object["channel"] = nullptr;
  if (!day.channel.empty()) object["channel"] = day.channel;
  object["calls"] = day.calls;
  object["final"] = day.final;
  object["refused"] = day.refused;
  object["open"] = day.open;
  object["asking"] = day.asking;
  object["givenUp"] = day.given_up;
  object["unnamed"] = day.unnamed;
  object["unasked"] = day.unasked;
  object["looked"] = day.looked_ms;
  return object;
}

json::object to_object(const OwedCall& call) {
  json::object object;
  object["callId"] = std::to_string(call.id);
  object["channel"] = nullptr;
  if (!call.channel.empty()) object["channel"] = call.channel;
  object["channelCallId"] = or_null(call.channel_call_id);
  if (call.channel_call_id && is_number_shaped(*call.channel_call_id)) {
    object["channelCallId"] = mask_number(*call.channel_call_id);
  }
  object["standing"] = call.standing == "given_up" ? "givenUp" : call.standing;
  object["created"] = call.created_ms;
  object["closeTime"] = or_null(call.close_ms);
  object["closeDetail"] = nullptr;
  if (call.close_detail) object["closeDetail"] = mask_number_shapes_in(*call.close_detail);
  object["queries"] = call.queries;
  object["nextQuery"] = or_null(call.next_query_ms);
  object["problem"] = nullptr;
  if (call.problem) object["problem"] = mask_numbers_in(*call.problem);
  return object;
}

asio::awaitable<Response> list_days(Exchange& exchange) {
  QueryReader query(exchange.target);
  DayFilter filter;
  filter.tenant = exchange.key.tenant->name;
  filter.channel = query.text("channel", 8);
  const auto from = read_day(query, "from", query.text("from", 10));
  const auto to = read_day(query, "to", query.text("to", 10));
  const Day last = to.value_or(Day::of(exchange.parts.clock.epoch_ms()));
  const Day first = from.value_or(last.plus(1 - default_days));
  if (first > last) query.refuse("from", "must not be after `to`");
  if ((last.begin_ms() - first.begin_ms()) / day_ms >= most_days) {
    query.refuse("from", "must be at most " + std::to_string(most_days) + " days before `to`");
  }
  if (auto problem = std::move(query).problem()) co_return exchange.refuse(*problem);
  auto listing = exchange.parts.nouns.reconciliation->days(first, last, std::move(filter));
  const std::vector<ReconciledDay> days = co_await std::move(listing);
  json::object document;
  json::array& items = document["items"].emplace_array();
  for (const ReconciledDay& day : days) items.push_back(to_object(day));
  Response response;
  response.body = json::serialize(document);
  co_return response;
}

asio::awaitable<Response> list_owed(Exchange& exchange) {
  QueryReader query(exchange.target);
  DayFilter filter;
  filter.tenant = exchange.key.tenant->name;
  filter.channel = query.text("channel", 8);
  const auto above = query.integer("cursor", 1, INT64_MAX);
  const std::int64_t limit = query.integer("limit", 1, most_calls).value_or(default_calls);
  const auto day = read_day(query, "path day", exchange.parameters.front());
  if (auto problem = std::move(query).problem()) co_return exchange.refuse(*problem);
  auto listing = exchange.parts.nouns.reconciliation->owed(
      *day, std::move(filter), above.value_or(0), static_cast<int>(limit) + 1);
  std::vector<OwedCall> calls = co_await std::move(listing);
  const bool more = calls.size() > static_cast<std::size_t>(limit);
  if (more) calls.pop_back();
  json::object document;
  document["day"] = day->text();
  json::array& items = document["items"].emplace_array();
  for (const OwedCall& call : calls) items.push_back(to_object(call));
  document["next"] = nullptr;
  if (more) document["next"] = std::to_string(calls.back().id);
  Response response;
  response.body = json::serialize(document);
  co_return response;
}

constexpr std::array routes{
    Route{"GET", "/v1/reconciliation", Scope::read, list_days},
    Route{"GET", "/v1/reconciliation/{day}", Scope::read, list_owed},
};

}  // namespace

std::span<const Route> reconciliation_routes() noexcept {
  return routes;
}

}  // namespace cc::api
