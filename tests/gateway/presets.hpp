// The named scripts, and the called number's last four digits that choose them.
#pragma once

#include <optional>
#include <string_view>

#include <boost/json/array.hpp>

#include "script.hpp"

namespace gateway {

std::optional<Script> script_by_name(std::string_view name);
// By the last four digits; nothing if they choose none.
std::optional<Script> script_by_digits(std::string_view number);
boost::json::array list_presets();

}  // namespace gateway
