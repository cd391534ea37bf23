// /v1/rejections: refused requests for calls.
#include "router.hpp"

namespace cc::api {

std::span<const Route> rejection_routes() noexcept {
  return {};
}

}  // namespace cc::api
