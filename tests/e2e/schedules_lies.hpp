// Lies about a run, each of which the oracle must see: otherwise its silence proves nothing.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "schedules_oracle.hpp"

namespace cc::test {

struct ScheduleLie {
  std::string complaint;  // what the oracle must say
  /// Tells it; false where nothing in the run can be lied about so.
  std::function<bool(ScheduleOracle&)> tell;
};

const std::vector<ScheduleLie>& schedule_lies();

}  // namespace cc::test
