// Files that operators hand to ccd: CSV (RFC 4180) with a header line that names the columns. Pure.
#pragma once

#include <cstddef>
#include <istream>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cc {

inline constexpr std::size_t longest_csv_line = 4096;  // bytes
inline constexpr std::size_t most_csv_lines = 100'000;

/// What is wrong with a line and what to do about it. No secret, no whole number.
struct FileComplaint {
  std::size_t line = 0;  // of the file, from 1
  std::string column;    // empty = the line as a whole
  std::string text;
};

struct CsvColumn {
  std::string_view name;
  bool needed = false;    // in the header, and never empty
  bool verbatim = false;  // blanks at its ends belong to it
};

struct CsvRow {
  std::size_t line = 0;
  std::vector<std::string> values;  // in the order of the columns asked for; absent ones are empty
  bool whole = false;               // nothing needed is empty
};

/// Reads a file row by row. Its columns may stand in any order; a byte order mark, CRLF and empty
/// lines are taken. What can't be read is complained of and passed over.
class CsvReader {
 public:
  /// `columns` must outlive it. `what` its rows are, for complaints: "agents".
  CsvReader(std::istream& in, std::span<const CsvColumn> columns, std::string_view what);

  /// Nothing at the end.
  std::optional<CsvRow> next();

  /// Of the row read last.
  void complain(std::string_view column, std::string text);
  std::vector<FileComplaint> complaints() && { return std::move(complaints_); }

 private:
  bool next_line();
  std::optional<std::vector<std::string>> fields_of(std::string_view line);
  bool read_header();
  std::optional<CsvRow> read_row();
  std::string all_columns() const;

  std::istream& in_;
  std::span<const CsvColumn> columns_;
  std::string what_;
  std::string line_;
  std::size_t number_ = 0;  // of the line
  std::size_t rows_ = 0;
  bool too_long_ = false;
  bool ended_ = false;
  std::vector<std::size_t> places_;  // of the file's columns among `columns_`
  std::vector<FileComplaint> complaints_;
};

}  // namespace cc
