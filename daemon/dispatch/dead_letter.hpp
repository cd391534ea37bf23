// What nobody could read is kept whole, with the reason and how often it came.
#pragma once

#include <vector>

#include "dispatch/batch.hpp"
#include "io/pg.hpp"

namespace cc {

/// The statement that stores them; a repeat only counts.
pg::Statement keep_unreadable(const std::vector<Unreadable>& letters, std::int64_t now_ms);

}  // namespace cc
