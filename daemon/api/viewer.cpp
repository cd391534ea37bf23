#include "viewer.hpp"

#include <cstddef>
#include <string>
#include <vector>

#include "phone.hpp"

namespace cc::api {
namespace {

constexpr std::size_t most_digits = 17;  // of a number with "0086" and an area code
constexpr std::size_t least_digits = 7;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_mark(char c) {
  return std::string_view(" -._()/").find(c) != std::string_view::npos;
}

/// U+FF10 … U+FF19 become 0 … 9.
std::string narrowed(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto third = i + 2 < text.size() ? static_cast<unsigned char>(text[i + 2]) : 0;
    if (text.substr(i, 2) == "\xEF\xBC" && third >= 0x90 && third <= 0x99) {
      plain += static_cast<char>('0' + (third - 0x90));
      i += 2;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

/// Digits that only marks stand between, group by group.
struct Groups {
  std::vector<std::string> digits;
  bool international = false;  // "+" before the first

  std::size_t count() const {
    std::size_t sum = 0;
    for (const std::string& group : digits) sum += group.size();
    return sum;
  }
  bool has_number() const {
    if (international && count() >= least_digits) return true;
    for (std::size_t from = 0; from < digits.size(); ++from) {
      std::string joined;
      for (std::size_t to = from; to < digits.size() && joined.size() <= most_digits; ++to) {
        joined += digits[to];
        if (is_number_shaped(joined)) return true;
      }
    }
    return false;
  }
};

std::vector<Groups> groups_of(const std::string& text) {
  std::vector<Groups> list(1);
  bool in_group = false, plus = false;
  for (const char c : text) {
    if (is_digit(c)) {
      if (!in_group) list.back().digits.emplace_back();
      if (plus && list.back().digits.size() == 1) list.back().international = true;
      list.back().digits.back() += c;
      in_group = true;
      plus = false;
    } else if (is_mark(c)) {
      in_group = false;
    } else {
      list.emplace_back();
      in_group = false;
      plus = c == '+';
    }
  }
  return list;
}

}  // namespace

bool may_hold_number(std::string_view name) {
  const std::string text = narrowed(name);
  bool only_digits = true;
  std::size_t count = 0;
  for (const char c : text) {
    only_digits = only_digits && (is_digit(c) || is_mark(c) || c == '+');
    count += is_digit(c) ? 1U : 0U;
  }
  if (only_digits && count >= least_digits && count <= 15) return true;
  for (const Groups& groups : groups_of(text)) {
    if (groups.has_number()) return true;
  }
  return false;
}

}  // namespace cc::api
