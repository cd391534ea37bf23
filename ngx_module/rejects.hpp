// A capped stream of what was turned away and why, for operators: a console with a stale token or a
// stranger at the door look the same in a counter, but not here. Best effort: a flood is counted,
// not recorded.
#pragma once

#include "ngx.hpp"

#include <cstdint>
#include <string_view>

#include "counters.hpp"
#include "link.hpp"
#include "settings.hpp"

namespace cc {

/// One refused callback. Views are valid during the call only.
struct Reject {
  std::string_view reason;
  std::string_view channel;
  std::string_view address;
  std::string_view method;
  std::string_view content_type;
  std::size_t bytes = 0;  // of the body
  std::string_view body;  // recorded cut, with numbers masked
};

class Rejects {
 public:
  Rejects(const RejectsSettings& settings, Slot& slot, Link& link);

  /// Never throws; what cannot be recorded is counted. The path, which may hold a token, and the
  /// query string are no part of it.
  void note(const Reject& reject) noexcept;

 private:
  bool allowed() noexcept;

  const RejectsSettings& settings_;
  Slot& slot_;
  Link& link_;
  ngx_msec_t second_began_ = 0;
  unsigned this_second_ = 0;
};

}  // namespace cc
