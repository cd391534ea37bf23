// What became of a file, told to its call's record.
#pragma once

#include "parts.hpp"
#include "store/record_store.hpp"

namespace cc {

/// Like settle(), for CC's own events of files: `step` and the event in one transaction. Where
/// nothing but such events is left of the call's history (it is kept for less long than recordings
/// may be) nothing is folded: the record's own words of the file change and no others. False, and
/// nothing is changed: `step` touched no row. Throws pg::Failure.
asio::awaitable<bool> settle_file(Parts parts, std::int64_t call, pg::Statement step,
                                  NewEvent event);

}  // namespace cc
