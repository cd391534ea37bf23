#include "planted.hpp"

#include <algorithm>
#include <filesystem>

#include "process.hpp"

namespace cc::test {
namespace {

constexpr std::size_t digits_of_a_number = 11;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// How many bytes of `text` people put between the digits of one number; 0 = it is no such place.
std::size_t gap(std::string_view text) {
  if (text.starts_with("%20") || text.starts_with("%2D") || text.starts_with("%2d")) return 3;
  return text.starts_with(' ') || text.starts_with('-') || text.starts_with('+') ? 1 : 0;
}

/// Adds what is in a run of digits.
void look(std::string_view run, const std::unordered_set<std::string>& numbers,
          std::vector<std::string>& found) {
  for (std::size_t at = 0; at + digits_of_a_number <= run.size(); ++at) {
    const std::string number(run.substr(at, digits_of_a_number));
    if (!numbers.contains(number)) continue;
    if (std::find(found.begin(), found.end(), number) == found.end()) found.push_back(number);
  }
}

}  // namespace

std::string Planted::make(const std::string& begin, const std::string& digits) {
  std::string middle = std::to_string(next_++);
  const std::size_t width = digits_of_a_number - begin.size() - digits.size();
  middle.insert(0, width - std::min(width, middle.size()), '0');
  const std::string number = begin + middle + digits;
  numbers_.insert(number);
  return number;
}

std::string Planted::mobile(const std::string& digits) {
  return make("157", digits);
}

std::string Planted::landline(const std::string& digits) {
  return make("010", digits);
}

std::string Planted::written(const std::string& number) {
  switch (form_++ % 5) {
    case 0:
      return "+86" + number;
    case 1:
      return "0086 " + number;
    case 2:
      return number.substr(0, 3) + " " + number.substr(3, 4) + " " + number.substr(7);
    case 3:
      return "+86 " + number.substr(0, 3) + "-" + number.substr(3, 4) + "-" + number.substr(7);
    default:
      return number;
  }
}

std::vector<std::string> Planted::found_in(std::string_view text) const {
  std::vector<std::string> found;
  std::string run;     // digits, whatever little stands between them
  std::string strict;  // digits side by side
  const auto end_of = [&](std::string& digits) {
    look(digits, numbers_, found);
    digits.clear();
  };
  while (!text.empty()) {
    std::size_t size = 1;
    if (is_digit(text.front())) {
      run += text.front();
      strict += text.front();
    } else {
      end_of(strict);
      const std::size_t between = run.empty() ? 0 : gap(text);
      if (between == 0) {
        end_of(run);
      } else {
        size = between;
      }
    }
    text.remove_prefix(size);
  }
  end_of(strict);
  end_of(run);
  return found;
}

std::vector<std::string> files_below(const std::string& directory) {
  namespace fs = std::filesystem;
  std::vector<std::string> paths;
  std::error_code ignored;
  for (fs::recursive_directory_iterator file(
           directory, fs::directory_options::skip_permission_denied, ignored);
       file != fs::recursive_directory_iterator(); file.increment(ignored)) {
    paths.push_back(file->path().string());
  }
  return paths;
}

std::string process_arguments() {
  std::string lines;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
    const std::string name = entry.path().filename().string();
    if (!std::all_of(name.begin(), name.end(), is_digit)) continue;
    std::string line = read_file(entry.path().string() + "/cmdline");
    std::replace(line.begin(), line.end(), '\0', ' ');
    lines += line + "\n";
  }
  return lines;
}

}  // namespace cc::test
