// What a recording may call itself when it leaves ccd. Pure.
#pragma once

#include <string>
#include <string_view>

namespace cc::api {

/// "audio/…" as it is; whatever else a channel sent is bytes to a browser, never a page.
inline std::string audio_type(std::string_view content_type) {
  constexpr std::string_view letters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/+-.";
  const bool is_audio = content_type.starts_with("audio/") && content_type.size() <= 64 &&
                        content_type.find_first_not_of(letters) == std::string_view::npos;
  return std::string(is_audio ? content_type : "application/octet-stream");
}

}  // namespace cc::api
