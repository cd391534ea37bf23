// call_record's columns, once: what is read into a record and what the fold writes back.
#pragma once

#include <span>
#include <string>

#include "call/calls.hpp"
#include "io/pg.hpp"

namespace cc {

/// One column that the fold writes.
struct FoldedColumn {
  const char* name;
  const char* type;  // of an array element, for unnest()
  std::optional<std::string> (*get)(const Folded&);
  void (*set)(Folded&, std::optional<std::string>);
};
std::span<const FoldedColumn> folded_columns();

/// "id, tenant, …": every column of StoredRecord, for SELECT.
const std::string& record_columns();

/// A row of SELECT record_columns().
StoredRecord record_from_row(const pg::Rows& rows, std::size_t row);

}  // namespace cc
