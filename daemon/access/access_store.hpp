// What `ccd tenant` and `ccd key` have made, as it stands in PostgreSQL.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "io/pg.hpp"
#include "record.hpp"

namespace cc {

namespace asio = boost::asio;

struct StoredTenant {
  std::string name;
  std::string settings;  // JSON, see tenant_settings.hpp
  bool disabled = false;
  std::int64_t created = 0, updated = 0;  // epoch ms
};

struct StoredSecret {
  std::string sha256;  // of the key, 32 bytes
  std::int64_t created = 0;
  OptMs expires, revoked, used;

  bool live(std::int64_t now_ms) const { return !revoked && (!expires || *expires > now_ms); }
};

struct StoredKey {
  std::string tenant, id;
  std::set<std::string> scopes;
  std::vector<std::string> addresses;
  OptText note;
  std::int64_t created = 0;
  std::vector<StoredSecret> secrets;  // oldest first
};

struct StoredAccess {
  std::int64_t revision = 0;
  std::vector<StoredTenant> tenants;  // by name
  std::vector<StoredKey> keys;        // by tenant and id
};

/// Which keys, or (both absent) all.
struct KeyFilter {
  OptText tenant, id;
};

// All of these throw pg::Failure.

/// Another one than before: something has changed.
asio::awaitable<std::int64_t> access_revision(pg::Pool& pool);

/// Everything, as it was at one moment.
asio::awaitable<StoredAccess> read_access(pg::Pool& pool);

/// For commands, in a transaction of theirs. They take the revision first: so only one of them at
/// a time changes anything, and what it reads stays as it is until it commits.
pg::Statement raise_revision();
pg::Statement find_tenant(const std::string& name);
pg::Statement find_keys(const KeyFilter& filter);
std::vector<StoredTenant> tenants_from_rows(const pg::Rows& rows);
std::vector<StoredKey> keys_from_rows(const pg::Rows& rows);

/// `tenant.updated` becomes the time of both if it is new.
pg::Statement put_tenant(const StoredTenant& tenant);
/// Without its secrets.
pg::Statement insert_key(const StoredKey& key);
pg::Statement insert_secret(const StoredKey& key, const StoredSecret& secret);
/// Its expiry and revocation.
pg::Statement update_secret(const StoredSecret& secret);
/// Those of the key that have opened nothing since `before_ms`.
pg::Statement forget_secrets(const StoredKey& key, std::int64_t before_ms);

/// The audit log's row of a change. `detail`: a JSON object without secrets.
pg::Statement told_in_audit(const std::string& tenant, const std::string& by,
                            std::string_view action, const std::string& detail);

/// When secrets (SHA-256, 32 bytes) were last used, epoch ms. An earlier time than the stored one
/// changes nothing.
asio::awaitable<void> write_used(pg::Pool& pool,
                                 std::vector<std::pair<std::string, std::int64_t>> uses);

}  // namespace cc
