// The table binding.
#pragma once

#include <cstdint>
#include <set>
#include <utility>
#include <vector>

#include "binding/bindings.hpp"
#include "io/pg.hpp"

namespace cc {

/// Channel and agent.
using SeatNames = std::set<std::pair<std::string, std::string>>;

/// Which of these lines are agents of the tenant.
pg::Statement find_seats(const std::string& tenant, const std::vector<Binding::Line>& lines);
SeatNames seats_from_rows(const pg::Rows& rows);

enum class BindingChange { created, changed, same };

/// What becomes of `bindings`, all of one tenant and each user once. `plan_bindings` only says what
/// it would come to; `write_bindings` does it, and leaves a binding alone that is as it should be.
pg::Statement plan_bindings(const std::string& tenant, const std::vector<Binding>& bindings);
pg::Statement write_bindings(const std::string& tenant, const std::vector<Binding>& bindings,
                             std::int64_t now_ms);
/// Of either's rows, in the order of `bindings`.
std::vector<BindingChange> changes_from_rows(const pg::Rows& rows,
                                             const std::vector<Binding>& bindings);

pg::Statement find_binding(const std::string& tenant, const std::string& user);
/// The filter's agent is in its stored form.
pg::Statement list_bindings(const std::string& tenant, const BindingFilter& filter);
std::vector<Binding> bindings_from_rows(const pg::Rows& rows);

/// The rows affected tell whether there was one.
pg::Statement remove_binding(const std::string& tenant, const std::string& user);

}  // namespace cc
