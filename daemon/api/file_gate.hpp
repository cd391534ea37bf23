// Each file that is given holds a connection and a descriptor for as long as its reader takes: so
// few are given at a time that slow readers never keep the API from its calls.
#pragma once

#include <memory>

namespace cc::api {

class FileGate {
 public:
  static constexpr long most = 64;  // requests of a daemon in hand, at a time

  /// To be held while it is; null where as many are already. May outlive the gate.
  std::shared_ptr<void> enter() const {
    if (places_.use_count() > most) return nullptr;
    return places_;
  }

 private:
  std::shared_ptr<int> places_ = std::make_shared<int>();  // counts itself and every pass
};

}  // namespace cc::api
