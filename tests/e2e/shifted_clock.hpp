// The clock of a stack's parts, PostgreSQL's excepted, as far ahead as a test wants it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "process.hpp"

namespace cc::test {

class ShiftedClock {
 public:
  ShiftedClock();
  ~ShiftedClock();
  ShiftedClock(const ShiftedClock&) = delete;

  /// For Stack's constructor.
  std::vector<std::string> options() const { return {"--clock", folder_.file("clock")}; }

  void advance(std::chrono::milliseconds by) { *shift_ += by.count(); }
  /// As the parts see it, epoch ms.
  std::int64_t now_ms() const;

 private:
  TempDir folder_;
  std::atomic<std::int64_t>* shift_;  // in the file, shared with the parts
};

}  // namespace cc::test
