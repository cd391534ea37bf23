// The request line's target and the texts in it. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "problem.hpp"

namespace cc::api {

/// "/v1/calls/{callId}?wait=3" taken apart and decoded.
struct Target {
  std::vector<std::string> path;                           // segments
  std::vector<std::pair<std::string, std::string>> query;  // in the order given
};

/// Nothing where it begins neither with "/" nor with "http(s)://host", an escape is broken, or path
/// or a parameter's name hold a control byte. In values a "+" is a space, as forms write it.
std::optional<Target> parse_target(std::string_view target);

/// Path and query as they came: of "http://host/v1/calls" too, which RFC 9112 has servers read.
std::string_view without_authority(std::string_view target);

/// A call's id as text: 1 to 19 digits, no leading zero.
std::optional<std::int64_t> parse_call_id(std::string_view text) noexcept;

/// Takes parameters out of a query and gathers what is wrong with them.
class QueryReader {
 public:
  explicit QueryReader(const Target& target) : target_(target) {}

  std::optional<std::int64_t> integer(std::string_view name, std::int64_t least, std::int64_t most);
  /// 1 to `width` characters of UTF-8, none of control.
  std::optional<std::string> text(std::string_view name, std::size_t width);
  /// Epoch ms; see time_text.hpp. "+08:00" is understood too where its plus was not escaped.
  std::optional<std::int64_t> time(std::string_view name);
  /// A line's name, of a phone the canonical number; "+86…" is understood as with time().
  std::optional<std::string> line(std::string_view name);
  std::optional<bool> boolean(std::string_view name);  // "true", "false"
  void refuse(std::string_view name, std::string reason);

  /// The problem, if there is one. To be asked last: it knows unknown and doubled parameters too.
  std::optional<Problem> problem() &&;

 private:
  const Target& target_;
  std::vector<std::string_view> known_;
  std::vector<InvalidParam> wrong_;
};

/// The seconds of `Prefer: wait=N` among a Prefer header's preferences; nothing where it has none
/// that can be understood (RFC 7240: such preferences are ignored).
std::optional<int> preferred_wait(std::string_view prefer) noexcept;

/// 1 to 64 characters of [A-Za-z0-9._-], and nothing that has the shape of a phone number: logs
/// repeat it.
bool sane_request_id(std::string_view text) noexcept;
std::string make_request_id();

/// "application/json", with or without charset=utf-8.
bool is_json(std::string_view content_type);

/// "Sun, 06 Nov 1994 08:49:37 GMT".
std::string http_date(std::int64_t epoch_ms);

}  // namespace cc::api
