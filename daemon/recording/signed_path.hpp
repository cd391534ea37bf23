// "/v1/files/<name>?expires=…&signature=…": a way to one file that is good for a while, without any
// other key. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cc {

struct SignedPath {
  std::string name;            // of the object
  std::int64_t expires_s = 0;  // epoch s; over from then on
  std::string content_type;    // as it is to be called
  std::string file_name;       // likewise; empty = not
};

/// `key`: the directory's, secret.
std::string make_signed_path(std::string_view key, const SignedPath& path);

/// What make_signed_path() was given, with this key. Nothing where there is another parameter, one
/// twice, one missing, or anything else than that was signed; compared in constant time. Says
/// nothing about its time.
std::optional<SignedPath> read_signed_path(std::string_view key, std::string_view target);

/// Whether an object may have this name: segments of printable ASCII without a backslash, none
/// empty or "." or "..", and not too many or too long.
bool is_object_name(std::string_view name) noexcept;

}  // namespace cc
