// Jiuyun (玖云): originate, cancel, query (channels.md, e9).
#pragma once

#include <memory>

#include "channel/provider.hpp"

namespace cc {

std::unique_ptr<Provider> make_e9_provider(const ChannelConfig& config, HttpClient& http,
                                           Clock& clock);

/// What a refusal's statusCode means for the call and for other channels. Pure.
OriginateAnswer judge_e9_refusal(const std::string& status_code, std::string represent,
                                 long http_status = 200);

}  // namespace cc
