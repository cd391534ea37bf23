// What /openapi.json says that can be asked.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <boost/json.hpp>

namespace cc::test {

namespace json = boost::json;

/// `body`: the schema of its JSON body, where it takes one.
struct Operation {
  std::string method, path, id;
  bool with_key = false;
  std::vector<std::string> path_parameters, query_parameters;
  std::optional<json::object> body;
};

/// All of them; of a path those that make something (PUT) last.
std::vector<Operation> operations_of(const json::value& document);

}  // namespace cc::test
