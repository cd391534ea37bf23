// Redis' protocol, as far as we write it ourselves.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "pending.hpp"
#include "settings.hpp"

namespace cc {

/// One argument: "$3\r\nabc\r\n".
std::string redis_argument(std::string_view text);

/// A whole command of few and short words.
std::string redis_command(std::initializer_list<std::string_view> words);

/// XADD <stream of the hash's partition> * <field> <envelope>, into the pending, whose hash is set.
/// `field` is the channel's code as one argument; header and body make the envelope.
void build_command(Pending& pending, const MainSettings& settings, std::string_view field,
                   std::string_view header, std::string_view body);

}  // namespace cc
