// Calls, faults and daemons in virtual time: README.md says what is modelled.
#define BOOST_TEST_MODULE model
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>

#include <boost/test/unit_test.hpp>

#include "schedule.hpp"

using namespace model;

namespace {

std::optional<std::uint64_t> number_from(const char* name) {
  const char* text = std::getenv(name);
  if (text == nullptr || *text == '\0') return std::nullopt;
  return std::strtoull(text, nullptr, 10);
}

std::uint64_t seed() {
  return number_from("CC_SEED").value_or(20'261'122);
}

struct Sum {
  std::uint64_t schedules = 0, failed = 0;
  Outcome all;

  void add(const Outcome& one) {
    ++schedules;
    all.calls += one.calls;
    all.attempts += one.attempts;
    all.steps += one.steps;
    all.rung += one.rung;
    all.superseded += one.superseded;
    all.abandoned += one.abandoned;
    all.late_life += one.late_life;
    all.reaped += one.reaped;
    all.unknown += one.unknown;
  }
};

bool finds(Mutant mutant, std::uint64_t number) {
  return !run_schedule(seed(), number, mutant, false).violation.empty();
}

/// A schedule that breaks a rule with this mistake in it. Those of health need a channel's failing
/// and recovery, which the others need least.
std::optional<std::uint64_t> found_by(Mutant mutant) {
  constexpr std::uint64_t most = 6'000, most_recoveries = 60;
  if (mutant >= Mutant::trial_taken_without_compare) {
    for (std::uint64_t i = 1; i <= most_recoveries; ++i) {
      if (finds(mutant, i * recovery_every - 1)) return i * recovery_every - 1;
    }
    return std::nullopt;
  }
  for (std::uint64_t number = 0; number < most; ++number) {
    if (finds(mutant, number)) return number;
  }
  return std::nullopt;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(schedules)

BOOST_AUTO_TEST_CASE(no_rule_is_broken_whatever_fails) {
  std::cout << "CC_SEED=" << seed() << "\n";
  if (const auto alone = number_from("CC_SCHEDULE")) {
    const auto planted = static_cast<Mutant>(number_from("CC_MUTANT").value_or(0));
    const Outcome outcome = run_schedule(seed(), *alone, planted, true);
    BOOST_TEST(outcome.violation == "");
    return;
  }
  constexpr std::uint64_t most_told = 10;
  const std::uint64_t count = number_from("CC_SCHEDULES").value_or(100'000);
  const auto begun = std::chrono::steady_clock::now();
  Sum sum;
  for (std::uint64_t number = 0; number < count && sum.failed < most_told; ++number) {
    const Outcome outcome = run_schedule(seed(), number, Mutant::none, false);
    sum.add(outcome);
    if (outcome.violation.empty()) continue;
    ++sum.failed;
    std::cout << "schedule " << number << ": " << outcome.violation << " (CC_SEED=" << seed()
              << " CC_SCHEDULE=" << number << " shows it)\n";
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  std::cout << sum.schedules << " schedules in " << took.count() << " s: " << sum.all.calls
            << " calls, " << sum.all.attempts << " attempts (" << sum.all.superseded
            << " superseded, " << sum.all.unknown << " unknown), " << sum.all.rung
            << " dialled by channels, " << sum.all.reaped << " closed by our clock, "
            << sum.all.late_life << " late and " << sum.all.abandoned
            << " abandoned signs of life, " << sum.all.steps << " steps\n";
  BOOST_TEST(sum.failed == 0U);
  // Schedules that reach nothing would hold every rule.
  const bool reached = sum.all.superseded > 0 && sum.all.unknown > 0 && sum.all.reaped > 0 &&
                       sum.all.late_life > 0 && sum.all.abandoned > 0;
  BOOST_TEST((reached || count < 1'000));
}

BOOST_AUTO_TEST_CASE(a_schedule_can_be_repeated) {
  for (std::uint64_t number = 0; number < 50; ++number) {
    const Outcome one = run_schedule(seed(), number, Mutant::none, false);
    const Outcome two = run_schedule(seed(), number, Mutant::none, false);
    BOOST_TEST(one.steps == two.steps);
    BOOST_TEST(one.rung == two.rung);
    BOOST_TEST(one.violation == two.violation);
  }
}

BOOST_AUTO_TEST_SUITE_END()

// The checks are worth as much as the mistakes that they find.
BOOST_AUTO_TEST_SUITE(mutants)

BOOST_AUTO_TEST_CASE(each_planted_mistake_is_found) {
  for (int number = static_cast<int>(first_mutant); number <= static_cast<int>(last_mutant);
       ++number) {
    const auto at = found_by(static_cast<Mutant>(number));
    std::cout << "mutant " << number << ": "
              << (at ? "found by schedule " + std::to_string(*at) : "NOT FOUND") << "\n";
    BOOST_TEST(at.has_value(), "mutant " << number << " of mutant.hpp is not found");
  }
}

BOOST_AUTO_TEST_SUITE_END()
