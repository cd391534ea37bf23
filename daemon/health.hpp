// What the parts say of themselves, gathered for /readyz and /metrics.
#pragma once

#include <string>
#include <vector>

namespace cc {

struct PartHealth {
  std::string part;  // "postgresql", "redis", "dispatcher", …
  bool ok = false;
  std::string says;  // a few words; no secret, no number
};

class Health {
 public:
  virtual ~Health() = default;
  virtual std::vector<PartHealth> parts() const = 0;
  virtual bool draining() const = 0;  // SIGTERM came: not ready any more
};

}  // namespace cc
