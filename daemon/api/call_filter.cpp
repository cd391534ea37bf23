#include "call_filter.hpp"

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

#include <boost/json.hpp>

#include "cursor.hpp"
#include "fields.hpp"
#include "phone.hpp"
#include "time_text.hpp"

namespace cc::api {
namespace {

namespace json = boost::json;

constexpr int most_calls = 200;  // of a page
constexpr std::size_t most_ids = 100;
constexpr std::size_t longest_ids = most_ids * 20;
constexpr std::size_t longest_cursor = 64;
constexpr const char* states = "must be init, conn, close or open (init or conn)";
constexpr const char* ends = "must be 0 to 7, or 255";
constexpr const char* wrong_ids = "must be 1 to 100 call ids";
constexpr const char* wrong_cursor = "must be the `next` of a page";
constexpr const char* from_after_to = "must be before `to`";

bool is_state(std::string_view state) {
  return state == "init" || state == "conn" || state == "close" || state == "open";
}

bool is_close_type(std::string_view text) {
  return text == "255" || (text.size() == 1 && text.front() >= '0' && text.front() <= '7');
}

/// What both ways of asking have read. Times are as they were given.
struct Reading {
  CallWish wish;
  std::optional<std::int64_t> from, to;
  std::optional<Cursor> cursor;
};

/// Whether they are in order; then the wish has them.
bool set_window(Reading& reading, std::int64_t now_ms) {
  CallFilter& filter = reading.wish.filter;
  const bool named = !filter.ids.empty() || filter.channel_call_id;
  if (reading.to) filter.to_ms = *reading.to;
  if (reading.from) {
    filter.from_ms = *reading.from;
  } else if (reading.cursor) {
    filter.from_ms = reading.cursor->from_ms;
  } else if (!named) {
    filter.from_ms = std::max<std::int64_t>(0, reading.to.value_or(now_ms) - default_window_ms);
  }
  if (reading.cursor) reading.wish.cursor = *reading.cursor;
  return !reading.from || !reading.to || *reading.from < *reading.to;
}

/// Who names calls wants them all.
void set_limit(Reading& reading, std::optional<std::int64_t> limit) {
  const auto named = static_cast<std::int64_t>(reading.wish.filter.ids.size());
  if (!limit && named > 0) limit = named;
  if (limit) reading.wish.limit = static_cast<std::size_t>(*limit);
}

/// "1,2,3"; nothing where one of them is no id.
std::optional<std::vector<std::int64_t>> split_ids(std::string_view text) {
  std::vector<std::int64_t> ids;
  for (bool more = true; more;) {
    const auto comma = text.find(',');
    const auto id = parse_call_id(text.substr(0, comma));
    if (!id || ids.size() == most_ids) return std::nullopt;
    ids.push_back(*id);
    more = comma != std::string_view::npos;
    if (more) text.remove_prefix(comma + 1);
  }
  return ids;
}

std::optional<std::int64_t> read_time(Fields& fields, std::string_view name) {
  const json::value* value = fields.find(name);
  if (value == nullptr) return std::nullopt;
  std::optional<std::int64_t> ms;
  if (const json::string* text = value->if_string()) {
    ms = parse_time(std::string_view(*text));
  } else if (const std::int64_t* number = value->if_int64()) {
    ms = parse_time(std::to_string(*number));
  }
  if (!ms) fields.refuse(name, std::string(time_advice));
  return ms;
}

std::vector<std::int64_t> read_ids(Fields& fields) {
  std::vector<std::int64_t> ids;
  const json::value* value = fields.find("ids");
  if (value == nullptr) return ids;
  const json::array* list = value->if_array();
  if (list == nullptr || list->empty() || list->size() > most_ids) {
    fields.refuse("ids", "must be a list of 1 to 100 call ids");
    return ids;
  }
  for (const json::value& item : *list) {
    const json::string* text = item.if_string();
    const auto id = text == nullptr ? std::nullopt : parse_call_id(std::string_view(*text));
    if (!id) {
      fields.refuse("ids", "must hold call ids, as text");
      return {};
    }
    ids.push_back(*id);
  }
  return ids;
}

}  // namespace

CallWish read_call_filter(QueryReader& query, const Target& target, const std::string& tenant,
                          std::int64_t now_ms, bool paged) {
  Reading reading;
  CallFilter& filter = reading.wish.filter;
  filter.tenant = tenant;
  filter.agent = query.line("agent");
  filter.user = query.text("user", 256);
  filter.state = query.text("state", 8);
  if (filter.state && !is_state(*filter.state)) query.refuse("state", states);
  filter.channel = query.text("channel", 8);
  filter.close_type = query.text("closeType", 32);
  if (filter.close_type && !is_close_type(*filter.close_type)) query.refuse("closeType", ends);
  filter.business = query.text("business", 128);
  filter.biz_type = query.text("bizType", 128);
  filter.biz_id = query.text("bizId", 256);
  filter.channel_call_id = query.text("channelCallId", 256);
  if (const auto text = query.text("ids", longest_ids)) {
    if (auto ids = split_ids(*text)) {
      filter.ids = *std::move(ids);
    } else {
      query.refuse("ids", std::string(wrong_ids) + ", with commas in between");
    }
  }
  for (const char* number : {"caller", "called"}) {
    const bool given = std::any_of(target.query.begin(), target.query.end(),
                                   [&](const auto& item) { return item.first == number; });
    if (!given) continue;
    query.text(number, SIZE_MAX);  // known, so that this is the one complaint about it
    query.refuse(number, "numbers don't belong into a URL: POST /v1/calls/search");
  }
  reading.from = query.time("from");
  reading.to = query.time("to");
  if (paged) {
    set_limit(reading, query.integer("limit", 1, most_calls));
    if (const auto text = query.text("cursor", longest_cursor)) {
      reading.cursor = parse_cursor(*text);
      if (!reading.cursor) query.refuse("cursor", wrong_cursor);
    }
  }
  if (!set_window(reading, now_ms)) query.refuse("from", from_after_to);
  return std::move(reading.wish);
}

std::variant<CallWish, Problem> read_call_search(const json::object& body,
                                                 const std::string& tenant, std::int64_t now_ms) {
  Fields fields(body);
  Reading reading;
  CallFilter& filter = reading.wish.filter;
  filter.tenant = tenant;
  if (const auto agent = fields.text("agent", 64)) filter.agent = plain_agent(*agent);
  filter.user = fields.text("user", 64);
  filter.state = fields.text("state", 8);
  if (filter.state && !is_state(*filter.state)) fields.refuse("state", states);
  filter.channel = fields.text("channel", 8);
  filter.close_type = fields.text("closeType", 32);
  if (filter.close_type && !is_close_type(*filter.close_type)) fields.refuse("closeType", ends);
  filter.business = fields.text("business", 32);
  filter.biz_type = fields.text("bizType", 32);
  filter.biz_id = fields.text("bizId", 64);
  filter.channel_call_id = fields.text("channelCallId", 64);
  filter.caller = fields.number("caller");
  filter.called = fields.number("called");
  filter.ids = read_ids(fields);
  reading.from = read_time(fields, "from");
  reading.to = read_time(fields, "to");
  set_limit(reading, fields.integer("limit", 1, most_calls));
  if (const auto text = fields.text("cursor", longest_cursor)) {
    reading.cursor = parse_cursor(*text);
    if (!reading.cursor) fields.refuse("cursor", wrong_cursor);
  }
  if (!set_window(reading, now_ms)) fields.refuse("from", from_after_to);
  auto wrong = std::move(fields).wrong();
  if (!wrong.empty()) return wrong_fields(std::move(wrong));
  return std::move(reading.wish);
}

json::object describe(const CallFilter& filter) {
  json::object object;
  const auto add = [&](std::string_view name, const OptText& value) {
    if (value) object[name] = mask_numbers_in(*value);
  };
  add("agent", filter.agent);
  add("user", filter.user);
  add("state", filter.state);
  add("channel", filter.channel);
  add("closeType", filter.close_type);
  add("business", filter.business);
  add("bizType", filter.biz_type);
  add("bizId", filter.biz_id);
  add("channelCallId", filter.channel_call_id);
  if (filter.caller) object["caller"] = mask_number(*filter.caller);
  if (filter.called) object["called"] = mask_number(*filter.called);
  if (!filter.ids.empty()) object["ids"] = filter.ids.size();
  if (filter.from_ms > 0) object["from"] = filter.from_ms;
  if (filter.to_ms < INT64_MAX) object["to"] = filter.to_ms;
  return object;
}

}  // namespace cc::api
