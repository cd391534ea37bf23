// One callback: its fields in the documented order, and how they are written out.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "script.hpp"

namespace jiuyun {

struct Callback {
  std::string action;            // CallInvite, CallEstablish, Hangup
  int user_flag = -1;            // -1 = none
  std::int64_t happened_at = 0;  // real epoch ms
  std::vector<std::pair<std::string, std::string>> fields;

  // CallInvite0, CallInvite1, CallEstablish, Hangup
  std::string label() const;
};

struct CallbackBytes {
  std::string content_type;
  std::string body;
};

CallbackBytes write_callback(Callback const& callback, CallbackScript const& script,
                             std::mt19937_64& random);

}  // namespace jiuyun
