#include "checks.hpp"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <initializer_list>

#include <boost/beast/http/field.hpp>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "digest.hpp"
#include "world.hpp"

namespace jiuyun {

namespace json = boost::json;
namespace http = boost::beast::http;

namespace {

constexpr std::size_t largest_body = 8 * 1024;
constexpr std::int64_t timestamp_tolerance = 12 * 3600;
constexpr std::int64_t longest_call = 8 * 3600;
constexpr std::string_view root = "/2016-01-01/Accounts/";

bool digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

bool is_mobile(std::string_view n) {
  return digits(n) && n.size() == 11 && n[0] == '1';
}
bool is_landline(std::string_view n) {
  return digits(n) && (n.size() == 11 || n.size() == 12) && n[0] == '0';
}
bool is_400(std::string_view n) {
  return digits(n) && n.size() == 10 && n.starts_with("400");
}
bool is_from_9(std::string_view n) {
  return digits(n) && n.size() >= 5 && n.size() <= 11 && n[0] == '9';
}

std::string shown(json::value const& value) {
  auto text = json::serialize(value);
  return text.size() > 60 ? text.substr(0, 60) + "…" : text;
}

std::string lower_without_blanks(std::string_view text) {
  std::string out;
  for (char c : text)
    if (c != ' ' && c != '\t')
      out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

Checked refuse(std::string code, std::string reason, unsigned int http_status = 0) {
  return Refusal{std::move(code), std::move(reason), http_status};
}

Checked check_signature(World const& world, Request const& request, Target const& target,
                        Function const& function) {
  auto const& options = world.options;
  auto sig = query_value(target.query, "sig");
  if (!sig || sig->empty()) return refuse("900100", "sig is missing from the query");
  if (target.query != "sig=" + *sig)
    return refuse("900098", "the query '" + printable(target.query, 80) +
                                "' has more than sig={sig}; nothing else is documented");
  auto header = request.find(http::field::authorization);
  if (header == request.end()) return refuse("900101", "the header Authorization is missing");
  std::string value(header->value());
  auto plain = base64_decode(value);
  if (!plain)
    return refuse("900102",
                  "Authorization '" + printable(value, 80) +
                      "' is not the bare Base64 of accountSid:timestamp (no scheme word)");
  auto colon = plain->find(':');
  if (colon == std::string::npos)
    return refuse("900103",
                  "Authorization decodes to '" + printable(*plain, 80) + "', which has no ':'");
  auto account = plain->substr(0, colon);
  auto timestamp = plain->substr(colon + 1);
  if (account != function.account_sid)
    return refuse("900104", "Authorization is of account '" + printable(account, 40) +
                                "', the path of '" + printable(function.account_sid, 40) + "'");
  auto seconds = parse_compact(timestamp);
  if (!seconds)
    return refuse("900105", "timestamp '" + printable(timestamp, 40) + "' is not yyyyMMddHHmmss");
  auto apart = *seconds - world.clock.seconds(now_ms());
  if (std::llabs(apart) > timestamp_tolerance)
    return refuse("900106", "timestamp '" + timestamp + "' is " + std::to_string(apart) +
                                " s from our clock, over 12 h; it must be Beijing time");
  auto expected = md5_upper_hex(options.account_sid + options.auth_token + timestamp);
  if (*sig != expected) {
    std::string upper = *sig;
    for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return refuse(
        "900111",
        upper == expected
            ? "sig is in lower case; it must be upper case hex"
            : "sig doesn't match MD5(accountSid + authToken + timestamp of Authorization)");
  }
  return std::nullopt;
}

Checked check_json_header(Request const& request, http::field field, char const* name) {
  std::string value(request[field]);
  if (lower_without_blanks(value) == "application/json;charset=utf-8") return std::nullopt;
  return refuse("900098", std::string(name) + " is '" + printable(value, 80) +
                              "', must be application/json;charset=utf-8");
}

// {"root":{…}} with no other keys than those allowed.
Checked open_root(json::value const& body, std::string_view name,
                  std::initializer_list<std::string_view> allowed, json::object const*& into) {
  auto outer = body.if_object();
  if (!outer || outer->size() != 1 || !outer->contains(name))
    return refuse("900098",
                  "the body's root must be {\"" + std::string(name) + "\":{…}} and nothing else");
  into = outer->begin()->value().if_object();
  if (!into)
    return refuse("900098", std::string(name) + " is " + shown(outer->begin()->value()) +
                                ", must be an object");
  for (auto const& field : *into)
    if (std::find(allowed.begin(), allowed.end(), std::string_view(field.key())) == allowed.end())
      return refuse("900098",
                    "'" + std::string(field.key()) + "' is not a field of " + std::string(name));
  return std::nullopt;
}

Checked check_app_id(World const& world, json::object const& fields) {
  auto app = fields.if_contains("appId");
  if (!app) return refuse("900112", "appId is missing");
  if (!app->is_string()) return refuse("900098", "appId is " + shown(*app) + ", must be a string");
  if (std::string_view(app->get_string()) != world.options.app_id)
    return refuse("900113", "appId " + shown(*app) + " is not an app of this account");
  return std::nullopt;
}

Checked check_number(json::object const& fields, char const* name, char const* missing,
                     char const* ill, bool is_to, std::string& into) {
  auto value = fields.if_contains(name);
  if (!value) return refuse(missing, std::string(name) + " is missing");
  if (!value->is_string())
    return refuse("900098", std::string(name) + " is " + shown(*value) + ", must be a string");
  std::string_view number = value->get_string();
  if (number.empty()) return refuse(missing, std::string(name) + " is empty");
  bool const fine =
      is_mobile(number) || is_landline(number) || (is_to && (is_400(number) || is_from_9(number)));
  if (!fine)
    return refuse(
        ill,
        std::string(name) + " " + shown(*value) +
            " is neither a mobile of 11 digits from 1 nor a landline of 11 or 12 digits from 0" +
            (is_to ? " nor a 400 number nor 5 to 11 digits from 9" : ""));
  into = number;
  return std::nullopt;
}

Checked check_display(World const& world, json::object const& fields, char const* name,
                      char const* code) {
  auto value = fields.if_contains(name);
  if (!value) return std::nullopt;
  auto list = value->if_array();
  if (!list || list->empty() || list->size() > 3)
    return refuse("900098", std::string(name) + " is " + shown(*value) +
                                ", must be a list of 1 to 3 numbers, or left out");
  for (auto const& number : *list)
    if (!number.is_string())
      return refuse("900098",
                    std::string(name) + " holds " + shown(number) + ", must hold strings");
  for (auto const& number : *list)
    if (!world.options.approved_numbers.contains(
            std::string(std::string_view(number.get_string()))))
      return refuse(code, std::string(name) + ": " + shown(number) +
                              " is not an approved display number (--approved-numbers)");
  return std::nullopt;
}

// An integer, or a string of digits.
std::optional<std::int64_t> whole(json::value const& value) {
  if (value.is_int64()) return value.get_int64();
  if (!value.is_string()) return std::nullopt;
  std::string text(std::string_view(value.get_string()));
  if (!digits(text) || text.size() > 9) return std::nullopt;
  return std::stoll(text);
}

Checked check_options(json::object const& fields, CallRequest& into) {
  if (auto limit = fields.if_contains("maxCallTime")) {
    auto seconds = whole(*limit);
    if (!seconds || *seconds < 1 || *seconds > longest_call)
      return refuse("900209",
                    "maxCallTime is " + shown(*limit) + ", must be from 1 to 28800 s (8 h)");
    into.max_call_time = seconds;
  }
  if (auto record = fields.if_contains("needRecord")) {
    auto wish = whole(*record);
    if (!wish || (*wish != 0 && *wish != 1))
      return refuse("900210", "needRecord is " + shown(*record) + ", must be 0 or 1");
    into.need_record = *wish == 1;
  }
  if (auto data = fields.if_contains("userData")) {
    if (!data->is_string())
      return refuse("900098", "userData is " + shown(*data) + ", must be a string");
    std::string_view text = data->get_string();
    if (text.size() > 128)
      return refuse("900216", "userData has " + std::to_string(text.size()) + " bytes, over 128");
    into.user_data = text;
  }
  return std::nullopt;
}

Checked check_call_id(json::object const& fields, std::string& into) {
  auto value = fields.if_contains("callId");
  if (!value) return refuse("900213", "callId is missing");
  if (!value->is_string())
    return refuse("900098", "callId is " + shown(*value) + ", must be a string");
  into = std::string_view(value->get_string());
  if (into.size() != 32 || into.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos)
    return refuse("900213", "callId " + shown(*value) + " is not 32 hex characters");
  return std::nullopt;
}

}  // namespace

Function function_of(std::string const& path) {
  Function function;
  if (!path.starts_with(root)) return function;
  auto rest = path.substr(root.size());
  auto slash = rest.find('/');
  if (slash == std::string::npos) return function;
  function.account_sid = rest.substr(0, slash);
  auto name = rest.substr(slash + 1);
  if (name == "Calls/callBack" || name == "Calls/CancelCallback" || name == "Records/query")
    function.name = name;
  return function;
}

Checked check_envelope(World const& world, Request const& request, Target const& target,
                       Function const& function) {
  if (function.name.empty())
    return refuse("900000",
                  "there is no '" + printable(target.path, 160) +
                      "'; known are /2016-01-01/Accounts/{accountSid}/ with Calls/callBack, "
                      "Calls/CancelCallback, Records/query, in exactly this case",
                  404);
  if (request.method() != http::verb::post)
    return refuse("900000",
                  "the method is " +
                      printable(std::string_view(request.method_string().data(),
                                                 request.method_string().size()),
                                20) +
                      ", must be POST",
                  405);
  if (function.account_sid != world.options.account_sid)
    return refuse("900122",
                  "the path's account '" + printable(function.account_sid, 40) + "' is unknown");
  if (auto wrong = check_signature(world, request, target, function)) return wrong;
  if (auto wrong = check_json_header(request, http::field::accept, "Accept")) return wrong;
  if (auto wrong = check_json_header(request, http::field::content_type, "Content-Type"))
    return wrong;
  if (request.find(http::field::transfer_encoding) != request.end() ||
      request.find(http::field::content_length) == request.end())
    return refuse("900098", "Content-Length is missing (a chunked body is refused)");
  if (request.body().size() > largest_body)
    return refuse("900098", "the body has " + std::to_string(request.body().size()) +
                                " bytes, over " + std::to_string(largest_body));
  return std::nullopt;
}

Checked check_originate(World const& world, json::value const& body, CallRequest& into) {
  json::object const* fields = nullptr;
  if (auto wrong = open_root(body, "callback",
                             {"appId", "from", "to", "fromSerNum", "toSerNum", "needRecord",
                              "userData", "maxCallTime"},
                             fields))
    return wrong;
  if (auto wrong = check_app_id(world, *fields)) return wrong;
  if (auto wrong = check_number(*fields, "from", "900200", "900201", false, into.from))
    return wrong;
  if (auto wrong = check_number(*fields, "to", "900202", "900203", true, into.to)) return wrong;
  if (auto wrong = check_display(world, *fields, "fromSerNum", "900204")) return wrong;
  if (auto wrong = check_display(world, *fields, "toSerNum", "900205")) return wrong;
  return check_options(*fields, into);
}

Checked check_cancel(World const& world, json::value const& body, std::string& call_id) {
  json::object const* fields = nullptr;
  if (auto wrong = open_root(body, "req", {"appId", "callId"}, fields)) return wrong;
  if (auto wrong = check_app_id(world, *fields)) return wrong;
  return check_call_id(*fields, call_id);
}

Checked check_query(json::value const& body, std::string& call_id) {
  json::object const* fields = nullptr;
  if (auto wrong = open_root(body, "req", {"callId", "type"}, fields)) return wrong;
  auto type = fields->if_contains("type");
  if (!type || *type != json::value(1))
    return refuse("900098",
                  type ? "type is " + shown(*type) + ", must be the number 1" : "type is missing");
  return check_call_id(*fields, call_id);
}

}  // namespace jiuyun
