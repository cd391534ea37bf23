// Huawei's agent gateway: understanding the answers to polls and queries (channels.md, hw). It
// pushes nothing, so there is nothing to verify.
#pragma once

#include <string>
#include <string_view>

#include "channel.hpp"

namespace cc {

const Channel& hw_channel() noexcept;

/// What the gateway wraps every answer in.
struct HwAnswer {
  bool readable = false;   // a JSON object
  std::string retcode;     // "0" = all right; empty where it is missing
  std::string message;     // bounded, numbers masked
  std::string call_id;     // `result` where it is a text or number: callout's answer
  bool has_event = false;  // `event` is there and not null: a poll's answer to be stored
};

/// Tolerant, bounded, never throws on content.
HwAnswer read_hw_answer(std::string_view body);

}  // namespace cc
