// The plans of the statements that really ran, from the server's log (auto_explain).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cc::test {

struct PlanNode {
  std::string type;      // "Index Scan", "Seq Scan", "Sort", …
  std::string relation;  // where it reads; an index of its own where a bitmap is made
  std::string index;
};

struct Plan {
  std::string query;
  std::vector<PlanNode> nodes;

  bool has(std::string_view type) const;
  /// Relations whose name begins so, each once.
  std::vector<std::string> relations(std::string_view prefix) const;
  /// "Limit / Index Scan on call_record_202606 using …", for messages.
  std::string text() const;
};

/// Only nodes that ran are in the plans. Statements on settings that make a database log the plan
/// of everything it runs.
std::string log_plans_sql(const std::string& database);

/// A plan as EXPLAIN (FORMAT JSON) or auto_explain give it.
Plan plan_from_json(const std::string& json);

/// All plans in a server's log.
std::vector<Plan> plans_of(const std::string& log);

}  // namespace cc::test
