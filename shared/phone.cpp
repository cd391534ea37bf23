#include "phone.hpp"

#include <algorithm>
#include <utility>

#include "text.hpp"

namespace cc {

namespace {

constexpr std::size_t least_digits = 3;
constexpr std::size_t most_digits = 15;  // E.164
constexpr std::size_t maskable_run = 7;

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

/// A landline written with the country code has lost its area code's 0 ("+86 10 6552 1234"),
/// without which nobody in the mainland can dial it. Mobiles, 400/800 and short numbers have none
/// to lose.
bool lost_its_zero(std::string_view national) noexcept {
  if (national.size() < 10 || national.size() > 11 || national[0] == '0') return false;
  if (national[0] == '1') return national.size() == 10 && national[1] == '0';
  return !national.starts_with("400") && !national.starts_with("800") &&
         !national.starts_with("95") && !national.starts_with("96");
}

std::string mainland(std::string national) {
  if (lost_its_zero(national)) national.insert(national.begin(), '0');
  return national;
}

/// Whether digits that stood in groups are one number: a mobile one, or one with its area code.
bool is_one_number(std::string_view digits) noexcept {
  for (const std::string_view country : {"0086", "86"}) {
    if (digits.size() >= 10 + country.size() && digits.starts_with(country)) {
      digits.remove_prefix(country.size());
      return digits.size() <= 12;
    }
  }
  if (digits.size() == 11 && digits[0] == '1') return digits[1] >= '3';
  return digits.size() >= 10 && digits.size() <= 12 && digits[0] == '0' && digits[1] != '0';
}

/// "138 1234 5678" or "010-6655-4433" at the beginning of `text`: its length and digits. Length 0 =
/// there is none.
std::pair<std::size_t, std::string> grouped_number(std::string_view text) {
  constexpr std::size_t most_groups = 6;
  std::pair<std::size_t, std::string> longest{0, {}};
  std::string digits;
  std::size_t at = 0;
  for (std::size_t group = 0; group < most_groups; ++group) {
    const std::size_t begin = at;
    while (at < text.size() && is_digit(text[at])) digits += text[at++];
    if (at == begin || digits.size() > most_digits) break;
    if (group > 0 && is_one_number(digits)) longest = {at, digits};
    if (at == text.size() || (text[at] != ' ' && text[at] != '-')) break;
    ++at;
  }
  return longest;
}

}  // namespace

std::optional<std::string> canonical_number(std::string_view text) {
  std::string digits;
  bool plus = false;
  for (const char c : trim(text)) {
    if (is_digit(c)) {
      digits += c;
      if (digits.size() > most_digits + 2) return std::nullopt;  // 2: a leading "00"
    } else if (c == '+' && !plus && digits.empty()) {
      plus = true;
    } else if (c != ' ' && c != '-' && c != '(' && c != ')') {
      return std::nullopt;
    }
  }
  if (!plus && digits.starts_with("00")) {
    plus = true;
    digits.erase(0, 2);
  }
  std::string number = digits;
  if (plus && digits.starts_with("86")) {
    number = mainland(digits.substr(2));
    plus = false;
  }
  if (number.size() < least_digits || number.size() > most_digits) return std::nullopt;
  // No country's code starts with 0, and no mainland number with two of them.
  if (number.starts_with(plus ? "0" : "00")) return std::nullopt;
  if (plus) number.insert(number.begin(), '+');
  return number;
}

std::string mask_number(std::string_view number) {
  const bool plus = number.starts_with('+');
  if (plus) number.remove_prefix(1);
  const std::size_t tail = std::min<std::size_t>(number.size(), number.size() < 8 ? 2 : 4);
  const std::size_t head = number.size() >= 11 ? 3 : 0;
  std::string out = plus ? "+" : "";
  out += number.substr(0, head);
  out.append(number.size() - head - tail, '*');
  out += number.substr(number.size() - tail);
  // What is no number may be anything; a character cut in its middle must still be readable text.
  return std::all_of(number.begin(), number.end(), is_digit) ? out : repair_utf8(out);
}

bool is_number_shaped(std::string_view digits) noexcept {
  if (!std::all_of(digits.begin(), digits.end(), is_digit)) return false;
  switch (digits.size()) {
    case 13:
      return digits.starts_with("861");
    case 15:
      return digits.starts_with("00861");
    case 11:
      if (digits[0] == '1') return digits[1] >= '3';
      [[fallthrough]];
    case 10:
    case 12:
      return digits[0] == '0' && digits[1] != '0';
    default:
      return false;
  }
}

std::string mask_number_shapes_in(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto end = std::find_if_not(text.begin(), text.end(), is_digit);
    const std::string_view run = text.substr(0, static_cast<std::size_t>(end - text.begin()));
    out += is_number_shaped(run) ? mask_number(run) : std::string(run);
    text.remove_prefix(run.size());
    if (text.empty()) break;
    out += text.front();
    text.remove_prefix(1);
  }
  return out;
}

std::string mask_numbers_in(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    if (!is_digit(text[i])) {
      out += text[i++];
      continue;
    }
    std::size_t end = i;
    while (end < text.size() && is_digit(text[end])) ++end;
    const std::string_view run = text.substr(i, end - i);
    if (run.size() >= maskable_run) {
      out += mask_number(run);
    } else if (const auto [length, digits] = grouped_number(text.substr(i)); length > 0) {
      out += mask_number(digits);
      end = i + length;
    } else {
      out += run;
    }
    i = end;
  }
  return out;
}

}  // namespace cc
