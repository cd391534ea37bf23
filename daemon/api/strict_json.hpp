// JSON as applications send it, read strictly: UTF-8, no comments, no key given twice.
#pragma once

#include <string_view>

#include <boost/json/value.hpp>

#include "result.hpp"

namespace cc::api {

/// The error says what is wrong at which byte, and repeats nothing of the text but a doubled key.
Result<boost::json::value> parse_strictly(std::string_view text);

}  // namespace cc::api
