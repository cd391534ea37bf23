// Numbers that are given to CC in calls, callbacks and mistakes, and the search for any that comes
// out whole where it must not. Pure, but for reading files.
#pragma once

#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace cc::test {

class Planted {
 public:
  /// A mobile number that nobody was given before, ending in the four `digits`.
  std::string mobile(const std::string& digits = "8001");
  /// A landline, with its area code.
  std::string landline(const std::string& digits = "8001");
  /// The same number as people write it: by turns as it is, with +86 or 0086, in groups.
  std::string written(const std::string& number);

  /// Numbers that are whole in a text: each once, in its plain form. Spaces, dashes and their
  /// percent escapes between digits hide none, nor do digits before or behind.
  std::vector<std::string> found_in(std::string_view text) const;

  std::size_t size() const { return numbers_.size(); }

 private:
  std::string make(const std::string& begin, const std::string& digits);

  std::unordered_set<std::string> numbers_;  // 11 digits each
  int next_ = 1000, form_ = 0;
};

/// All files below a directory, by their paths.
std::vector<std::string> files_below(const std::string& directory);

/// The arguments of all processes, a line each.
std::string process_arguments();

}  // namespace cc::test
