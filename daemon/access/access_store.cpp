#include "access/access_store.hpp"

namespace cc {
namespace {

constexpr std::string_view snapshot_sql =
    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY";

constexpr std::string_view revision_sql = "SELECT revision FROM access_revision";

constexpr std::string_view raise_sql = "UPDATE access_revision SET revision = revision + 1";

constexpr std::string_view tenants_sql =
    "SELECT name, settings::text AS settings, disabled, created, updated FROM tenant "
    "WHERE $1::varchar IS NULL OR name = $1 ORDER BY name";

// A row for each secret; a key always has one. Nothing in scopes and networks has a comma.
constexpr std::string_view keys_sql =
    "SELECT k.tenant, k.id, array_to_string(k.scopes, ',') AS scopes, "
    "array_to_string(k.addresses, ',') AS addresses, k.note, k.created, s.sha256, s.created AS "
    "secret_created, s.expires, s.revoked, s.used FROM api_key k JOIN api_secret s ON s.tenant = "
    "k.tenant AND s.key = k.id WHERE ($1::varchar IS NULL OR k.tenant = $1) AND ($2::varchar IS "
    "NULL OR k.id = $2) ORDER BY k.tenant, k.id, s.created, s.sha256";

constexpr std::string_view put_tenant_sql =
    "INSERT INTO tenant (name, settings, disabled, created, updated) VALUES ($1, $2::jsonb, $3, "
    "$4, $4) ON CONFLICT (name) DO UPDATE SET settings = excluded.settings, disabled = "
    "excluded.disabled, updated = excluded.updated";

constexpr std::string_view insert_key_sql =
    "INSERT INTO api_key (tenant, id, scopes, addresses, note, created) VALUES ($1, $2, "
    "$3::text[], $4::text[], $5, $6)";

constexpr std::string_view insert_secret_sql =
    "INSERT INTO api_secret (sha256, tenant, key, created, expires) VALUES ($1, $2, $3, $4, $5)";

constexpr std::string_view update_secret_sql =
    "UPDATE api_secret SET expires = $2, revoked = $3 WHERE sha256 = $1";

constexpr std::string_view forget_sql =
    "DELETE FROM api_secret WHERE tenant = $1 AND key = $2 AND (revoked < $3 OR expires < $3)";

constexpr std::string_view audit_sql =
    "INSERT INTO audit (at, tenant, key, action, detail) VALUES ((extract(epoch FROM "
    "clock_timestamp()) * 1000)::bigint, $1, left($2, 96), $3, $4::jsonb)";

constexpr std::string_view used_sql =
    "UPDATE api_secret s SET used = u.at FROM unnest($1::bytea[], $2::bigint[]) AS u (sha256, at) "
    "WHERE s.sha256 = u.sha256 AND (s.used IS NULL OR s.used < u.at)";

std::vector<std::string> split(std::string_view list) {
  std::vector<std::string> words;
  while (!list.empty()) {
    const auto comma = list.find(',');
    words.emplace_back(list.substr(0, comma));
    list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
  }
  return words;
}

}  // namespace

asio::awaitable<std::int64_t> access_revision(pg::Pool& pool) {
  const pg::Rows rows = co_await pool.query(revision_sql);
  co_return rows.empty() ? 0 : rows.integer(0, "revision");
}

asio::awaitable<StoredAccess> read_access(pg::Pool& pool) {
  pg::Transaction transaction = co_await pool.begin();
  std::vector<pg::Statement> statements;
  statements.push_back({snapshot_sql});
  statements.push_back({revision_sql});
  statements.push_back({tenants_sql, pg::params(OptText())});
  statements.push_back(find_keys({}));
  const std::vector<pg::Rows> rows = co_await transaction.pipeline(std::move(statements));
  StoredAccess access;
  if (!rows[1].empty()) access.revision = rows[1].integer(0, "revision");
  access.tenants = tenants_from_rows(rows[2]);
  access.keys = keys_from_rows(rows[3]);
  co_return access;
}

pg::Statement raise_revision() {
  return {raise_sql};
}

pg::Statement find_tenant(const std::string& name) {
  return {tenants_sql, pg::params(name)};
}

pg::Statement find_keys(const KeyFilter& filter) {
  return {keys_sql, pg::params(filter.tenant, filter.id)};
}

std::vector<StoredTenant> tenants_from_rows(const pg::Rows& rows) {
  std::vector<StoredTenant> tenants(rows.size());
  for (std::size_t row = 0; row < rows.size(); ++row) {
    StoredTenant& tenant = tenants[row];
    tenant.name = rows.text(row, "name");
    tenant.settings = rows.text(row, "settings");
    tenant.disabled = rows.boolean(row, "disabled");
    tenant.created = rows.integer(row, "created");
    tenant.updated = rows.integer(row, "updated");
  }
  return tenants;
}

std::vector<StoredKey> keys_from_rows(const pg::Rows& rows) {
  std::vector<StoredKey> keys;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const std::string_view tenant = rows.text(row, "tenant"), id = rows.text(row, "id");
    if (keys.empty() || keys.back().tenant != tenant || keys.back().id != id) {
      StoredKey& key = keys.emplace_back();
      key.tenant = tenant;
      key.id = id;
      for (std::string& scope : split(rows.text(row, "scopes"))) {
        key.scopes.insert(std::move(scope));
      }
      key.addresses = split(rows.text(row, "addresses"));
      key.note = rows.opt_text(row, "note");
      key.created = rows.integer(row, "created");
    }
    StoredSecret& secret = keys.back().secrets.emplace_back();
    secret.sha256 = rows.bytes(row, "sha256");
    secret.created = rows.integer(row, "secret_created");
    secret.expires = rows.opt_integer(row, "expires");
    secret.revoked = rows.opt_integer(row, "revoked");
    secret.used = rows.opt_integer(row, "used");
  }
  return keys;
}

pg::Statement put_tenant(const StoredTenant& tenant) {
  return {put_tenant_sql,
          pg::params(tenant.name, tenant.settings, tenant.disabled, tenant.updated)};
}

pg::Statement insert_key(const StoredKey& key) {
  const std::vector<std::string> scopes(key.scopes.begin(), key.scopes.end());
  return {insert_key_sql, pg::params(key.tenant, key.id, pg::array(scopes),
                                     pg::array(key.addresses), key.note, key.created)};
}

pg::Statement insert_secret(const StoredKey& key, const StoredSecret& secret) {
  return {insert_secret_sql,
          pg::params(pg::bytes(secret.sha256), key.tenant, key.id, secret.created, secret.expires)};
}

pg::Statement update_secret(const StoredSecret& secret) {
  return {update_secret_sql, pg::params(pg::bytes(secret.sha256), secret.expires, secret.revoked)};
}

pg::Statement forget_secrets(const StoredKey& key, std::int64_t before_ms) {
  return {forget_sql, pg::params(key.tenant, key.id, before_ms)};
}

pg::Statement told_in_audit(const std::string& tenant, const std::string& by,
                            std::string_view action, const std::string& detail) {
  return {audit_sql, pg::params(tenant, by, action, detail)};
}

asio::awaitable<void> write_used(pg::Pool& pool,
                                 std::vector<std::pair<std::string, std::int64_t>> uses) {
  std::vector<std::string> digests;
  std::vector<std::int64_t> times;
  for (auto& [digest, at] : uses) {
    digests.push_back(std::move(digest));
    times.push_back(at);
  }
  co_await pool.query(used_sql, pg::params(pg::array_of_bytes(digests), pg::array(times)));
}

}  // namespace cc
