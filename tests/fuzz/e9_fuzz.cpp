// Whatever Jiuyun sends: verified, understood, stored as JSON and folded without breaking.
#include <cstdint>
#include <cstdlib>
#include <span>

#include "e9.hpp"
#include "fold.hpp"
#include "text.hpp"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void check(std::string_view body, cc::Source source) {
  static const cc::Trust trust{{"t"}, {"feff3cbd52c041a1bd5b0492bee56423"}};
  const auto verified = cc::e9_channel().verify({"POST", "t", "", "", "", body}, trust);
  require(verified.verdict == cc::Verdict::accepted ||
          verified.verdict == cc::Verdict::foreign_app);

  cc::Delivery delivery;
  delivery.channel = "e9";
  delivery.received_ms = 1'458'813'382'000;
  delivery.source = source;
  delivery.body = body;
  const auto understood = cc::e9_channel().understand(delivery);
  require(cc::repair_utf8(understood.problem) == understood.problem);
  require(!understood.events.empty() || understood.ignored > 0 || !understood.problem.empty());
  for (const auto& found : understood.events) {
    const auto facts = cc::facts_from_json(cc::to_json(found.event.facts));
    require(facts && *facts == found.event.facts);
    cc::fold(cc::Constants{}, std::span(&found.event, 1));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  check(body, cc::Source::callback);
  check(body, cc::Source::query);
  return 0;
}
