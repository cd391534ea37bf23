// A call as the API shows it. Pure.
#pragma once

#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "call/calls.hpp"
#include "key_ring.hpp"

namespace cc::api {

/// What a key may see (api.md, "Who sees which number").
struct Sight {
  bool numbers = false;  // customers' numbers whole; masked otherwise
  bool admin = false;    // the recording's address at the channel; with `numbers`, raw deliveries
};

Sight sight_of(const Principal& key) noexcept;

/// RFC 4648, section 4, padded.
std::string base64(std::string_view bytes);

boost::json::object to_object(const StoredRecord& record, Sight sight);
std::string to_json(const StoredRecord& record, Sight sight);

boost::json::object to_object(const Timeline& timeline, std::int64_t call, Sight sight);
std::string to_json(const Timeline& timeline, std::int64_t call, Sight sight);

}  // namespace cc::api
