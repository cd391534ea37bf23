#include "access/tenant_desk.hpp"

#include "config_check.hpp"

namespace cc {
namespace {

Error no_such_tenant(const std::string& name) {
  return Error{"there is no tenant \"" + name + "\"; `ccd tenant list` shows them"};
}

/// The tenant as it is, behind the lock that every change takes.
asio::awaitable<std::optional<StoredTenant>> find_locked(pg::Transaction& transaction,
                                                         std::string name) {
  std::vector<pg::Statement> statements;
  statements.push_back(raise_revision());
  statements.push_back(find_tenant(name));
  const std::vector<pg::Rows> rows = co_await transaction.pipeline(std::move(statements));
  std::vector<StoredTenant> found = tenants_from_rows(rows[1]);
  if (found.empty()) co_return std::nullopt;
  co_return std::move(found.front());
}

asio::awaitable<void> put_and_tell(pg::Transaction& transaction, StoredTenant tenant,
                                   std::string by, std::string action) {
  const std::string detail = tenant.settings;
  std::vector<pg::Statement> statements;
  statements.push_back(put_tenant(tenant));
  statements.push_back(told_in_audit(tenant.name, by, action, detail));
  co_await transaction.pipeline_and_commit(std::move(statements));
}

}  // namespace

Result<bool> TenantDesk::not_in_file(const std::string& name) const {
  if (!config_.tenants.contains(name)) return true;
  return Error{"tenant \"" + name +
               "\" stands in cc.yaml: change it there, then systemctl reload ccd"};
}

asio::awaitable<Result<StoredTenant>> TenantDesk::create(std::string name, SettingsWish wish) {
  if (!is_name(name, 32)) {
    co_return Error{"a tenant's name must be 1 to 32 letters, digits and ._-"};
  }
  if (const auto ours = not_in_file(name); !ours) co_return ours.error();
  Result<std::string> settings = change_settings("{}", wish, config_);
  if (!settings) co_return settings.error();
  pg::Transaction transaction = co_await pool_.begin();
  if (co_await find_locked(transaction, name)) {
    co_return Error{"there is a tenant \"" + name + "\" already; `ccd tenant set` changes it"};
  }
  StoredTenant tenant;
  tenant.name = name;
  tenant.settings = *std::move(settings);
  tenant.created = tenant.updated = clock_.epoch_ms();
  co_await put_and_tell(transaction, tenant, by_, "tenant.created");
  co_return tenant;
}

asio::awaitable<Result<StoredTenant>> TenantDesk::change(std::string name, SettingsWish wish) {
  if (const auto ours = not_in_file(name); !ours) co_return ours.error();
  pg::Transaction transaction = co_await pool_.begin();
  std::optional<StoredTenant> tenant = co_await find_locked(transaction, name);
  if (!tenant) co_return no_such_tenant(name);
  Result<std::string> settings = change_settings(tenant->settings, wish, config_);
  if (!settings) co_return settings.error();
  tenant->settings = *std::move(settings);
  tenant->updated = clock_.epoch_ms();
  co_await put_and_tell(transaction, *tenant, by_, "tenant.changed");
  co_return *std::move(tenant);
}

asio::awaitable<Result<bool>> TenantDesk::disable(std::string name, bool disabled) {
  if (const auto ours = not_in_file(name); !ours) co_return ours.error();
  pg::Transaction transaction = co_await pool_.begin();
  std::optional<StoredTenant> tenant = co_await find_locked(transaction, name);
  if (!tenant) co_return no_such_tenant(name);
  if (tenant->disabled == disabled) co_return false;
  tenant->disabled = disabled;
  tenant->updated = clock_.epoch_ms();
  co_await put_and_tell(transaction, *std::move(tenant), by_,
                        disabled ? "tenant.disabled" : "tenant.enabled");
  co_return true;
}

}  // namespace cc
