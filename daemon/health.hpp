// What the parts say of themselves, gathered for /readyz, /v1/health and /metrics.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cc {

enum class Grade : std::uint8_t {
  ok,
  degraded,  // it works, but somebody should look
  failing,
};

constexpr std::string_view to_text(Grade grade) noexcept {
  return grade == Grade::ok ? "ok" : grade == Grade::degraded ? "degraded" : "failing";
}

struct PartHealth {
  std::string part;           // "postgresql", "redis", "dispatcher", …
  bool ok = false;            // false: this daemon had better get no requests (/readyz)
  std::string says;           // a few words with figures; no secret, no number
  Grade grade = Grade::ok;    // where `ok` is false, it counts as failing
  std::int64_t since_ms = 0;  // when `grade` became what it is; filled in by whoever gathers
};

class Health {
 public:
  virtual ~Health() = default;
  virtual std::vector<PartHealth> parts() const = 0;
  virtual bool draining() const = 0;  // SIGTERM came: not ready any more
};

}  // namespace cc
