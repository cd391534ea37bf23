// The OpenAPI document, the catalogue of problems and what is served of both.
#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

#include "api/openapi.hpp"
#include "api/problem_text.hpp"
#include "noun_rig.hpp"

using namespace cc;
using namespace cc::test;
namespace json = boost::json;

namespace {

json::object openapi() {
  const std::string_view text = api::openapi_json();
  return json::parse(json::string_view(text.data(), text.size())).as_object();
}

/// "GET /v1/calls" → the scope that it needs first, or "none".
using Operations = std::map<std::string, std::string>;

Operations documented() {
  Operations operations;
  const json::object document = openapi();
  for (const auto& path : document.at("paths").as_object()) {
    for (const auto& member : path.value().as_object()) {
      if (member.key() == "parameters") continue;
      std::string method(member.key());
      std::transform(method.begin(), method.end(), method.begin(),
                     [](char c) { return static_cast<char>(c - 'a' + 'A'); });
      const json::array& security = member.value().at("security").as_array();
      const std::string scope =
          security.empty() ? "none"
                           : std::string(security.at(0).at("bearer").as_array().at(0).as_string());
      operations[method + " " + std::string(path.key())] = scope;
    }
  }
  return operations;
}

Operations routed() {
  Operations operations;
  for (const auto& table :
       {api::agent_routes(), api::audit_routes(), api::binding_routes(), api::calls_routes(),
        api::channel_routes(), api::document_routes(), api::file_routes(), api::health_routes(),
        api::letter_routes(), api::query_routes(), api::reconciliation_routes(),
        api::recording_routes(), api::rejection_routes(), api::status_routes()}) {
    for (const api::Route& route : table) {
      operations[std::string(route.method) + " " + std::string(route.pattern)] =
          route.scope == api::Scope::none ? "none" : std::string(api::to_text(route.scope));
    }
  }
  return operations;
}

std::string all(const Operations& operations) {
  std::string text;
  for (const auto& [operation, scope] : operations) text += operation + " " + scope + "\n";
  return text;
}

std::string file(const std::string& name) {
  std::ostringstream text;
  text << std::ifstream(std::string(CC_SOURCE_DIR) + "/" + name).rdbuf();
  return text.str();
}

struct Served : NounRig {
  Served() { build(); }

  api::Response get(const std::string& target, const std::string& name = {},
                    const std::string& value = {}) {
    request = {};
    request.id = "request-1";
    request.method = "GET";
    request.target = target;
    if (!name.empty()) request.headers.emplace_back(name, value);
    api::Answer answer;
    asio::io_context loop;
    const auto whole = [&]() -> asio::awaitable<void> {
      answer = co_await router->answer(request);
    };
    asio::co_spawn(loop, whole(), asio::detached);
    loop.run();
    return answer.response;
  }
};

std::string header(const api::Response& response, std::string_view wanted) {
  for (const auto& [name, value] : response.headers) {
    if (name == wanted) return value;
  }
  return {};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(document_test)

BOOST_AUTO_TEST_CASE(every_route_is_documented_with_its_scope_and_nothing_else_is) {
  BOOST_TEST(all(documented()) == all(routed()));
}

BOOST_AUTO_TEST_CASE(every_problem_has_its_entry_and_is_told_of) {
  std::set<std::string_view> names;
  std::set<api::ProblemType> types;
  unsigned status = 0;
  for (const api::ProblemEntry& entry : api::problem_catalogue()) {
    BOOST_TEST_CONTEXT(entry.name) {
      BOOST_TEST(names.insert(entry.name).second);
      BOOST_TEST(types.insert(entry.type).second);
      BOOST_TEST(entry.status >= status);
      status = entry.status;
      for (const std::string_view text :
           {entry.title, entry.title_zh, entry.advice, entry.advice_zh}) {
        BOOST_TEST(!text.empty());
        BOOST_TEST(text.find('|') == std::string_view::npos);  // they go into tables
      }
      BOOST_TEST((entry.retry_after == 0 || entry.retryable));
      BOOST_TEST(api::find_problem(entry.name) == &entry);
      BOOST_TEST(&api::entry_of(entry.type) == &entry);
    }
  }
  // The enumeration's last one: who adds a type behind it has to change this line too.
  BOOST_TEST(types.size() == static_cast<std::size_t>(api::ProblemType::outcome_unknown) + 1);
}

BOOST_AUTO_TEST_CASE(the_document_names_every_problem_of_the_catalogue_and_no_other) {
  const std::string text(api::openapi_json());
  std::set<std::string> named;
  for (auto at = text.find("\"/problems/"); at != std::string::npos;
       at = text.find("\"/problems/", at + 1)) {
    const auto begin = at + std::string("\"/problems/").size();
    const std::string name = text.substr(begin, text.find('"', begin) - begin);
    if (name != "{name}") named.insert(name);
  }
  std::set<std::string> known;
  for (const api::ProblemEntry& entry : api::problem_catalogue()) known.emplace(entry.name);
  BOOST_TEST(named == known, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_error_pages_of_docs_are_those_of_the_catalogue) {
  const char* const remedy = "write them again: ninja -C build/debug errors_md";
  BOOST_TEST((file("docs/errors.md") == api::catalogue_markdown(api::Language::english)), remedy);
  BOOST_TEST((file("docs/errors.zh-CN.md") == api::catalogue_markdown(api::Language::chinese)),
             remedy);
}

BOOST_AUTO_TEST_CASE(the_document_is_served_and_asked_for_again) {
  Served api;
  const api::Response whole = api.get("/openapi.json");
  BOOST_TEST(whole.status == 200U);
  BOOST_TEST(whole.content_type == "application/json");
  BOOST_TEST(whole.body == std::string(api::openapi_json()));
  const std::string etag = header(whole, "ETag");
  BOOST_TEST(etag.size() == 26U);
  BOOST_TEST(header(whole, "Cache-Control") == "no-cache");
  for (const std::string& known : {etag, "W/" + etag, "\"other\", " + etag, std::string("*")}) {
    const api::Response same = api.get("/openapi.json", "if-none-match", known);
    BOOST_TEST(same.status == 304U, known);
    BOOST_TEST(same.body.empty());
    BOOST_TEST(header(same, "ETag") == etag);
  }
  BOOST_TEST(api.get("/openapi.json", "if-none-match", "\"other\"").status == 200U);
}

BOOST_AUTO_TEST_CASE(the_page_holds_all_that_it_needs_and_may_load_nothing_else) {
  Served api;
  const api::Response page = api.get("/docs");
  BOOST_TEST(page.status == 200U);
  BOOST_TEST(page.content_type == "text/html; charset=utf-8");
  for (const char* part : {"src=", "<link", "@import", "url(\"", "url(#", "<!--s"}) {
    BOOST_TEST(!holds(page.body, part), part);
  }
  const std::string policy = header(page, "Content-Security-Policy");
  BOOST_TEST(policy.starts_with("default-src 'none'; style-src 'sha256-"));
  BOOST_TEST(!holds(policy, "unsafe"));
  BOOST_TEST(!holds(policy, "http"));
}

BOOST_AUTO_TEST_CASE(a_problem_type_leads_to_its_page) {
  Served api;
  const json::array list = document(api.get("/problems")).at("items").as_array();
  BOOST_TEST(list.size() == api::problem_catalogue().size());
  for (const json::value& item : list) {
    const std::string path(item.at("type").as_string());
    const api::Response one = api.get(path, "accept", "*/*");
    BOOST_TEST(one.content_type == "application/json");
    BOOST_TEST(json::parse(one.body) == item, path);
    const api::Response page = api.get(path, "accept", "text/html,*/*;q=0.8");
    BOOST_TEST(page.content_type == "text/html; charset=utf-8");
    BOOST_TEST(holds(page.body, std::string(item.at("titleZh").as_string())), path);
    BOOST_TEST(header(page, "Vary") == "Accept");
    BOOST_TEST(header(page, "ETag") != header(one, "ETag"));
  }
  const api::Response none = api.get("/problems/made-up");
  BOOST_TEST(none.status == 404U);
  BOOST_TEST(problem(none) == "problem-not-found");
}

BOOST_AUTO_TEST_CASE(html_is_for_those_who_like_it_better) {
  for (const char* accept : {"text/html", "text/*", "text/html;q=0.9, application/json;q=0.8",
                             "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}) {
    BOOST_TEST(api::prefers_html(accept), accept);
  }
  for (const char* accept :
       {"", "*/*", "application/json", "text/html;q=0", "text/html, application/json",
        ";;,,q=", "text/html;q=0.5, */*", "application/problem+json"}) {
    BOOST_TEST(!api::prefers_html(accept), accept);
  }
}

BOOST_AUTO_TEST_SUITE_END()
