// Whatever the agent gateway answers: understood, stored as JSON and folded without breaking.
#include <cstdint>
#include <cstdlib>
#include <span>

#include "fold.hpp"
#include "hw.hpp"
#include "text.hpp"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void check(std::string_view body, cc::Source source, std::string_view subject) {
  const cc::HwAnswer answer = cc::read_hw_answer(body);
  require(cc::repair_utf8(answer.message) == answer.message);
  require(cc::repair_utf8(answer.call_id) == answer.call_id);
  cc::Delivery delivery;
  delivery.channel = "hw";
  delivery.received_ms = 1'700'000'000'000;
  delivery.source = source;
  delivery.subject = subject;
  delivery.body = body;
  const auto understood = cc::hw_channel().understand(delivery);
  // What the poller would store says something, or is told to be unreadable.
  const bool silent = understood.events.empty() && understood.ignored == 0;
  require(!silent || !understood.problem.empty() || !answer.has_event ||
          body.find("null") != std::string_view::npos);
  for (const auto& found : understood.events) {
    const auto facts = cc::facts_from_json(cc::to_json(found.event.facts));
    require(facts && *facts == found.event.facts);
    cc::fold(cc::Constants{}, std::span(&found.event, 1));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  check(body, cc::Source::poll, "291");
  check(body, cc::Source::query, "4711");
  return 0;
}
