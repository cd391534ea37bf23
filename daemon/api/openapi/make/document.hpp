// The OpenAPI document out of its parts, one YAML file a noun. Runs at build time.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include <boost/json.hpp>

namespace cc::openapi {

/// What is wrong with a part, "calls.yaml:12:3: …".
struct Wrong : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Reads the files and lays them over each other: maps are joined at every depth. Throws Wrong
/// where a file can't be read, gives a key twice, or gives one that another has given; and where
/// a $ref leads nowhere.
boost::json::object read_parts(const std::vector<std::string>& files);

/// Throws Wrong where a "$ref" of the document leads nowhere.
void check_references(const boost::json::object& document);

}  // namespace cc::openapi
