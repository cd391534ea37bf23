// Which bytes of a file a request wants (RFC 9110: Range, If-Range, If-None-Match). Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "message.hpp"

namespace cc::api {

/// What a file's answer is made of.
struct FileState {
  std::uint64_t size = 0;  // bytes
  std::string etag;        // strong, with its quotes; empty = none
  std::int64_t modified_ms = 0;
};

struct ByteRange {
  enum class Kind : std::uint8_t {
    whole,          // no range is asked for, or none that has to be heeded
    part,           // one, which the file has
    unsatisfiable,  // one that begins behind its end
  } kind = Kind::whole;
  std::uint64_t first = 0, length = 0;  // bytes; of `whole` the file's
};

/// Several ranges at once, and what can't be understood, mean the whole file, as does an If-Range
/// that names another version of it.
ByteRange range_of(const Request& request, const FileState& file);

/// Whether the client has this very version: the answer is 304 then.
bool is_unchanged(const Request& request, const FileState& file);

/// Whether a list of entity tags, as in If-None-Match, names it; weak comparison.
bool names_tag(std::string_view list, std::string_view etag);

}  // namespace cc::api
