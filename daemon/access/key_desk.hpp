// What `ccd key` does: keys are made, changed for others and revoked, each told in the audit log.
#pragma once

#include <chrono>
#include <string>

#include "access/access_store.hpp"
#include "config.hpp"
#include "io/clock.hpp"

namespace cc {

struct NewKey {
  std::string tenant, id;
  std::set<std::string> scopes;        // call, read, numbers, admin
  std::vector<std::string> addresses;  // networks; none = from anywhere
  OptText note;
  OptMs expires;  // nothing = never
};

/// A key that was just made. Its text is told here and nowhere else.
struct MadeKey {
  std::string text;
  OptMs expires;
  OptMs old_expires;  // of the one whose place it takes
};

/// All of its methods throw pg::Failure; what they refuse is an Error for people.
class KeyDesk {
 public:
  /// `config`: as in cc.yaml. `by`: who does it, for the audit log.
  KeyDesk(pg::Pool& pool, const Config& config, const Clock& clock, std::string by)
      : pool_(pool), config_(config), clock_(clock), by_(std::move(by)) {}

  asio::awaitable<Result<MadeKey>> create(NewKey wish);

  /// A second secret; the one in use can still be used for `grace`. Refused while there are two.
  /// Without `expires` it lives as long as the one before was given when it was made.
  asio::awaitable<Result<MadeKey>> rotate(std::string tenant, std::string id, Millis grace,
                                          OptMs expires);

  /// All of its secrets, or only the older one of two. How many.
  asio::awaitable<Result<std::size_t>> revoke(std::string tenant, std::string id, bool old_only);

 private:
  /// A key that commands may change; the revision is raised, and so locked, when this returns.
  asio::awaitable<Result<StoredKey>> find_locked(pg::Transaction& transaction, std::string tenant,
                                                 std::string id);

  pg::Pool& pool_;
  const Config& config_;
  const Clock& clock_;
  std::string by_;
};

}  // namespace cc
