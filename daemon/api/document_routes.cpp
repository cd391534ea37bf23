// /openapi.json, /docs, /problems: what the API says of itself. Open to all; made once.
#include <array>

#include <openssl/evp.h>

#include "byte_range.hpp"
#include "openapi.hpp"
#include "problem_text.hpp"
#include "record_json.hpp"
#include "router.hpp"
#include "text.hpp"

namespace cc::api {
namespace {

/// What never changes while the daemon runs.
struct Page {
  std::string type, body, etag;
  std::string policy{};  // Content-Security-Policy, of pages
};

std::string etag_of(std::string_view body) {
  return "\"" + to_hex(sha256(body).substr(0, 12)) + "\"";
}

Page make_json(std::string body) {
  std::string etag = etag_of(body);
  return {"application/json", std::move(body), std::move(etag)};
}

/// A page may load and run what stands in it, by its hash, and nothing else. The one of the
/// document also asks this server for the document.
Page make_html(std::string body, bool script) {
  Page page{"text/html; charset=utf-8", std::move(body), {}};
  page.etag = etag_of(page.body);
  page.policy = "default-src 'none'; style-src 'sha256-" + base64(sha256(docs_css())) + "'; ";
  if (script) {
    page.policy += "script-src 'sha256-" + base64(sha256(docs_js())) + "'; connect-src 'self'; ";
  }
  page.policy += "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
  return page;
}

std::string with(std::string page, std::string_view mark, std::string_view content) {
  return page.replace(page.find(mark), mark.size(), content);
}

Page make_docs() {
  std::string page(docs_html());
  page = with(std::move(page), "<!--style-->", "<style>" + std::string(docs_css()) + "</style>");
  page = with(std::move(page), "<!--script-->", "<script>" + std::string(docs_js()) + "</script>");
  return make_html(std::move(page), true);
}

/// Whether If-None-Match names it.
bool is_known(const Request& request, const std::string& etag) {
  for (const auto& [name, value] : request.headers) {
    if (name == "if-none-match" && names_tag(value, etag)) return true;
  }
  return false;
}

Response show(const Exchange& exchange, const Page& page) {
  Response response;
  response.headers.emplace_back("ETag", page.etag);
  response.headers.emplace_back("Cache-Control", "no-cache");
  if (!page.policy.empty()) response.headers.emplace_back("Content-Security-Policy", page.policy);
  if (is_known(exchange.request, page.etag)) {
    response.status = 304;
    return response;
  }
  response.content_type = page.type;
  response.body = page.body;
  return response;
}

asio::awaitable<Response> get_openapi(Exchange& exchange) {
  static const Page page = make_json(std::string(openapi_json()));
  co_return show(exchange, page);
}

asio::awaitable<Response> get_docs(Exchange& exchange) {
  static const Page page = make_docs();
  co_return show(exchange, page);
}

asio::awaitable<Response> list_problems(Exchange& exchange) {
  static const Page page = make_json(catalogue_json());
  co_return show(exchange, page);
}

asio::awaitable<Response> get_problem(Exchange& exchange) {
  const ProblemEntry* entry = find_problem(exchange.parameters[0]);
  if (entry == nullptr) {
    Problem problem;
    problem.type = ProblemType::problem_not_found;
    problem.detail = "The catalogue has no problem of this name.";
    co_return exchange.refuse(problem);
  }
  const std::string* accept = exchange.request.header("accept");
  const bool html = accept != nullptr && prefers_html(*accept);
  const Page page =
      html ? make_html(to_html(*entry, docs_css()), false) : make_json(to_json(*entry));
  Response response = show(exchange, page);
  response.headers.emplace_back("Vary", "Accept");
  co_return response;
}

constexpr std::array routes{
    Route{"GET", "/openapi.json", Scope::none, get_openapi},
    Route{"GET", "/docs", Scope::none, get_docs},
    Route{"GET", "/problems", Scope::none, list_problems},
    Route{"GET", "/problems/{name}", Scope::none, get_problem},
};

}  // namespace

std::span<const Route> document_routes() noexcept {
  return routes;
}

}  // namespace cc::api
