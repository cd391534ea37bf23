// The configured channels by code, each with both its halves.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "channel.hpp"
#include "channel/provider.hpp"
#include "config.hpp"

namespace cc {

struct ConfiguredChannel {
  ChannelConfig config;
  const Channel* kind = nullptr;  // understands; static
  std::unique_ptr<Provider> provider;
};

/// After a reload, calls under way keep the ConfiguredChannel that they began with.
class Channels {
 public:
  Channels(HttpClient& http, Clock& clock) : http_(http), clock_(clock) {}

  void configure(const std::map<std::string, ChannelConfig>& channels);

  /// Null for a code that is not configured.
  std::shared_ptr<const ConfiguredChannel> find(std::string_view code) const;
  const auto& all() const noexcept { return channels_; }

 private:
  HttpClient& http_;
  Clock& clock_;
  std::map<std::string, std::shared_ptr<const ConfiguredChannel>, std::less<>> channels_;
};

}  // namespace cc
