#include "access/directory.hpp"

#include <algorithm>

#include "access/tenant_settings.hpp"
#include "log.hpp"
#include "text.hpp"

namespace cc {
namespace {

ApiKey key_of(const StoredKey& stored) {
  ApiKey key;
  key.id = stored.id;
  key.scopes = stored.scopes;
  key.addresses = stored.addresses;
  for (const StoredSecret& secret : stored.secrets) {
    ApiKey::Secret& one = key.secrets.emplace_back();
    one.sha256 = to_hex(secret.sha256);
    one.expires_ms = secret.expires.value_or(0);
    one.revoked = secret.revoked.has_value();
    one.stored = true;
  }
  return key;
}

}  // namespace

std::map<std::string, Tenant> join_tenants(const std::map<std::string, Tenant>& of_file,
                                           const StoredAccess& stored,
                                           std::vector<std::string>& complaints) {
  std::map<std::string, Tenant> tenants = of_file;
  for (const StoredTenant& one : stored.tenants) {
    if (of_file.contains(one.name)) {
      complaints.push_back("tenant \"" + one.name +
                           "\" was made by ccd tenant and stands in cc.yaml too, which counts; "
                           "take it out of one of them");
      continue;
    }
    Result<Tenant> tenant = tenant_from_settings(one.name, one.settings);
    if (!tenant) {
      complaints.push_back("tenant \"" + one.name + "\", made by ccd tenant, is left out: " +
                           tenant.error().message + "; see ccd tenant set");
      continue;
    }
    tenant->disabled = one.disabled;
    tenants.emplace(one.name, *std::move(tenant));
  }
  for (const StoredKey& one : stored.keys) {
    const auto tenant = tenants.find(one.tenant);
    if (tenant == tenants.end()) continue;
    std::vector<ApiKey>& keys = tenant->second.keys;
    if (std::any_of(keys.begin(), keys.end(),
                    [&](const ApiKey& other) { return other.id == one.id; })) {
      complaints.push_back("key \"" + one.id + "\" of tenant \"" + one.tenant +
                           "\" was made by ccd key and stands in cc.yaml too, which counts; give "
                           "the one in cc.yaml another id, or ccd key revoke the other");
      continue;
    }
    keys.push_back(key_of(one));
  }
  return tenants;
}

asio::awaitable<bool> Directory::look() {
  const std::int64_t revision = co_await access_revision(pool_);
  // Another one, not a higher one: PostgreSQL may have been set back.
  if (revision == stored_.revision) co_return false;
  stored_ = co_await read_access(pool_);
  co_return true;
}

std::map<std::string, Tenant> Directory::tenants(
    const std::map<std::string, Tenant>& of_file) const {
  std::vector<std::string> complaints;
  std::map<std::string, Tenant> all = join_tenants(of_file, stored_, complaints);
  for (const std::string& complaint : complaints) log().warn("{}", complaint);
  return all;
}

}  // namespace cc
