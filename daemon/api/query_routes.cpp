// /v1/calls, /v1/calls/search, /v1/export.csv: finding calls.
#include "router.hpp"

namespace cc::api {

std::span<const Route> query_routes() noexcept {
  return {};
}

}  // namespace cc::api
