// That a canary has come out of its stream, noted with the cursor's move (rules.md, "Health").
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/pg.hpp"

namespace cc {

struct CanaryArrival {
  std::string id;       // as is_canary() knows it
  std::string channel;  // the stream entry's: that of the location which took it
  std::int64_t received_ms = 0;
};

/// Notes the latest of each location: of those that table `canary` knows under this channel.
pg::Statement note_canaries(const std::vector<CanaryArrival>& arrivals);

}  // namespace cc
