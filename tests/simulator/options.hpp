// The command line.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>

namespace jiuyun {

struct Endpoint {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;  // 0 = a free one
};

struct Options {
  Endpoint listen;
  std::optional<Endpoint> control;  // a further listener
  std::string port_file;
  std::string account_sid = "e9000000000000000000000000000001";
  std::string auth_token = "e9000000000000000000000000000002";
  std::string app_id = "e9000000000000000000000000000003";
  std::string callback_url;
  std::string record_base;  // of recordUrl; empty = the simulator's own address
  std::string journal;
  double speed = 1.0;
  std::set<std::string> approved_numbers;
  std::int64_t clock_skew_ms = 0;
  std::size_t query_limit = 9;
  std::size_t max_calls = 100'000;
  unsigned int refusal_status = 200;
  std::uint64_t seed = 0;    // 0 = random
  bool number_table = true;  // called numbers' last four digits choose presets
  bool help = false;
};

std::string usage();
// Throws std::runtime_error that names option, value and remedy.
Options parse_options(int count, char const* const* words);

}  // namespace jiuyun
