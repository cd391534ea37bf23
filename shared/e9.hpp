// Jiuyun (玖云): verifying and understanding its callbacks and query answers (channels.md, e9).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "channel.hpp"

namespace cc {

const Channel& e9_channel() noexcept;

/// userData that we send and Jiuyun echoes: "cc1.<callId>.<attempt>".
std::string make_echo(std::int64_t call, int attempt);

struct Echo {
  std::int64_t call = 0;
  int attempt = 0;
};

/// Strict: anything but exactly our form is nobody's echo.
std::optional<Echo> parse_echo(std::string_view user_data) noexcept;

}  // namespace cc
