#include "problem_text.hpp"

#include <algorithm>
#include <cstdlib>

#include <boost/json.hpp>

#include "text.hpp"

namespace cc::api {
namespace {

namespace json = boost::json;

json::object to_object(const ProblemEntry& entry) {
  json::object object;
  object["type"] = "/problems/" + std::string(entry.name);
  object["name"] = entry.name;
  object["status"] = entry.status;
  object["title"] = entry.title;
  object["titleZh"] = entry.title_zh;
  object["retryable"] = entry.retryable;
  object["retryAfter"] = nullptr;
  if (entry.retry_after > 0) object["retryAfter"] = entry.retry_after;
  object["advice"] = entry.advice;
  object["adviceZh"] = entry.advice_zh;
  return object;
}

std::string escaped(std::string_view text) {
  std::string out;
  bool code = false;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '`':  // what stands between two is a name
        out += code ? "</code>" : "<code>";
        code = !code;
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string retry_words(const ProblemEntry& entry, Language language) {
  const bool english = language == Language::english;
  if (!entry.retryable) return english ? "no" : "否";
  if (entry.retry_after == 0) return english ? "yes" : "是";
  const std::string seconds = std::to_string(entry.retry_after);
  return english ? "yes, after " + seconds + " s" : "是，" + seconds + " 秒后";
}

/// For a table's cell: "<key>" would be taken for HTML.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '<') {
      out += "&lt;";
    } else {
      out += c;
    }
  }
  return out;
}

/// The q of a media range's parameters; 1 where it has none.
double quality(std::string_view parameters) {
  while (!parameters.empty()) {
    const auto semicolon = parameters.find(';');
    const std::string_view parameter = trim(parameters.substr(0, semicolon));
    parameters.remove_prefix(semicolon == std::string_view::npos ? parameters.size()
                                                                 : semicolon + 1);
    if (!parameter.starts_with("q=") && !parameter.starts_with("Q=")) continue;
    return std::clamp(std::strtod(std::string(parameter.substr(2)).c_str(), nullptr), 0.0, 1.0);
  }
  return 1;
}

/// How much an Accept header likes a type: the most specific range that fits decides.
double liking(std::string_view accept, std::string_view type) {
  const std::string family = std::string(type.substr(0, type.find('/'))) + "/*";
  double found = 0;
  int rank = 0;
  while (!accept.empty()) {
    const auto comma = accept.find(',');
    std::string_view range = accept.substr(0, comma);
    accept.remove_prefix(comma == std::string_view::npos ? accept.size() : comma + 1);
    const auto semicolon = range.find(';');
    const std::string_view name = trim(range.substr(0, semicolon));
    const int fits = name == type ? 3 : name == family ? 2 : name == "*/*" ? 1 : 0;
    if (fits <= rank) continue;
    rank = fits;
    found =
        quality(semicolon == std::string_view::npos ? std::string_view{} : range.substr(semicolon));
  }
  return found;
}

}  // namespace

std::string to_json(const ProblemEntry& entry) {
  return json::serialize(to_object(entry));
}

std::string catalogue_json() {
  json::object document;
  json::array& items = document["items"].emplace_array();
  for (const ProblemEntry& entry : problem_catalogue()) items.push_back(to_object(entry));
  return json::serialize(document);
}

std::string to_html(const ProblemEntry& entry, std::string_view style) {
  const std::string name = escaped(entry.name);
  std::string page = "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n";
  page += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>" +
          name + " · CC</title>\n<style>";
  page.append(style).append("</style>\n</head>\n<body class=\"problem\">\n<main>\n");
  page += "<p class=\"path\">/problems/" + name + "</p>\n<h1>" + escaped(entry.title) + "</h1>\n";
  page += "<p class=\"status\">HTTP " + std::to_string(entry.status) +
          " · retry: " + retry_words(entry, Language::english) + "</p>\n<p>" +
          escaped(entry.advice) + "</p>\n";
  page += "<section lang=\"zh-CN\">\n<h2>" + escaped(entry.title_zh) + "</h2>\n<p>重试：" +
          retry_words(entry, Language::chinese) + "</p>\n<p>" + escaped(entry.advice_zh) +
          "</p>\n</section>\n";
  page +=
      "<p><a href=\"../docs#problems\">All problems · "
      "全部错误类型</a></p>\n</main>\n</body>\n</html>\n";
  return page;
}

std::string catalogue_markdown(Language language) {
  const bool english = language == Language::english;
  std::string text;
  if (english) {
    text =
        "# Errors\n\n"
        "[中文](errors.zh-CN.md)\n\n"
        "Every answer of 400 and above is a problem document (RFC 9457). Its `type` is one of "
        "these; "
        "`retryable` says whether the same request may succeed later and does no harm. Where an "
        "occurrence knows better than its type, the document differs: `retryable` and the header "
        "`Retry-After` are right. `GET /problems` answers this list.\n\n"
        "<!-- Written by: ninja errors_md -->\n\n"
        "| status | type | meaning | retry | what to do |\n|---|---|---|---|---|\n";
  } else {
    text =
        "# 错误类型\n\n"
        "[English](errors.md)\n\n"
        "状态码 400 及以上的应答都是问题文档（RFC 9457），其 `type` "
        "为下表之一；`retryable` 表示原样重试是否可能成功且无害。若某次应答的 `retryable` "
        "或响应头 `Retry-After` 与下表不同，以应答为准。`GET /problems` 返回本表。\n\n"
        "<!-- 由 ninja errors_md 生成 -->\n\n"
        "| 状态码 | 类型 | 含义 | 重试 | 处理办法 |\n|---|---|---|---|---|\n";
  }
  for (const ProblemEntry& entry : problem_catalogue()) {
    text += "| " + std::to_string(entry.status) + " | `" + std::string(entry.name) + "` | ";
    text.append(english ? entry.title : entry.title_zh).append(" | ");
    text.append(retry_words(entry, language)).append(" | ");
    text.append(cell(english ? entry.advice : entry.advice_zh)).append(" |\n");
  }
  return text;
}

bool prefers_html(std::string_view accept) {
  return liking(accept, "text/html") > liking(accept, "application/json");
}

}  // namespace cc::api
