// Whatever lies in a spool file: it is walked to its end, in steps that move on, whole or in parts
// the same; and what was written is read.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "spool_format.hpp"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

constexpr std::uint64_t salt = 0x0102030405060708U;

struct Walk {
  std::vector<std::string> envelopes;
  std::size_t walked = 0;
};

/// As a reader does that is given `chunk` bytes more at a time.
Walk walk(std::string_view bytes, std::size_t chunk) {
  Walk walk;
  std::size_t at = 0, given = std::min(chunk, bytes.size());
  for (;;) {
    const bool at_end = given == bytes.size();
    const auto step = cc::next_spool_record(bytes.substr(at, given - at), at_end, salt);
    if (step.kind == cc::SpoolStep::Kind::end && at_end) break;
    if (step.kind == cc::SpoolStep::Kind::end || step.kind == cc::SpoolStep::Kind::partial) {
      require(!at_end);
      given = std::min(given + chunk, bytes.size());
      continue;
    }
    require(step.consumed > 0 && step.consumed <= given - at);
    if (step.kind == cc::SpoolStep::Kind::record) walk.envelopes.emplace_back(step.record.envelope);
    at += step.consumed;
  }
  walk.walked = at;
  return walk;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);

  std::size_t length = 0;
  if (const auto header = cc::decode_spool_header(bytes, length)) {
    require(length > 0 && length <= size);
    std::size_t again_length = 0;
    const auto again = cc::decode_spool_header(cc::encode_spool_header(*header), again_length);
    require(again && again->salt == header->salt && again->created_ms == header->created_ms);
  }

  const Walk whole = walk(bytes, size == 0 ? 1 : size);
  const Walk in_parts = walk(bytes, 7);
  require(whole.walked == size && in_parts.walked == size);
  require(whole.envelopes == in_parts.envelopes);

  // The input as an envelope between two others, with garbage around it.
  std::string file;
  require(cc::append_spool_record(file, salt, {"e9", 1, "first"}));
  require(cc::append_spool_record(file, salt, {"e9", 2, bytes}));
  file += bytes.substr(0, size / 2);
  require(cc::append_spool_record(file, salt, {"e9", 3, "last"}));
  const Walk written = walk(file, file.size());
  require(written.envelopes.size() >= 3);
  require(written.envelopes.front() == "first" && written.envelopes[1] == bytes &&
          written.envelopes.back() == "last");
  return 0;
}
