// An attempt about to be made: its line and handset are taken, then it is written, all in the
// transaction that decides to make it (rules.md, "Claims").
#pragma once

#include <string>
#include <vector>

#include "call/choose.hpp"
#include "io/pg.hpp"

namespace cc {

struct Booking {
  std::int64_t call = 0;
  int attempt = 1;
  std::string tenant;
  Line line;
  std::string called;
  std::string wish;  // wish.hpp
  std::string request_id;
  std::int64_t now_ms = 0;
  std::int64_t send_by_ms = 0;
};

/// Tries to take what the booking needs: the trial call, the handset, the line. What is free is
/// taken even where the rest is not: roll back to a savepoint then.
std::vector<pg::Statement> take_line(const Booking& booking);

/// Whether all of it was taken; `rows` begin with take_line()'s answers.
bool line_taken(const Booking& booking, const std::vector<pg::Rows>& rows, std::size_t from);

/// Writes the attempt, planned, and that its line was used.
std::vector<pg::Statement> write_attempt(const Booking& booking);

/// Who holds the line or the handset.
pg::Statement find_holder(const Line& line);

}  // namespace cc
