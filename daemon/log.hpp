// The daemon's log: structured lines to standard error, for journald. No line holds a whole phone
// number or a secret; who logs text from outside passes it through mask_numbers_in first.
#pragma once

#include <string>

#include <spdlog/spdlog.h>

namespace cc {

spdlog::logger& log();

/// `level`: trace … error; `format`: text or json.
void configure_log(const std::string& level, const std::string& format);

}  // namespace cc
