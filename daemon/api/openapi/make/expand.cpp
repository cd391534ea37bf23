#include "expand.hpp"

#include <map>
#include <set>
#include <string>

#include "document.hpp"
#include "problem_catalogue.hpp"

namespace cc::openapi {
namespace {

namespace json = boost::json;
using api::ProblemEntry;

json::object reference(const std::string& target) {
  json::object object;
  object["$ref"] = target;
  return object;
}

json::object header_reference(const std::string& name) {
  return reference("#/components/headers/" + name);
}

/// As the catalogue has them: by status, each once.
using Names = std::map<unsigned, std::vector<const ProblemEntry*>>;

void add_names(std::set<std::string>& names, const json::object& from, std::string_view key) {
  const json::value* list = from.if_contains(key);
  if (list == nullptr) return;
  for (const json::value& name : list->as_array()) {
    const std::string text(name.as_string());
    if (api::find_problem(text) == nullptr) throw Wrong("no problem is named \"" + text + "\"");
    if (!names.insert(text).second) throw Wrong("\"" + text + "\" is named twice");
  }
}

Names by_status(const std::set<std::string>& names) {
  Names result;
  for (const ProblemEntry& entry : api::problem_catalogue()) {
    if (names.contains(std::string(entry.name))) result[entry.status].push_back(&entry);
  }
  return result;
}

std::string describe(const std::vector<const ProblemEntry*>& entries) {
  std::string text;
  for (const ProblemEntry* entry : entries) {
    if (!text.empty()) text += "\n";
    text.append("- `").append(entry->name).append("`: ").append(entry->title).append(". ");
    text.append(entry->advice);
  }
  return text;
}

json::object example_of(const ProblemEntry& entry) {
  json::object problem;
  problem["type"] = "/problems/" + std::string(entry.name);
  problem["title"] = entry.title;
  problem["titleZh"] = entry.title_zh;
  problem["status"] = entry.status;
  problem["detail"] = std::string(entry.title) + ".";
  problem["instance"] = "5f0c2b7e9a41d3c86e17a2f4";
  problem["retryable"] = entry.retryable;
  if (entry.status == 400) {
    json::object param;
    param["name"] = entry.type == api::ProblemType::malformed_request ? "body" : "agent";
    param["reason"] = "says what is wrong with it";
    problem["invalidParams"] = json::array{param};
  }
  json::object example;
  example["summary"] = entry.title;
  example["value"] = std::move(problem);
  return example;
}

json::object response_of(unsigned status, const std::vector<const ProblemEntry*>& entries) {
  json::array types;
  json::object examples;
  bool retry_after = false;
  for (const ProblemEntry* entry : entries) {
    const std::string name(entry->name);
    types.push_back(json::string("/problems/" + name));
    examples[name] = reference("#/components/examples/" + name);
    retry_after = retry_after || entry->retry_after != 0;
  }
  json::object narrowed;
  narrowed["type"].emplace_object()["enum"] = std::move(types);
  narrowed["status"].emplace_object()["const"] = status;
  json::object schema;
  json::object second;
  second["properties"] = std::move(narrowed);
  schema["allOf"] = json::array{reference("#/components/schemas/Problem"), std::move(second)};
  json::object content;
  content["schema"] = std::move(schema);
  content["examples"] = std::move(examples);
  json::object response;
  response["description"] = describe(entries);
  json::object& headers = response["headers"].emplace_object();
  headers["Request-Id"] = header_reference("RequestId");
  headers["Cache-Control"] = header_reference("CacheControl");
  if (retry_after) headers["Retry-After"] = header_reference("RetryAfter");
  if (status == 401) headers["WWW-Authenticate"] = header_reference("WwwAuthenticate");
  response["content"].emplace_object()["application/problem+json"] = std::move(content);
  return response;
}

bool has_key(const json::object& operation) {
  const json::value* security = operation.if_contains("security");
  return security != nullptr && !security->as_array().empty();
}

/// `x-problem-headers`: by status, what is in these answers besides.
const json::object* more_headers(const json::object& operation, const std::string& code) {
  const json::value* all = operation.if_contains("x-problem-headers");
  if (all == nullptr) return nullptr;
  const json::value* headers = all->as_object().if_contains(code);
  return headers == nullptr ? nullptr : &headers->as_object();
}

class Expansion {
 public:
  explicit Expansion(json::object& document) : document_(document) {}

  void run() {
    for (auto& path : document_["paths"].as_object()) {
      for (auto& member : path.value().as_object()) {
        if (member.key() == "parameters") continue;
        try {
          expand(member.value().as_object());
        } catch (const Wrong& wrong) {
          throw Wrong(std::string(member.key()) + " " + std::string(path.key()) + ": " +
                      wrong.what());
        }
      }
    }
    // Requests that no operation fits.
    std::set<std::string> names{"not-found", "method-not-allowed"};
    add_names(names, document_, "x-problems-always");
    json::object& others = document_["x-unmatched"].emplace_object();
    for (const auto& [status, entries] : by_status(names)) {
      others[std::to_string(status)] = unmatched(status, entries);
    }
    document_.erase("x-problems-always");
    document_.erase("x-problems-with-key");
  }

 private:
  void expand(json::object& operation) {
    std::set<std::string> names;
    add_names(names, operation, "x-problems");
    add_names(names, document_, "x-problems-always");
    if (has_key(operation)) add_names(names, document_, "x-problems-with-key");
    json::object& responses = operation["responses"].as_object();
    for (auto& response : responses) decorate(response.value().as_object(), has_key(operation));
    for (const auto& [status, entries] : by_status(names)) {
      const std::string code = std::to_string(status);
      if (responses.contains(code)) throw Wrong(code + " is described twice");
      const json::object* headers = more_headers(operation, code);
      responses[code] = headers == nullptr ? share(status, entries) : own(status, entries);
      if (headers == nullptr) continue;
      for (const auto& [header, what] : *headers) {
        responses[code].at("headers").as_object()[header] = what;
      }
    }
    operation.erase("x-problem-headers");
  }

  /// Headers that are in every answer.
  static void decorate(json::object& response, bool keyed) {
    if (response.contains("$ref")) return;
    json::value& headers = response["headers"];
    if (!headers.is_object()) headers.emplace_object();
    headers.get_object()["Request-Id"] = header_reference("RequestId");
    if (keyed) headers.get_object()["Cache-Control"] = header_reference("CacheControl");
  }

  json::object share(unsigned status, const std::vector<const ProblemEntry*>& entries) {
    std::string name = "Problem" + std::to_string(status);
    for (const ProblemEntry* entry : entries) name.append(".").append(entry->name);
    json::object response = own(status, entries);
    json::value& responses = components()["responses"];  // own() may have moved it
    if (!responses.is_object()) responses.emplace_object();
    responses.get_object()[name] = std::move(response);
    return reference("#/components/responses/" + name);
  }

  json::object own(unsigned status, const std::vector<const ProblemEntry*>& entries) {
    json::value& examples = components()["examples"];
    if (!examples.is_object()) examples.emplace_object();
    for (const ProblemEntry* entry : entries) {
      examples.get_object()[entry->name] = example_of(*entry);
    }
    return response_of(status, entries);
  }

  /// What a request is answered that no operation fits. It stands outside of `paths`, where nobody
  /// looks for references, so it has none but to the schema.
  static json::object unmatched(unsigned status, const std::vector<const ProblemEntry*>& entries) {
    json::object response = response_of(status, entries);
    response["content"].at("application/problem+json").as_object().erase("examples");
    if (status != 405) return response;
    json::object allow;
    allow["required"] = true;
    allow["description"] = "The methods that this path knows.";
    allow["schema"].emplace_object()["type"] = "string";
    response["headers"].as_object()["Allow"] = std::move(allow);
    return response;
  }

  json::object& components() { return document_["components"].as_object(); }

  json::object& document_;
};

}  // namespace

void expand(json::object& document) {
  Expansion(document).run();
}

}  // namespace cc::openapi
