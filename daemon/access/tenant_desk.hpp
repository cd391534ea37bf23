// What `ccd tenant` does: tenants are made and changed, each change told in the audit log.
#pragma once

#include <string>

#include "access/access_store.hpp"
#include "access/tenant_settings.hpp"
#include "config.hpp"
#include "io/clock.hpp"

namespace cc {

/// All of its methods throw pg::Failure; what they refuse is an Error for people.
class TenantDesk {
 public:
  /// `config`: as in cc.yaml. `by`: who does it, for the audit log.
  TenantDesk(pg::Pool& pool, const Config& config, const Clock& clock, std::string by)
      : pool_(pool), config_(config), clock_(clock), by_(std::move(by)) {}

  asio::awaitable<Result<StoredTenant>> create(std::string name, SettingsWish wish);
  asio::awaitable<Result<StoredTenant>> change(std::string name, SettingsWish wish);
  /// False: it was so already.
  asio::awaitable<Result<bool>> disable(std::string name, bool disabled);

 private:
  Result<bool> not_in_file(const std::string& name) const;

  pg::Pool& pool_;
  const Config& config_;
  const Clock& clock_;
  std::string by_;
};

}  // namespace cc
