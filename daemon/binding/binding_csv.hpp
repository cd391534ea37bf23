// A file of bindings. Pure.
#pragma once

#include <cstddef>
#include <istream>
#include <string>
#include <vector>

#include "binding/bindings.hpp"
#include "csv.hpp"

namespace cc {

struct BindingRow {
  std::size_t line = 0;
  Binding wish;
};

struct BindingFile {
  std::vector<BindingRow> rows;
  std::vector<FileComplaint> complaints;
};

/// Columns in any order: user, lines; and phone, fallback, which may be absent or empty. The rows
/// become the tenant's.
BindingFile read_binding_file(std::istream& in, const std::string& tenant);

}  // namespace cc
