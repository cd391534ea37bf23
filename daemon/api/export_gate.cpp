#include "export_gate.hpp"

namespace cc::api {

std::shared_ptr<void> ExportGate::enter(const std::string& tenant) {
  std::size_t& of_tenant = running_->of_tenant[tenant];
  if (running_->all >= most || of_tenant >= most_of_tenant) {
    if (of_tenant == 0) running_->of_tenant.erase(tenant);
    return nullptr;
  }
  ++running_->all;
  ++of_tenant;
  const auto leave = [running = running_, tenant](void*) {
    --running->all;
    if (--running->of_tenant[tenant] == 0) running->of_tenant.erase(tenant);
  };
  return {running_.get(), leave};
}

}  // namespace cc::api
