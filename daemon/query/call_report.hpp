// A call on a terminal: for people, in UTC+8. Pure.
#pragma once

#include <string>

#include "call/calls.hpp"
#include "query/rejections.hpp"

namespace cc {

/// "2026-11-22 14:03:05.120".
std::string local_time(std::int64_t epoch_ms);

/// Who asked for it, which line and why, attempts, events, and the story as its last line. Numbers
/// are masked unless `whole`.
std::string call_report(const StoredRecord& record, const Timeline& timeline,
                        const std::string& story, bool whole);

/// The same call in one line, and a refused request; without the line's end.
std::string call_line(const StoredRecord& record, const std::string& story, bool whole);
std::string refused_line(const Rejection& rejection);

}  // namespace cc
