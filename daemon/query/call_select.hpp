// The statements that look for calls. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "io/pg.hpp"
#include "query/call_query.hpp"

namespace cc {

/// A statement that owns its text.
struct Select {
  std::string sql;
  pg::Params params;
  pg::Statement statement() const { return {sql, params}; }
};

/// The ids of [from, below) are looked at.
struct IdWindow {
  std::int64_t from = 0, below = INT64_MAX;
  bool empty() const noexcept { return from >= below; }
};

/// The id that begins a moment. Calls are made with an id of their `created`, the ones that others
/// began and recovered ones too, so bounds on one are bounds on the other.
std::int64_t id_bound(std::int64_t epoch_ms) noexcept;

/// Which filter leads: it decides by which index calls are read. The others are checked row by row.
/// There is one text a lead, whatever else is set: each connection keeps a plan of each.
enum class Lead : std::uint8_t {
  ids,
  called,
  biz_id,
  caller,
  user,
  agent,
  open,
  biz_type,
  tenant,
  everyone
};

Lead lead_of(const CallFilter& filter) noexcept;

/// Whether the lead alone leaves rows that another filter may refuse.
bool checks_rows(const CallFilter& filter, Lead lead) noexcept;

/// The newest `scan` calls of the lead in the window, and of these the first `limit` that pass
/// the other filters. Rows of record_columns().
Select select_calls(const CallFilter& filter, Lead lead, IdWindow window, std::size_t scan,
                    std::size_t limit);

/// The same where checks_rows(): each row says by its `nth` how many were read up to it, and by
/// `passes` whether it is wanted. The `scan`th comes in any case: whoever looks on begins below it.
Select select_checked(const CallFilter& filter, Lead lead, IdWindow window, std::size_t scan,
                      std::size_t limit);

}  // namespace cc
