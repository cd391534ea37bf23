// What commands that import a file have in common: reading it, and telling what came of it.
#pragma once

#include <cstdio>
#include <fstream>
#include <functional>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>

#include "command.hpp"
#include "import.hpp"

namespace cc {

/// Has `read` read the file, or standard input for "-". Where that can't be opened, says so on
/// stderr and returns nothing.
template <class File>
std::optional<File> read_input(std::string_view command, const std::string& path,
                               const std::function<File(std::istream&)>& read) {
  if (path == "-") return read(std::cin);
  std::ifstream in(path, std::ios::binary);
  in.peek();  // a folder can be opened and not read
  if (in.is_open() && !in.bad()) return read(in);
  std::fprintf(stderr, "ccd %s: can't read %s\n", std::string(command).c_str(), path.c_str());
  return std::nullopt;
}

/// A line on the terminal that tells how many of `count` are done; nothing where there is none.
std::function<void(std::size_t)> progress_line(std::size_t count);

/// Tells what came of importing `count` rows of `path`: "agents". Returns the exit code.
int tell_import(const ImportResult& result, const std::string& path, std::string_view what,
                std::size_t count, bool dry);

}  // namespace cc
