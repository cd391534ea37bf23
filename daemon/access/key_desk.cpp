#include "access/key_desk.hpp"

#include <algorithm>

#include <boost/json.hpp>

#include "access/key_text.hpp"
#include "beijing_time.hpp"
#include "config_check.hpp"

namespace cc {
namespace {

namespace json = boost::json;

// Secrets that open nothing any more are shown for so long, and known to those who still send them.
constexpr std::int64_t shown_ms = std::int64_t{90} * 86'400'000;

std::string named(const std::string& tenant, const std::string& id) {
  return "key \"" + id + "\" of tenant \"" + tenant + "\"";
}

bool in_file(const Config& config, const std::string& tenant, const std::string& id) {
  const auto found = config.tenants.find(tenant);
  if (found == config.tenants.end()) return false;
  const std::vector<ApiKey>& keys = found->second.keys;
  return std::any_of(keys.begin(), keys.end(), [&](const ApiKey& key) { return key.id == id; });
}

std::string detail_of(const StoredKey& key, OptMs expires) {
  json::object detail;
  detail["key"] = key.id;
  detail["scopes"] = json::value_from(key.scopes);
  if (!key.addresses.empty()) detail["addresses"] = json::value_from(key.addresses);
  if (expires) detail["expires"] = *expires;
  return json::serialize(detail);
}

/// Those that open something, oldest first.
std::vector<StoredSecret*> live_of(StoredKey& key, std::int64_t now_ms) {
  std::vector<StoredSecret*> live;
  for (StoredSecret& secret : key.secrets) {
    if (secret.live(now_ms)) live.push_back(&secret);
  }
  return live;
}

}  // namespace

asio::awaitable<Result<MadeKey>> KeyDesk::create(NewKey wish) {
  const std::int64_t now_ms = clock_.epoch_ms();
  if (!is_name(wish.id, 64)) {
    co_return Error{"a key's id must be 1 to 64 letters, digits and ._-: logs show it"};
  }
  if (in_file(config_, wish.tenant, wish.id)) {
    co_return Error{named(wish.tenant, wish.id) + " stands in cc.yaml; take another id"};
  }
  if (wish.expires && *wish.expires <= now_ms) {
    co_return Error{"the key would have expired at " + format_utc(*wish.expires) + " already"};
  }
  StoredKey key;
  key.tenant = wish.tenant;
  key.id = wish.id;
  key.scopes = std::move(wish.scopes);
  key.addresses = std::move(wish.addresses);
  key.note = std::move(wish.note);
  key.created = now_ms;
  KeyText made = make_key();
  StoredSecret secret;
  secret.sha256 = made.sha256;
  secret.created = now_ms;
  secret.expires = wish.expires;

  pg::Transaction transaction = co_await pool_.begin();
  std::vector<pg::Statement> looks;
  looks.push_back(raise_revision());
  looks.push_back(find_tenant(key.tenant));
  KeyFilter same{key.tenant, key.id};
  looks.push_back(find_keys(same));
  const std::vector<pg::Rows> found = co_await transaction.pipeline(std::move(looks));
  if (found[1].empty() && !config_.tenants.contains(key.tenant)) {
    co_return Error{"there is no tenant \"" + key.tenant +
                    "\"; `ccd tenant list` shows them, `ccd tenant create` makes one"};
  }
  if (!found[2].empty()) {
    co_return Error{"there is a " + named(key.tenant, key.id) +
                    " already; take another id, or, unless it is revoked, let `ccd key rotate` "
                    "make another secret of it"};
  }
  std::vector<pg::Statement> statements;
  statements.push_back(insert_key(key));
  statements.push_back(insert_secret(key, secret));
  statements.push_back(
      told_in_audit(key.tenant, by_, "key.created", detail_of(key, secret.expires)));
  co_await transaction.pipeline_and_commit(std::move(statements));
  MadeKey answer;
  answer.text = std::move(made.key);
  answer.expires = secret.expires;
  co_return answer;
}

asio::awaitable<Result<StoredKey>> KeyDesk::find_locked(pg::Transaction& transaction,
                                                        std::string tenant, std::string id) {
  if (in_file(config_, tenant, id)) {
    co_return Error{named(tenant, id) +
                    " stands in cc.yaml: change it there, then systemctl "
                    "reload ccd"};
  }
  std::vector<pg::Statement> statements;
  statements.push_back(raise_revision());
  KeyFilter filter{tenant, id};
  statements.push_back(find_keys(filter));
  const std::vector<pg::Rows> rows = co_await transaction.pipeline(std::move(statements));
  std::vector<StoredKey> found = keys_from_rows(rows[1]);
  if (found.empty()) {
    co_return Error{"there is no " + named(tenant, id) + "; `ccd key list` shows them"};
  }
  co_return std::move(found.front());
}

asio::awaitable<Result<MadeKey>> KeyDesk::rotate(std::string tenant, std::string id, Millis grace,
                                                 OptMs expires) {
  const std::int64_t now_ms = clock_.epoch_ms();
  if (expires && *expires <= now_ms) {
    co_return Error{"the key would have expired at " + format_utc(*expires) + " already"};
  }
  pg::Transaction transaction = co_await pool_.begin();
  Result<StoredKey> key = co_await find_locked(transaction, tenant, id);
  if (!key) co_return key.error();
  std::vector<StoredSecret*> live = live_of(*key, now_ms);
  if (live.size() > 1) {
    co_return Error{named(tenant, id) + " has two secrets already, the older one until " +
                    (live.front()->expires ? format_utc(*live.front()->expires) : "it is revoked") +
                    "; `ccd key revoke " + tenant + " " + id + " --old` makes room"};
  }
  const StoredSecret& last = key->secrets.back();
  if (live.empty() && last.revoked) {
    co_return Error{named(tenant, id) +
                    " is revoked; `ccd key create` makes another one, under another id"};
  }
  KeyText made = make_key();
  StoredSecret secret;
  secret.sha256 = made.sha256;
  secret.created = std::max(now_ms, last.created + 1);  // which is the older one must show
  secret.expires = expires;
  if (!expires && last.expires) secret.expires = now_ms + (*last.expires - last.created);
  MadeKey answer;
  answer.text = std::move(made.key);
  answer.expires = secret.expires;
  std::vector<pg::Statement> statements;
  if (!live.empty()) {
    StoredSecret& old = *live.front();
    old.expires = std::min(old.expires.value_or(INT64_MAX), now_ms + grace.count());
    answer.old_expires = old.expires;
    statements.push_back(update_secret(old));
  }
  statements.push_back(forget_secrets(*key, now_ms - shown_ms));
  statements.push_back(insert_secret(*key, secret));
  statements.push_back(told_in_audit(tenant, by_, "key.rotated", detail_of(*key, secret.expires)));
  co_await transaction.pipeline_and_commit(std::move(statements));
  co_return answer;
}

asio::awaitable<Result<std::size_t>> KeyDesk::revoke(std::string tenant, std::string id,
                                                     bool old_only) {
  const std::int64_t now_ms = clock_.epoch_ms();
  pg::Transaction transaction = co_await pool_.begin();
  Result<StoredKey> key = co_await find_locked(transaction, tenant, id);
  if (!key) co_return key.error();
  std::vector<StoredSecret*> live = live_of(*key, now_ms);
  if (old_only && live.size() < 2) {
    co_return Error{named(tenant, id) + (live.empty() ? " has no secret that opens anything"
                                                      : " has one secret only; without --old it "
                                                        "is revoked")};
  }
  if (old_only) live.resize(1);
  std::vector<pg::Statement> statements;
  for (StoredSecret* secret : live) {
    secret->revoked = now_ms;
    statements.push_back(update_secret(*secret));
  }
  const std::size_t count = live.size();
  // Of a key that had expired, the last secret: so that nobody gives it a new one.
  if (live.empty() && !key->secrets.back().revoked) {
    key->secrets.back().revoked = now_ms;
    statements.push_back(update_secret(key->secrets.back()));
  }
  if (statements.empty()) co_return count;
  statements.push_back(told_in_audit(tenant, by_, old_only ? "key.old_revoked" : "key.revoked",
                                     detail_of(*key, std::nullopt)));
  co_await transaction.pipeline_and_commit(std::move(statements));
  co_return count;
}

}  // namespace cc
