// What decodes encodes to something that decodes the same; facts likewise.
#include <cstdint>
#include <cstdlib>

#include "envelope.hpp"
#include "event.hpp"
#include "keys.hpp"
#include "text.hpp"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto delivery = cc::decode_envelope("e9", bytes)) {
    const auto again = cc::decode_envelope("e9", cc::encode_envelope(*delivery));
    require(again && again->body == delivery->body && again->subject == delivery->subject);
    require(cc::delivery_key(*again) == cc::delivery_key(*delivery));
  } else {
    require(cc::repair_utf8(delivery.error().message) == delivery.error().message);
  }
  if (const auto facts = cc::facts_from_json(bytes)) {
    const auto once = cc::facts_from_json(cc::to_json(*facts));
    require(once && cc::to_json(*once) == cc::to_json(*facts));
  }
  return 0;
}
