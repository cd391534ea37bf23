// What OSS answered, judged: is it done, may it be tried again, what is somebody to do about it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "io/http_client.hpp"
#include "recording/object_store.hpp"
#include "recording/oss_signature.hpp"

namespace cc {

struct OssAnswer {
  unsigned status = 0;  // 0 = no whole answer came
  TextPairs headers;    // names in lower case
  std::string body;

  bool good = false;     // OSS has done it
  StoreProblem problem;  // where it has not
  bool again = false;    // the same request may have more luck
  std::chrono::milliseconds retry_after{0};

  /// The header's value; empty = it isn't there.
  const std::string& header(std::string_view name) const;
  /// x-oss-hash-crc64ecma.
  std::optional<std::uint64_t> crc64() const;
  /// Content-Length, of an answer to HEAD.
  std::optional<std::uint64_t> size() const;
};

/// `now_ms`: by our clock, for the message about a clock that is off.
OssAnswer judge_oss_answer(HttpExchange exchange, std::int64_t now_ms);

/// Of the answer to a multipart upload's beginning; empty = it names none.
std::string oss_upload_id(const std::string& xml);

/// Of a list of uploads: key and upload id.
std::vector<std::pair<std::string, std::string>> oss_uploads(const std::string& xml);

/// "Sun, 06 Nov 1994 08:49:37 GMT" → epoch s.
std::optional<std::int64_t> parse_http_date(std::string_view text);

}  // namespace cc
