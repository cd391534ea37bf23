#include "rejects.hpp"

#include <algorithm>
#include <exception>
#include <string>

#include "command.hpp"
#include "phone.hpp"
#include "text.hpp"
#include "wall_clock.hpp"

namespace cc {
namespace {

constexpr unsigned most_in_a_second = 100;
constexpr std::size_t body_kept = 512;
constexpr std::size_t word_kept = 64;

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

/// "138-1234 5678": people write numbers so. Digits with spaces, '-', '.', '(' and ')' between
/// them, seven or more in all; only the last two stay.
void mask_spaced_numbers(std::string& text) {
  constexpr std::string_view between = " -.()";
  constexpr std::size_t least_digits = 7, shown_digits = 2;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (!is_digit(text[at])) continue;
    std::size_t end = at, digits = 0;
    for (; end < text.size() && (is_digit(text[end]) || between.find(text[end]) != between.npos);
         ++end) {
      digits += is_digit(text[end]);
    }
    if (digits >= least_digits) {
      for (std::size_t i = at, left = digits - shown_digits; left > 0; ++i) {
        if (is_digit(text[i])) text[i] = '*', --left;
      }
    }
    at = end - 1;
  }
}

/// What a stranger sent, fit to be shown.
std::string shown(std::string_view text, std::size_t width) {
  std::string masked = mask_numbers_in(repair_utf8(text.substr(0, width)));
  mask_spaced_numbers(masked);
  return masked;
}

}  // namespace

Rejects::Rejects(const RejectsSettings& settings, Slot& slot, Link& link)
    : settings_(settings), slot_(slot), link_(link) {}

bool Rejects::allowed() noexcept {
  if (ngx_current_msec - second_began_ >= 1000) {
    second_began_ = ngx_current_msec;
    this_second_ = 0;
  }
  return ++this_second_ <= most_in_a_second;
}

void Rejects::note(const Reject& reject) noexcept {
  if (settings_.most == 0) return;
  try {
    if (!allowed() || !link_.tell(redis_command({"XADD",
                                                 settings_.key,
                                                 "MAXLEN",
                                                 "~",
                                                 std::to_string(settings_.most),
                                                 "*",
                                                 "reason",
                                                 reject.reason,
                                                 "channel",
                                                 reject.channel,
                                                 "received",
                                                 std::to_string(wall_clock_ms()),
                                                 "address",
                                                 reject.address,
                                                 "method",
                                                 shown(reject.method, word_kept),
                                                 "type",
                                                 shown(reject.content_type, word_kept),
                                                 "bytes",
                                                 std::to_string(reject.bytes),
                                                 "body",
                                                 shown(reject.body, body_kept)}))) {
      add(slot_.rejects_unrecorded);
    }
  } catch (const std::exception&) {
    add(slot_.rejects_unrecorded);
  }
}

}  // namespace cc
