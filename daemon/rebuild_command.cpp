#include "rebuild_command.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include "command.hpp"
#include "phone.hpp"
#include "store/rebuild.hpp"

namespace cc {
namespace {

/// As the API shows them: a customer's number never whole, what may repeat one neither.
std::string shown(std::string_view field, const std::optional<std::string>& value) {
  constexpr std::array<std::string_view, 5> wordy{"ch_audio_url", "audio_url", "ivr_url",
                                                  "ivr_text", "recording_reason"};
  if (!value) return "-";
  if (field == "caller" || field == "called") return mask_number(*value);
  if (std::find(wordy.begin(), wordy.end(), field) != wordy.end()) return mask_numbers_in(*value);
  return *value;
}

void tell(const FieldDifference& difference) {
  std::printf("%lld %s stored=%s folded=%s\n", static_cast<long long>(difference.call),
              std::string(difference.field).c_str(),
              shown(difference.field, difference.stored).c_str(),
              shown(difference.field, difference.folded).c_str());
}

asio::awaitable<int> run(Tools tools, RebuildOptions options) {
  const RebuildReport report =
      co_await rebuild(tools.pool, tools.channels, options, tools.clock.epoch_ms(), tell);
  std::printf("%zu calls, %zu differ, %zu written", report.calls, report.differing, report.written);
  if (report.no_history > 0) {
    std::printf(", %zu without a history that is still kept", report.no_history);
  }
  if (report.unreadable > 0) std::printf(", %zu deliveries unreadable today", report.unreadable);
  std::puts(report.differing > 0 && !options.write ? " (a dry run: --write mends them)" : "");
  co_return report.differing == 0 ? exit_right : exit_differs;
}

}  // namespace

int rebuild_command(const Config& config, const RebuildWish& wish) {
  Result<RebuildOptions> options = parse_range(wish.range);
  if (!options) {
    std::fprintf(stderr, "ccd: --rebuild: %s; see ccd --help\n", options.error().message.c_str());
    return exit_usage;
  }
  options->write = wish.write;
  options->from_raw = wish.from_raw;
  return run_command(config, [&options](Tools tools) { return run(tools, *options); });
}

}  // namespace cc
