// Keys that make a repeat harmless (rules.md, "Deliveries and events") and the partition that a
// delivery goes to.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "envelope.hpp"

namespace cc {

using DeliveryKey = std::array<std::uint8_t, 16>;

/// SHA-256, first 16 bytes, over (channel, query string, raw bytes) for a callback or a query
/// answer and over (channel, subject, received-ms, raw bytes) for a poll. Each part is preceded by
/// its length as 8 bytes big-endian, so that no two different tuples share an input.
DeliveryKey delivery_key(const Delivery& delivery);

/// A delivery's key and the event's ordinal in it (16 + 2 bytes, big-endian).
struct EventKey {
  std::array<std::uint8_t, 18> bytes{};
  auto operator<=>(const EventKey&) const = default;

  std::uint16_t ordinal() const noexcept;
  std::string_view view() const noexcept;
};

EventKey event_key(const DeliveryKey& delivery, std::uint16_t ordinal);

/// The key of an event that CC itself makes: SHA-256('cc', call, attempt, name, ordinal).
EventKey own_event_key(std::int64_t call, int attempt, std::string_view name,
                       std::uint16_t ordinal = 0);

/// CRC-32 (IEEE 802.3, as zlib has it). `before` is that of the bytes before these, if any.
std::uint32_t crc32(std::string_view bytes, std::uint32_t before = 0) noexcept;

/// What chooses a delivery's partition: CRC-32 (IEEE) of the subject (poll, query), else of its
/// first channel call id, else of the raw bytes. Each may be empty.
std::uint32_t partition_hash(std::string_view subject, std::string_view channel_call_id,
                             std::string_view body) noexcept;

/// The partition of a delivery: its hash mod `partitions` (≥ 1).
unsigned partition_of(const Delivery& delivery, std::string_view channel_call_id,
                      unsigned partitions);

}  // namespace cc
