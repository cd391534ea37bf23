// All parts' health in one list: who gathers it also remembers since when each stands as it does,
// logs what changed, once it has stayed so for a moment, and keeps the gauge.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "health.hpp"
#include "io/clock.hpp"
#include "metrics.hpp"

namespace cc {

class HealthReport {
 public:
  using Source = std::function<std::vector<PartHealth>()>;

  HealthReport(const Clock& clock, Metrics& metrics) : clock_(clock), metrics_(metrics) {}

  /// Asked in the order of adding, each time. It must not block. Parts have distinct names.
  void add(Source source) { sources_.push_back(std::move(source)); }

  /// As of now, each with `since_ms`. To be called each second or so even if nobody asks, as
  /// changes are seen here.
  std::vector<PartHealth> parts();

 private:
  struct Standing {
    Grade grade = Grade::ok;
    std::int64_t since_ms = 0;
    Grade told = Grade::ok;  // in the log, last
    bool seen = false;       // in this pass
  };
  void keep(PartHealth& part, std::int64_t now_ms);

  const Clock& clock_;
  Metrics& metrics_;
  std::vector<Source> sources_;
  std::map<std::string, Standing> standings_;
  std::map<std::string, prometheus::Gauge*> gauges_;
};

}  // namespace cc
