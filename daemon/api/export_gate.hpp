// Exports read page after page for minutes: so few run at a time that calls are never kept waiting
// for one of the database's connections.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>

namespace cc::api {

class ExportGate {
 public:
  static constexpr std::size_t most_of_tenant = 2, most = 4;  // of a daemon, at a time

  /// To be held while it runs; null where as many run already. May outlive the gate.
  std::shared_ptr<void> enter(const std::string& tenant);

 private:
  struct Running {
    std::map<std::string, std::size_t> of_tenant;
    std::size_t all = 0;
  };
  std::shared_ptr<Running> running_ = std::make_shared<Running>();
};

}  // namespace cc::api
