// Events for tests of the fold, made in one line each.
#pragma once

#include <algorithm>
#include <sstream>
#include <vector>

#include "fold.hpp"
#include "rand.hpp"

namespace cc::test {

inline constexpr std::int64_t t0 = 1'700'000'000'000;

/// An event with a key of its own: `id` is all that tells it from others.
struct Ev : Event {
  Ev(int id, EventName event_name, Source event_source = Source::callback,
     std::int64_t received = t0) {
    key.bytes[0] = static_cast<std::uint8_t>(id >> 8);
    key.bytes[1] = static_cast<std::uint8_t>(id & 0xFF);
    name = event_name;
    source = event_source;
    received_ms = received;
    attempt = 1;
  }

  Ev& at(std::int64_t ms) { return channel_ms = ms, *this; }
  Ev& of_attempt(int number) { return attempt = number, *this; }
  Ev& with_ordinal(std::uint8_t ordinal) { return key.bytes[17] = ordinal, *this; }
  Ev& time(std::optional<TimeFact> Facts::*field, std::int64_t ms,
           TimeOrigin origin = TimeOrigin::own) {
    facts.*field = TimeFact{ms, origin};
    return *this;
  }
  // Not inline: GCC 12 sees uninitialised strings in there where there are none.
  Ev& text(std::optional<std::string> Facts::*field, std::string value);
  Ev& close(std::string type, std::string detail = "d", std::string by = "") {
    facts.close = CloseFact{std::move(type), std::move(detail), std::move(by)};
    return *this;
  }
  Ev& lasting(std::int64_t seconds) { return facts.duration = seconds, *this; }
  Ev& never_connected() { return facts.never_connected = true, *this; }
};

inline Constants outbound() {
  Constants c;
  c.id = 1;
  c.caller = "13900000001";
  c.called = "13800000002";
  return c;
}

inline Constants inbound() {
  Constants c;
  c.id = 1;
  c.direction = "in";
  return c;
}

/// Events without their Ev dress.
inline std::vector<Event> events_of(const std::vector<Ev>& list) {
  return std::vector<Event>(list.begin(), list.end());
}

/// Folds the list as it stands, reversed, and in a few random orders; all must agree.
Folded folded(const std::vector<Ev>& list, const Constants& constants = outbound());

/// Every field of a record in one line, for messages.
std::string show(const Folded& record);

}  // namespace cc::test
