// Desks over a database of their own, at a time that stands still until it is moved.
#pragma once

#include "access/directory.hpp"
#include "access/key_desk.hpp"
#include "access/tenant_desk.hpp"
#include "agent_fixture.hpp"
#include "capture.hpp"
#include "text.hpp"

namespace cc::test {

inline constexpr std::int64_t hour_ms = 3'600'000;

struct AccessFixture : AgentFixture {
  TenantDesk tenants() { return {*pool, config, moved, "command:li"}; }
  KeyDesk keys() { return {*pool, config, moved, "command:li"}; }

  void make_tenant(const std::string& name, const SettingsWish& wish = {}) {
    const auto made = wait_for(tenants().create(name, wish));
    if (!made) BOOST_FAIL(made.error().message);
  }

  NewKey wish(const std::string& tenant, const std::string& id) {
    NewKey key;
    key.tenant = tenant;
    key.id = id;
    key.scopes = {"call", "read"};
    return key;
  }
  MadeKey make_key(const NewKey& key) {
    auto made = wait_for(keys().create(key));
    if (!made) BOOST_FAIL(made.error().message);
    return *std::move(made);
  }
  MadeKey make_key(const std::string& tenant, const std::string& id) {
    return make_key(wish(tenant, id));
  }

  std::string revision() { return sql("SELECT revision FROM access_revision"); }
  /// "key.created key.rotated", in order.
  std::string told() { return sql("SELECT string_agg(action, ' ' ORDER BY id) FROM audit"); }

  /// What a daemon would know by now.
  std::map<std::string, Tenant> known() {
    Directory directory(*pool);
    wait_for(directory.look());
    return directory.tenants(config.tenants);
  }
};

}  // namespace cc::test
