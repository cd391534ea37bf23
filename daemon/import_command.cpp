#include "import_command.hpp"

#include <algorithm>
#include <unistd.h>

#include "phone.hpp"
#include "text.hpp"

namespace cc {
namespace {

constexpr std::size_t shown_complaints = 50;

void tell(const std::string& path, const std::vector<FileComplaint>& complaints) {
  for (std::size_t i = 0; i < std::min(complaints.size(), shown_complaints); ++i) {
    const FileComplaint& one = complaints[i];
    const std::string column = one.column.empty() ? "" : one.column + ": ";
    std::fprintf(stderr, "%s:%zu: %s%s\n", path.c_str(), one.line, column.c_str(),
                 mask_numbers_in(repair_utf8(one.text)).c_str());
  }
  if (complaints.size() > shown_complaints) {
    std::fprintf(stderr, "and %zu more\n", complaints.size() - shown_complaints);
  }
}

}  // namespace

std::function<void(std::size_t)> progress_line(std::size_t count) {
  if (::isatty(STDERR_FILENO) != 1) return {};
  return [count](std::size_t done) {
    std::fprintf(stderr, "\r%zu of %zu%s", done, count, done == count ? "\n" : "");
  };
}

int tell_import(const ImportResult& result, const std::string& path, std::string_view what,
                std::size_t count, bool dry) {
  const std::string things(what);
  if (!result.complaints.empty()) {
    tell(path, result.complaints);
    if (result.done() == 0) {
      std::fputs("nothing was imported\n", stderr);
    } else {
      std::fprintf(stderr, "stopped after %zu of %zu %s; import the file again\n", result.done(),
                   count, things.c_str());
    }
    return exit_wrong;
  }
  std::printf("%s %zu %s: %zu new, %zu changed, %zu as they were\n",
              dry ? "would import" : "imported", result.done(), things.c_str(), result.created,
              result.changed, result.same);
  return exit_right;
}

}  // namespace cc
