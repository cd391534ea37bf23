#include "channel/channels.hpp"

namespace cc {

void Channels::configure(const std::map<std::string, ChannelConfig>& channels) {
  std::map<std::string, std::shared_ptr<const ConfiguredChannel>, std::less<>> fresh;
  for (const auto& [code, config] : channels) {
    auto channel = std::make_shared<ConfiguredChannel>();
    channel->config = config;
    channel->kind = find_channel(config.kind);
    channel->provider = make_provider(config, http_, clock_);
    fresh.emplace(code, std::move(channel));
  }
  channels_ = std::move(fresh);
}

std::shared_ptr<const ConfiguredChannel> Channels::find(std::string_view code) const {
  const auto found = channels_.find(code);
  return found == channels_.end() ? nullptr : found->second;
}

}  // namespace cc
