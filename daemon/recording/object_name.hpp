// What a recording is called in the store.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace cc {

/// "{tenant}/{yyyy}/{mm}/{dd}/{call}.mp3", of an IVR's file "…/{call}-ivr.mp3"; the day of the
/// call's id in UTC+8. Consists of letters, digits and "/._-" only, whatever it is given.
std::string object_name(std::string_view tenant, std::int64_t call, bool ivr,
                        std::string_view extension);

}  // namespace cc
