#include "config_retention.hpp"

#include <string>

namespace cc {
namespace {

// Months are made from two before this one on (migrate.hpp), and dropped only when their last day
// is that old: what one does the other must never undo.
constexpr int least_months = 90;
constexpr int most = 36'500;

int read_days(YamlMap& map, std::string_view key, int least, int absent) {
  const auto value = map.find(key);
  if (!value) return absent;
  const auto days = value->integer(0, most);
  if (!days) return absent;
  if (*days != 0 && *days < least) {
    value->complain("must be 0 (for ever) or at least " + std::to_string(least) + " days");
  }
  return static_cast<int>(*days);
}

/// Whether rows kept for `days` outlive those kept for `others`; 0 = for ever.
bool outlives(int days, int others) {
  return others != 0 && (days == 0 || days > others);
}

}  // namespace

Retention read_retention(const YamlValue& value) {
  YamlMap map(value);
  Retention retention;
  retention.records = read_days(map, "records", least_months, 0);
  retention.attempts = read_days(map, "attempts", least_months, retention.records);
  retention.events = read_days(map, "events", least_months, retention.attempts);
  if (outlives(retention.attempts, retention.records)) {
    value.complain("attempts must not be kept longer than records: nothing shows them without");
  }
  if (outlives(retention.events, retention.attempts)) {
    value.complain(
        "attempts are kept shorter than events, which need them: a call's history names its "
        "attempts. Raise attempts or lower events");
  }
  retention.changes = read_days(map, "changes", 1, retention.changes);
  retention.dead_letters = read_days(map, "deadLetters", 1, retention.dead_letters);
  retention.rejections = read_days(map, "rejections", 1, retention.rejections);
  retention.audit = read_days(map, "audit", 1, retention.audit);
  retention.recordings = read_days(map, "recordings", 1, retention.recordings);
  return retention;
}

}  // namespace cc
