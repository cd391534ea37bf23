#include "health/report.hpp"

#include "log.hpp"

namespace cc {
namespace {

// What passes sooner, such as a start, is no news.
constexpr std::int64_t settle_ms = 2'000;

}  // namespace

void HealthReport::keep(PartHealth& part, std::int64_t now_ms) {
  if (!part.ok) part.grade = Grade::failing;
  const auto [at, fresh] = standings_.try_emplace(part.part);
  Standing& standing = at->second;
  standing.seen = true;
  if (fresh || standing.grade != part.grade) {
    standing.grade = part.grade;
    standing.since_ms = now_ms;
    prometheus::Gauge*& gauge = gauges_[part.part];
    if (gauge == nullptr) gauge = &metrics_.part_health.Add({{"part", part.part}});
    gauge->Set(static_cast<double>(part.grade));
  }
  part.since_ms = standing.since_ms;
  if (standing.grade == standing.told || now_ms - standing.since_ms < settle_ms) return;
  standing.told = standing.grade;
  if (part.grade == Grade::failing) {
    log().error("health: {} is failing: {}", part.part, part.says);
  } else if (part.grade == Grade::degraded) {
    log().warn("health: {} is degraded: {}", part.part, part.says);
  } else {
    log().info("health: {} is well again: {}", part.part, part.says);
  }
}

std::vector<PartHealth> HealthReport::parts() {
  const std::int64_t now_ms = clock_.epoch_ms();
  std::vector<PartHealth> all;
  for (auto& [name, standing] : standings_) standing.seen = false;
  for (const Source& source : sources_) {
    for (PartHealth& part : source()) {
      keep(part, now_ms);
      all.push_back(std::move(part));
    }
  }
  // A reload may have taken an NGINX or a channel away.
  std::erase_if(standings_, [&](const auto& item) {
    if (item.second.seen) return false;
    if (const auto gauge = gauges_.find(item.first); gauge != gauges_.end()) {
      metrics_.part_health.Remove(gauge->second);
      gauges_.erase(gauge);
    }
    return true;
  });
  return all;
}

}  // namespace cc
