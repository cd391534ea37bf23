// /v1/channels: how they are, for everyone who may read; switched and forced by operators.
#include <algorithm>
#include <array>

#include <boost/json.hpp>

#include "json_body.hpp"
#include "log.hpp"
#include "phone.hpp"
#include "reveal.hpp"
#include "router.hpp"
#include "text.hpp"

namespace cc::api {
namespace {

namespace json = boost::json;

constexpr std::int64_t most_priority = 10'000;
constexpr std::int64_t most_weight = 10'000;

json::value or_null(const OptMs& ms) {
  if (!ms) return nullptr;
  return json::value(*ms);
}

/// Reasons repeat what a channel said, and so may hold a number.
json::value words(const std::string& text) {
  if (text.empty()) return nullptr;
  return json::value(mask_numbers_in(text));
}

json::value rate(std::int64_t part, std::int64_t whole) {
  if (whole == 0) return nullptr;
  return json::value(static_cast<double>(part) / static_cast<double>(whole));
}

/// The numbers that a channel would not show are the merchant's own: operators see them whole.
json::object to_object(const ChannelReport& report, bool whole) {
  json::object object;
  object["channel"] = report.channel;
  object["kind"] = report.kind;
  object["state"] = report.state;
  object["standing"] = report.standing;
  object["since"] = nullptr;
  if (report.since > 0) object["since"] = report.since;
  object["why"] = words(report.why);
  object["nextTrial"] = or_null(report.next_trial);
  object["enabled"] = report.enabled;
  object["force"] = nullptr;
  if (report.forced) object["force"] = *report.forced;
  object["priority"] = report.priority;
  object["weight"] = report.weight;
  object["judged"] = report.judged;
  object["failed"] = report.failed;
  object["errorRate"] = rate(report.failed, report.judged);
  object["originated"] = report.originated;
  object["answered"] = report.answered;
  object["answerRate"] = rate(report.answered, report.originated);
  object["callbackDelay"] =
      json::object{{"p50", or_null(report.event_p50)}, {"p99", or_null(report.event_p99)}};
  object["missingEvents"] = report.missing;
  object["queryBacklog"] = report.query_backlog;
  object["lines"] = json::object{
      {"free", report.lines_free}, {"busy", report.lines_busy}, {"offline", report.lines_offline}};
  json::array& numbers = object["refusedNumbers"].emplace_array();
  for (const ChannelReport::DisplayRefusal& refusal : report.refused_numbers) {
    json::object item;
    item["number"] = whole ? refusal.number : mask_number(refusal.number);
    item["code"] = refusal.code;
    item["last"] = refusal.last;
    item["count"] = refusal.count;
    numbers.push_back(std::move(item));
  }
  json::array& changes = object["changes"].emplace_array();
  for (const ChannelReport::Change& change : report.changes) {
    json::object item;
    item["at"] = change.at;
    item["was"] = change.was;
    item["state"] = change.state;
    item["why"] = words(change.why);
    changes.push_back(std::move(item));
  }
  return object;
}

Response document_of(const Exchange& exchange, const ChannelReport& report) {
  Response response;
  response.body = json::serialize(to_object(report, exchange.key.may(Scope::admin)));
  return response;
}

Response no_such_channel(const Exchange& exchange) {
  Problem problem;
  problem.type = ProblemType::channel_not_found;
  problem.detail = "No channel of this code is configured and open to you.";
  return exchange.refuse(problem);
}

/// Takes a PATCH's body apart; null means: as configured.
class BodyReader {
 public:
  BodyReader(const json::object& object, ChannelWish& wish) {
    for (const auto& member : object) {
      const std::string_view name = member.key();
      const json::value& value = member.value();
      if (name == "enabled") {
        read_enabled(value, wish);
      } else if (name == "force") {
        read_force(value, wish);
      } else if (name == "priority") {
        wish.priority.emplace(integer(name, value, 0, most_priority));
      } else if (name == "weight") {
        wish.weight.emplace(integer(name, value, 1, most_weight));
      } else {
        wrong_.push_back({shown_name(name), "unknown field"});
      }
    }
    if (object.empty()) wrong_.push_back({"body", "must name what to set"});
  }

  std::vector<InvalidParam> wrong() && { return std::move(wrong_); }
  const std::string& summary() const { return summary_; }

 private:
  void note(std::string_view name, const std::string& value) {
    summary_.append(" ").append(name).append("=").append(value);
  }

  void read_enabled(const json::value& value, ChannelWish& wish) {
    if (const bool* content = value.if_bool()) {
      wish.enabled = std::optional<bool>(*content);
      note("enabled", *content ? "true" : "false");
    } else if (value.is_null()) {
      wish.enabled.emplace();
      note("enabled", "configured");
    } else {
      wrong_.push_back({"enabled", "must be true or false, or null: as configured"});
    }
  }

  void read_force(const json::value& value, ChannelWish& wish) {
    const json::string* content = value.if_string();
    if (content != nullptr && (*content == "open" || *content == "closed")) {
      wish.forced = OptText(std::string(*content));
      note("force", std::string(*content));
    } else if (value.is_null()) {
      wish.forced.emplace();
      note("force", "none");
    } else {
      wrong_.push_back({"force",
                        "must be open (nothing is sent to it) or closed (it is used "
                        "whatever happens), or null: neither"});
    }
  }

  std::optional<int> integer(std::string_view name, const json::value& value, std::int64_t least,
                             std::int64_t most) {
    const std::int64_t* content = value.if_int64();
    if (content != nullptr && *content >= least && *content <= most) {
      note(name, std::to_string(*content));
      return static_cast<int>(*content);
    }
    if (value.is_null()) {
      note(name, "configured");
    } else {
      wrong_.push_back({std::string(name), "must be a whole number from " + std::to_string(least) +
                                               " to " + std::to_string(most) +
                                               ", or null: as configured"});
    }
    return std::nullopt;
  }

  std::vector<InvalidParam> wrong_;
  std::string summary_;
};

asio::awaitable<Response> list_channels(Exchange& exchange) {
  QueryReader query(exchange.target);
  if (auto problem = std::move(query).problem()) co_return exchange.refuse(*problem);
  auto listing = exchange.parts.nouns.channels->list(exchange.key.tenant->name, std::nullopt);
  const std::vector<ChannelReport> reports = co_await std::move(listing);
  const bool whole = exchange.key.may(Scope::admin);
  json::object document;
  json::array& items = document["items"].emplace_array();
  for (const ChannelReport& report : reports) items.push_back(to_object(report, whole));
  Response response;
  response.body = json::serialize(document);
  co_return response;
}

asio::awaitable<Response> get_channel(Exchange& exchange) {
  QueryReader query(exchange.target);
  if (auto problem = std::move(query).problem()) co_return exchange.refuse(*problem);
  auto listing =
      exchange.parts.nouns.channels->list(exchange.key.tenant->name, exchange.parameters[0]);
  const std::vector<ChannelReport> reports = co_await std::move(listing);
  co_return reports.empty() ? no_such_channel(exchange) : document_of(exchange, reports.front());
}

asio::awaitable<Response> patch_channel(Exchange& exchange) {
  QueryReader query(exchange.target);
  if (auto problem = std::move(query).problem()) co_return exchange.refuse(*problem);
  auto body = read_object(exchange.request);
  if (Problem* problem = std::get_if<Problem>(&body)) co_return exchange.refuse(*problem);
  ChannelWish wish;
  BodyReader reader(std::get<json::object>(body), wish);
  const std::string summary = reader.summary();
  const std::string detail = json::serialize(
      json::object{{"channel", exchange.parameters[0]}, {"set", std::get<json::object>(body)}});
  Problem problem;
  problem.invalid_params = std::move(reader).wrong();
  if (!problem.invalid_params.empty()) {
    problem.type = ProblemType::invalid_request;
    problem.detail = "The body is wrong; invalidParams names what.";
    co_return exchange.refuse(problem);
  }
  const std::string& tenant = exchange.key.tenant->name;
  auto setting = exchange.parts.nouns.channels->set(tenant, exchange.parameters[0], std::move(wish),
                                                    tenant + "/" + exchange.key.key);
  const std::optional<ChannelReport> report = co_await std::move(setting);
  if (!report) co_return no_such_channel(exchange);
  log().info("audit request={} tenant={} key={} sets=channel/{}{}", exchange.request.id, tenant,
             exchange.key.key, report->channel, summary);
  auto telling = tell_afterwards(exchange, "channel.set", {}, detail);
  co_await std::move(telling);
  co_return document_of(exchange, *report);
}

constexpr std::array routes{
    Route{"GET", "/v1/channels", Scope::read, list_channels},
    Route{"GET", "/v1/channels/{channel}", Scope::read, get_channel},
    Route{"PATCH", "/v1/channels/{channel}", Scope::admin, patch_channel},
};

}  // namespace

std::span<const Route> channel_routes() noexcept {
  return routes;
}

}  // namespace cc::api
