// The table dead_letter: what is read of it, and the end of a letter's replay.
#pragma once

#include <optional>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "dispatch/letters.hpp"
#include "io/pg.hpp"

namespace cc {

/// Without `raw`. All throw pg::Failure.
asio::awaitable<std::vector<Letter>> list_letters(pg::Pool& pool, LetterFilter filter);

/// With `raw`. `filter` says whose; its paging is ignored.
asio::awaitable<std::optional<Letter>> read_letter(pg::Pool& pool, std::int64_t id,
                                                   LetterFilter filter = {});

/// The statements that end a replay.
pg::Statement mark_replayed(std::int64_t id, std::int64_t now_ms);
pg::Statement mark_unreadable(std::int64_t id, const std::string& reason);

/// How many letters nobody has replayed. Throws pg::Failure.
asio::awaitable<std::int64_t> count_open_letters(pg::Pool& pool);

}  // namespace cc
