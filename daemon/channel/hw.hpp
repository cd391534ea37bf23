// Huawei's agent gateway: sessions, polls, callout, hang-up, query (channels.md, hw).
#pragma once

#include <memory>

#include "channel/hw_gateway.hpp"
#include "channel/provider.hpp"

namespace cc {

std::unique_ptr<Provider> make_hw_provider(const ChannelConfig& config, HttpClient& http,
                                           Clock& clock);

/// How the gateway took a callout. Pure.
OriginateAnswer judge_hw_callout(const HwReply& reply);

}  // namespace cc
