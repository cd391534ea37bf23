// One schedule: what is asked for, how the phones behave at whichever channel rings them, and when
// the application wants the call to end. Drawn from the seed and its number alone, so that a run
// can be repeated whatever its threads do.
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <boost/json.hpp>

namespace cc::test {

/// Who can call: seats of hw with handsets of their own, phones, and users bound to both.
struct ScheduleCast {
  static constexpr int first_seat = 1000, seats = 48;
  static constexpr int hot_phones = 10, phones = 160, pool_phones = 6, users = 24;

  static std::string seat(int n) { return std::to_string(first_seat + n); }
  /// As Stack::make_agents gives them.
  static std::string seat_phone(int n) {
    return "139" + std::to_string(70'000'000 + first_seat + n);
  }
  static std::string hot_phone(int n) { return "139" + std::to_string(10'000 + n) + "000"; }
  static std::string phone(int n) { return "139" + std::to_string(20'000'000 + n); }
  /// Lines of e9 and e9b that everybody may use: the same phones on both.
  static std::string pool_phone(int n) { return "139" + std::to_string(30'000'000 + n); }
  static std::string user(int n) { return "user-" + std::to_string(n); }
  /// The PUT /v1/bindings of a user: even ones may call otherwise, odd ones never.
  static std::string binding(int n);
  static bool bound_only(int n) { return n % 2 == 1; }
  static std::set<std::string> bound_lines(int n);
};

struct Schedule {
  long number = 0;
  std::string form;    // how the request says who calls
  std::string called;  // of this call only: what the journals tell of it is its own
  boost::json::object body;
  std::optional<std::string> agent, channel;  // that the request names
  std::set<std::string> lines;                // "channel/agent": none but these; empty = any
  std::string jiuyun_script, gateway_script;
  std::optional<long> hang_up_after;  // ms from the answer
  std::optional<int> wait;            // s, of Prefer
};

Schedule draw_schedule(std::uint64_t seed, long number);

/// What goes wrong by chance at Jiuyun's simulators and at the gateway: PUT _control/random.
std::string jiuyun_faults(std::uint64_t seed);
std::string gateway_faults(std::uint64_t seed);

}  // namespace cc::test
