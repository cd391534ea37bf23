// The vendor's clock: real time plus a skew, written in Beijing time (UTC+8, no summer time).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace jiuyun {

// Real time, epoch milliseconds: what the journal and the control API use.
std::int64_t now_ms();

class VendorClock {
 public:
  explicit VendorClock(std::int64_t skew_ms) : skew_ms_(skew_ms) {}

  // All of these take real epoch milliseconds and add the skew.
  std::int64_t seconds(std::int64_t at) const;  // whole seconds on the vendor's clock
  std::string compact(std::int64_t at) const;   // yyyyMMddHHmmss
  std::string slashed(std::int64_t at) const;   // yyyy/MM/dd HH:mm:ss

 private:
  std::int64_t skew_ms_;
};

// yyyyMMddHHmmss in Beijing time as epoch seconds; nothing if it is not such a time.
std::optional<std::int64_t> parse_compact(std::string_view text);

}  // namespace jiuyun
