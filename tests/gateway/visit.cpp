#include "visit.hpp"

#include <algorithm>
#include <cctype>

#include <boost/beast/http/field.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "fields.hpp"
#include "world.hpp"

namespace gateway {

namespace json = boost::json;
namespace http = boost::beast::http;

namespace {

bool is_kind(json::value const& value, std::string_view kind) {
  if (kind == "number") return value.is_int64() || value.is_uint64();
  if (!value.is_string()) return false;
  std::string_view const text = value.get_string();
  if (kind == "digits") return is_digits(text);
  if (kind == "flag") return text == "true" || text == "false";
  if (kind == "status") return text == "3" || text == "4" || text == "5";
  return true;
}

}  // namespace

std::string plain(std::string_view text) {
  std::string out(text);
  std::erase_if(out, [](char c) { return c == ' ' || c == '\t'; });
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

std::string text_in(json::object const& object, std::string_view name) {
  auto const value = object.if_contains(name);
  if (!value || !value->is_string()) return "";
  return {value->get_string().begin(), value->get_string().end()};
}

bool is_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

std::string_view Visit::name() const {
  switch (function) {
    case Function::signin:
    case Function::forcelogin:
      return "signin";
    case Function::resetskill:
      return "resetskill";
    case Function::signout:
      return "signout";
    case Function::poll:
      return "poll";
    case Function::callout:
      return "callout";
    case Function::dropcall:
    case Function::release:
      return "hangup";
    case Function::query:
      return "query";
  }
  return "unknown";
}

void Visit::violation(std::string_view what, json::object fields) const {
  fields["agent"] = agent_id;
  fields["function"] = name();
  world.journal.violation(what, std::move(fields));
}

void Visit::check_form() const {
  bool const has_body = function == Function::signin || function == Function::forcelogin ||
                        function == Function::callout;
  auto const type = request[http::field::content_type];
  if ((has_body || !request.body().empty()) && plain(type) != "application/json;charset=utf-8")
    violation("content_type", {{"contentType", printable(type, 80)}});
  if (!has_body && !request.body().empty())
    violation("unexpected_body", {{"body", printable(request.body(), 200)}});
  std::string_view const query = function == Function::resetskill ? "phonelinkage=0" : "";
  if (target.query != query) violation("query", {{"query", printable(target.query, 200)}});
}

std::optional<json::object> Visit::body(std::initializer_list<Member> members) const {
  boost::system::error_code error;
  auto value = json::parse(request.body(), error);
  if (error || !value.is_object()) {
    violation("body", {{"body", printable(request.body(), 200)},
                       {"reason", error ? error.message() : "is not an object"}});
    return std::nullopt;
  }
  for (auto const& member : value.get_object()) {
    auto const known = std::ranges::find(members, std::string_view(member.key()), &Member::name);
    if (known == members.end())
      violation("unknown_member", {{"member", printable(member.key(), 60)}});
    else if (!is_kind(member.value(), known->kind))
      violation("member", {{"member", known->name},
                           {"value", printable(json::serialize(member.value()), 60)},
                           {"wanted", known->kind}});
  }
  return std::move(value.get_object());
}

// The vendor's own clients keep the cookies; that it refuses who doesn't isn't known, so it is
// only noted.
void Visit::check_cookie(std::string const& expected) const {
  auto const wanted = "jsessionid=" + expected;
  auto rest = plain(request[http::field::cookie]);
  while (!rest.empty()) {
    auto const semicolon = rest.find(';');
    if (rest.substr(0, semicolon) == wanted) return;
    if (semicolon == std::string::npos) break;
    rest.erase(0, semicolon + 1);
  }
  violation("cookie", {{"cookie", printable(request[http::field::cookie], 80)}});
}

}  // namespace gateway
