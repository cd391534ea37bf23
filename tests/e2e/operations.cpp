#include "operations.hpp"

#include "client.hpp"

namespace cc::test {
namespace {

constexpr const char* methods[] = {"get", "post", "delete", "patch", "put"};

const json::value& resolved(const json::value& document, const json::value& value) {
  if (!value.is_object() || !value.get_object().contains("$ref")) return value;
  const std::string reference = text_at(value, "$ref");
  return resolved(document, document.at_pointer(reference.substr(1)));
}

void add_parameters(const json::value& document, const json::value& owner, Operation& operation) {
  const json::value* list = owner.get_object().if_contains("parameters");
  if (list == nullptr) return;
  for (const json::value& item : list->as_array()) {
    const json::value& parameter = resolved(document, item);
    const std::string name = text_at(parameter, "name"), in = text_at(parameter, "in");
    if (in == "path") operation.path_parameters.push_back(name);
    if (in == "query") operation.query_parameters.push_back(name);
  }
}

}  // namespace

std::vector<Operation> operations_of(const json::value& document) {
  std::vector<Operation> list;
  for (const auto& [path, item] : document.at("paths").as_object()) {
    for (const char* method : methods) {
      const json::value* found = item.as_object().if_contains(method);
      if (found == nullptr) continue;
      Operation operation;
      operation.method = method;
      operation.path = path;
      operation.id = text_at(*found, "operationId");
      const json::value* security = found->as_object().if_contains("security");
      operation.with_key = security != nullptr && !security->as_array().empty();
      add_parameters(document, item, operation);
      add_parameters(document, *found, operation);
      if (const json::value* body = found->as_object().if_contains("requestBody")) {
        const json::value& content = resolved(document, *body).at("content");
        operation.body =
            resolved(document, content.at("application/json").at("schema")).as_object();
      }
      list.push_back(std::move(operation));
    }
  }
  return list;
}

}  // namespace cc::test
