// The channels noun over PostgreSQL: what is known of them, and what operators set.
#pragma once

#include "health/channel_desk.hpp"
#include "parts.hpp"

namespace cc {

class DeskService final : public ChannelDesk {
 public:
  /// All of them must outlive it.
  explicit DeskService(const Parts& parts) : DeskService(parts.config, parts.pool, parts.clock) {}
  DeskService(const Config& config, pg::Pool& pool, const Clock& clock)
      : config_(config), pool_(pool), clock_(clock) {}

  asio::awaitable<std::vector<ChannelReport>> list(std::string tenant, OptText channel) override;
  asio::awaitable<std::optional<ChannelReport>> set(std::string tenant, std::string channel,
                                                    ChannelWish wish, std::string who) override;

 private:
  const Config& config_;  // a reload changes it in place
  pg::Pool& pool_;
  const Clock& clock_;
};

}  // namespace cc
