#include "strikes.hpp"

#include <algorithm>
#include <random>
#include <string>
#include <utility>

namespace cc::test {
namespace {

struct Kind {
  const char* what;  // as Strike::what
  std::vector<std::pair<const char*, const char*>> steps;
};

// The first three are the ones that a short run has as well.
const std::vector<Kind>& kinds() {
  static const std::vector<Kind> all{
      {"ccd", {{"kill", "ccd"}, {"start", "ccd"}}},
      {"postgres", {{"restart", "postgres"}}},
      {"redis", {{"restart", "redis"}}},
      {"ccd+postgres",
       {{"stop", "postgres"}, {"kill", "ccd"}, {"start", "postgres"}, {"start", "ccd"}}},
      {"ccd+redis", {{"kill", "ccd"}, {"restart", "redis"}, {"start", "ccd"}}},
      {"postgres", {{"kill", "postgres"}, {"start", "postgres"}}},
      {"redis", {{"kill", "redis"}, {"start", "redis"}}},
  };
  return all;
}

}  // namespace

Strikes::Strikes(Stack& stack, Application& application, long calls, int count, std::uint64_t seed)
    : stack_(stack), application_(application) {
  std::mt19937_64 random(seed);
  for (int i = 0; i < count; ++i) {
    moments_.push_back(std::uniform_int_distribution<long>(calls / 20, calls * 19 / 20)(random));
    // Each kind in turn; every other one is a killed ccd.
    kinds_.push_back(i % 2 == 0 ? 0 : static_cast<std::size_t>(1 + i / 2) % kinds().size());
  }
  std::ranges::sort(moments_);
  std::ranges::shuffle(kinds_, random);
  thread_ = std::thread([this] { run(); });
}

Strikes::~Strikes() {
  if (thread_.joinable()) thread_.join();
}

std::vector<Strike> Strikes::join() {
  thread_.join();
  if (failure_) std::rethrow_exception(failure_);
  return done_;
}

void Strikes::run() {
  try {
    for (std::size_t i = 0; i < moments_.size() && application_.await_made(moments_[i]); ++i) {
      const Kind& kind = kinds()[kinds_[i]];
      const Instant from = now_ms();
      for (const auto& [verb, part] : kind.steps) stack_.part(verb, part);
      done_.push_back({kind.what, from, now_ms()});
    }
  } catch (const std::exception&) {
    failure_ = std::current_exception();
  }
}

}  // namespace cc::test
