// Named scripts, and the table from a called number's last four digits to them.
#pragma once

#include <optional>
#include <string_view>

#include <boost/json/array.hpp>

#include "script.hpp"

namespace jiuyun {

std::optional<Script> find_preset(std::string_view name);
// By the last four digits; nothing if the table doesn't name them.
std::optional<Script> script_by_digits(std::string_view number);
// Whether 900xxx is a statusCode that the vendor documents.
bool is_documented_code(std::string_view code);
// [{name, digits, description, script}], refusals included.
boost::json::array list_presets();

}  // namespace jiuyun
