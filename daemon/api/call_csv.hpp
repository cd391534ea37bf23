// Calls as lines of CSV (RFC 4180), for spreadsheets and scripts. Pure.
#pragma once

#include <string>

#include "record_json.hpp"

namespace cc::api {

/// The names of the columns: those of the record's JSON, `recording`'s parts as recordingState, ….
std::string csv_header(Sight sight);

/// One call, as the JSON shows it to the same key. A text that a spreadsheet would take for a
/// formula (it begins with =, +, -, @, a tab or a line's end) gets an apostrophe before it; "+" or
/// "-" and digits alone are harmless and stay.
std::string csv_line(const StoredRecord& record, Sight sight);

}  // namespace cc::api
