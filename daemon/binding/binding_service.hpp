// The bindings noun over PostgreSQL.
#pragma once

#include "binding/bindings.hpp"
#include "parts.hpp"

namespace cc {

class BindingService final : public Bindings {
 public:
  /// All of them must outlive it.
  explicit BindingService(const Parts& parts)
      : BindingService(parts.config, parts.pool, parts.clock) {}
  BindingService(const Config& config, pg::Pool& pool, const Clock& clock)
      : config_(config), pool_(pool), clock_(clock) {}

  asio::awaitable<std::variant<Put, BindingRefusal>> put(Binding wish) override;
  asio::awaitable<std::optional<Binding>> get(std::string tenant, std::string user) override;
  asio::awaitable<std::vector<Binding>> list(std::string tenant, BindingFilter filter) override;
  asio::awaitable<bool> remove(std::string tenant, std::string user) override;

 private:
  const Config& config_;  // a reload changes it in place
  pg::Pool& pool_;
  const Clock& clock_;
};

/// A filter's agent as lines are stored; any channel's form where it names none.
std::string filtered_agent(const Config& config, const BindingFilter& filter);

}  // namespace cc
