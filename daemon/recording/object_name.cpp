#include "recording/object_name.hpp"

#include "beijing_time.hpp"
#include "record.hpp"

namespace cc {
namespace {

std::string plain(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool good = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                      c == '-' || c == '_' || c == '.';
    // No name of dots alone, which is a directory's.
    out += good && (c != '.' || !out.empty()) ? c : '_';
  }
  return out;
}

}  // namespace

std::string object_name(std::string_view tenant, std::int64_t call, bool ivr,
                        std::string_view extension) {
  const std::string day = format_beijing(call_id_time_ms(call));  // yyyyMMddHHmmss
  const std::string ending(extension.empty() ? "" : "." + plain(extension.substr(1)));
  return (tenant.empty() ? "_" : plain(tenant)) + "/" + day.substr(0, 4) + "/" + day.substr(4, 2) +
         "/" + day.substr(6, 2) + "/" + std::to_string(call) + (ivr ? "-ivr" : "") + ending;
}

}  // namespace cc
