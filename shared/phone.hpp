// Phone numbers: one canonical form is stored, and few may see it whole (api.md, "Who sees which
// number").
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cc {

/// The one stored form of a number: digits only for mainland numbers ("+86", "0086", spaces, "-",
/// "(" and ")" removed, area code kept), "+" and digits for others. Nothing where the text is no
/// phone number: a letter in it, fewer than 3 or more than 15 digits.
std::optional<std::string> canonical_number(std::string_view text);

/// "13812345678" → "138****5678": the last 4 digits stay (2 of a number shorter than 8), the first
/// 3 too where it has at least 11 digits. Never fails, whatever it is given.
std::string mask_number(std::string_view number);

/// Whether these digits look like a mobile number, or one with its area code; both with or without
/// the country's code. Chance makes few ids look so.
bool is_number_shaped(std::string_view digits) noexcept;

/// Masks runs of digits that are number-shaped, and no others: for addresses and the like, which
/// must stay what they are.
std::string mask_number_shapes_in(std::string_view text);

/// Masks each run of 7 or more digits in a text that is to be logged or shown to anyone, and
/// mainland numbers that stand in groups: "138 1234 5678", "010-6655-4433".
std::string mask_numbers_in(std::string_view text);

}  // namespace cc
