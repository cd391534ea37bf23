// Who may ask: the tenants and keys of cc.yaml, and those that commands have made.
#pragma once

#include <map>
#include <string>

#include "access/access_store.hpp"
#include "config.hpp"

namespace cc {

/// Both together. A tenant of cc.yaml is as it stands there, whatever PostgreSQL has under its
/// name; the keys made for it are added, but for those whose id is taken there. Of `stored`,
/// tenants whose settings nobody can read are left out. `complaints` says what was left out, a line
/// each.
std::map<std::string, Tenant> join_tenants(const std::map<std::string, Tenant>& of_file,
                                           const StoredAccess& stored,
                                           std::vector<std::string>& complaints);

/// What commands have made, as it was last seen.
class Directory {
 public:
  explicit Directory(pg::Pool& pool) : pool_(pool) {}

  /// Reads all of it anew if any of it has changed. Whether it had. Throws pg::Failure; then what
  /// was known stays.
  asio::awaitable<bool> look();

  /// With the file's. What has to be left out is logged.
  std::map<std::string, Tenant> tenants(const std::map<std::string, Tenant>& of_file) const;

 private:
  pg::Pool& pool_;
  StoredAccess stored_;  // revision 0: nothing has been read yet
};

}  // namespace cc
