// The command line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace gateway {

struct Endpoint {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;  // 0 = a free one
};

enum class Shape { object, array, mixed };
enum class JournalLevel { none, calls, all };

struct AgentRange {
  std::uint32_t from = 101;
  std::uint32_t to = 999'999;
  bool contains(std::uint32_t id) const { return id >= from && id <= to; }
};

struct Options {
  Endpoint listen;
  std::optional<Endpoint> control;
  std::string port_file;
  std::string tls_cert;
  std::string tls_key;
  std::string journal;
  JournalLevel journal_level = JournalLevel::all;
  double speed = 1.0;
  std::int64_t poll_ms = 10'000;
  std::int64_t poll_gap_ms = 190;
  std::int64_t idle_ms = 120'000;
  std::int64_t sign_ms = 20;
  AgentRange agents;
  std::string password = "agent-secret";
  Shape shape = Shape::object;
  bool event_time = false;
  bool service_events = false;
  bool forcelogin_keeps_events = true;
  std::int64_t guid_renew = 0;  // every Nth answer carries a new guid; 0 = never
  bool strict_phone = true;     // a phone that is rung while in a call is a violation
  bool stamp = false;
  bool number_table = true;  // called numbers' last four digits choose presets
  std::uint64_t seed = 0;    // 0 = random
  std::string file_access_key;  // empty: there is no CC-FS
  std::string file_secret_key;
  std::string cc_id = "1";
  bool help = false;

  bool tls() const { return !tls_cert.empty(); }
};

std::string usage();
// "1000-5999" or "1000"; nothing if it is neither.
std::optional<AgentRange> parse_range(std::string const& text);
// Throws std::runtime_error that names option, value and remedy.
Options parse_options(int count, char const* const* words);

}  // namespace gateway
