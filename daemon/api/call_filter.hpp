// Which calls an application asks for: from a query string, or from a JSON body. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <variant>

#include <boost/json/object.hpp>

#include "problem.hpp"
#include "query/call_query.hpp"
#include "target.hpp"

namespace cc::api {

struct CallWish {
  CallFilter filter;
  Cursor cursor;
  std::size_t limit = 50;
};

inline constexpr std::int64_t default_window_ms = std::int64_t{31} * 86'400'000;

/// Without `from` the window begins 31 days before `to`, or before now; but calls that are named by
/// an id of theirs are looked for at any time. The caller asks `query` for its problem, and may
/// take further parameters before. `paged`: limit and cursor are among them.
CallWish read_call_filter(QueryReader& query, const Target& target, const std::string& tenant,
                          std::int64_t now_ms, bool paged = true);

/// The same of a body, and numbers too.
std::variant<CallWish, Problem> read_call_search(const boost::json::object& body,
                                                 const std::string& tenant, std::int64_t now_ms);

/// What was asked for, as JSON without numbers: for the audit trail.
boost::json::object describe(const CallFilter& filter);

}  // namespace cc::api
