// What PostgreSQL knows of recordings, and the ways to them that the store signs.
#pragma once

#include <memory>

#include "io/clock.hpp"
#include "io/pg.hpp"
#include "recording/object_store.hpp"
#include "recording/recordings.hpp"

namespace cc {

class StoredRecordings final : public Recordings {
 public:
  StoredRecordings(pg::Pool& pool, const Clock& clock) : pool_(pool), clock_(clock) {}

  /// Where they lie, null = no store is configured; `ttl` in seconds, of links that nobody asked
  /// otherwise for. From the next request on.
  void configure(std::shared_ptr<const ObjectStore> store, int ttl) {
    store_ = std::move(store);
    ttl_ = ttl;
  }

  asio::awaitable<std::optional<RecordingStatus>> status(std::string tenant, std::int64_t call,
                                                         bool ivr) override;
  asio::awaitable<std::optional<RecordingLink>> link(std::string tenant, std::int64_t call,
                                                     bool ivr, std::optional<int> ttl) override;

 private:
  asio::awaitable<pg::Rows> read(std::string tenant, std::int64_t call, bool ivr);

  pg::Pool& pool_;
  const Clock& clock_;
  std::shared_ptr<const ObjectStore> store_;
  int ttl_ = 300;
};

}  // namespace cc
