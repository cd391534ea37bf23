// Named fault points: places where a test makes the daemon die or fail, to show that no step
// between two others loses or repeats anything. Compiled in with -DCC_FAULTS=ON only (test builds).
//
// CC_FAULT=name[:N][,…] in the environment: at the N-th passing of that point (default 1) the
// process ends at once, as by SIGKILL. `ccd --fault-points` lists the names.
#pragma once

#include <span>
#include <string_view>

namespace cc {

#ifdef CC_FAULTS
void fault_point(std::string_view name);
#else
inline void fault_point(std::string_view) {}
#endif

/// Every point's name, for tests that go through them all.
std::span<const std::string_view> fault_points();

}  // namespace cc
