// A request's body where it must be a JSON object.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include <boost/json/object.hpp>

#include "problem.hpp"

namespace cc::api {

/// The object, or the problem to answer. What stands in the body is not repeated.
std::variant<boost::json::object, Problem> read_object(const Request& request);

/// A member's name that strangers chose, fit for an answer.
std::string shown_name(std::string_view name);

}  // namespace cc::api
