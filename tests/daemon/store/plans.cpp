#include "plans.hpp"

#include <algorithm>
#include <sstream>

#include <boost/json.hpp>

namespace cc::test {
namespace {

namespace json = boost::json;

std::string text_of(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : "";
}

void collect(const json::object& node, Plan& plan) {
  // A partition that was planned for and pruned when it ran was not touched.
  const json::value* loops = node.if_contains("Actual Loops");
  if (loops != nullptr && loops->to_number<double>() == 0) return;
  plan.nodes.push_back(
      {text_of(node, "Node Type"), text_of(node, "Relation Name"), text_of(node, "Index Name")});
  if (const json::value* children = node.if_contains("Plans")) {
    for (const json::value& child : children->as_array()) collect(child.as_object(), plan);
  }
}

}  // namespace

bool Plan::has(std::string_view type) const {
  return std::any_of(nodes.begin(), nodes.end(),
                     [&](const PlanNode& node) { return node.type == type; });
}

std::vector<std::string> Plan::relations(std::string_view prefix) const {
  std::vector<std::string> found;
  for (const PlanNode& node : nodes) {
    if (!node.relation.starts_with(prefix)) continue;
    if (std::find(found.begin(), found.end(), node.relation) == found.end()) {
      found.push_back(node.relation);
    }
  }
  return found;
}

std::string Plan::text() const {
  std::string result;
  for (const PlanNode& node : nodes) {
    result += (result.empty() ? "" : " / ") + node.type;
    if (!node.relation.empty()) result += " on " + node.relation;
    if (!node.index.empty()) result += " using " + node.index;
  }
  return query.substr(0, 200) + "\n  " + result;
}

std::string log_plans_sql(const std::string& database) {
  const std::string alter = "ALTER DATABASE " + database + " SET ";
  return alter + "session_preload_libraries = 'auto_explain';" + alter +
         "auto_explain.log_min_duration = 0;" + alter + "auto_explain.log_format = 'json';" +
         alter + "auto_explain.log_analyze = on;" + alter + "auto_explain.log_timing = off;" +
         alter + "auto_explain.log_nested_statements = on;";
}

Plan plan_from_json(const std::string& text) {
  json::value document = json::parse(text);
  if (document.is_array()) document = document.as_array().at(0);
  Plan plan;
  plan.query = text_of(document.as_object(), "Query Text");
  collect(document.at("Plan").as_object(), plan);
  return plan;
}

std::vector<Plan> plans_of(const std::string& log) {
  std::vector<Plan> plans;
  std::istringstream lines(log);
  std::string document;
  bool inside = false;
  for (std::string line; std::getline(lines, line);) {
    if (inside && line.starts_with('\t')) {
      document += line.substr(1) + "\n";
      continue;
    }
    if (inside) plans.push_back(plan_from_json(document));
    document.clear();
    inside = line.ends_with(" plan:");
  }
  if (inside && !document.empty()) plans.push_back(plan_from_json(document));
  return plans;
}

}  // namespace cc::test
