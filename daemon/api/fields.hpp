// Takes a JSON object of an application apart and gathers all that is wrong with it. null counts as
// absent.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

#include "problem.hpp"
#include "record.hpp"

namespace cc::api {

class Fields {
 public:
  /// `object` must outlive it.
  explicit Fields(const boost::json::object& object) : object_(object) {}

  const boost::json::value* find(std::string_view name);
  void refuse(std::string_view name, std::string reason);

  /// 1 to `width` printable characters.
  OptText text(std::string_view name, std::size_t width);
  /// A phone number in its canonical form.
  OptText number(std::string_view name);
  OptText digits(std::string_view name, std::size_t width);
  std::optional<bool> boolean(std::string_view name);
  std::optional<int> integer(std::string_view name, int least, int most);

  /// What is wrong, unknown fields included. To be asked last.
  std::vector<InvalidParam> wrong() &&;

 private:
  const boost::json::object& object_;
  std::vector<std::string_view> known_;
  std::vector<InvalidParam> wrong_;
};

/// How many characters well-formed UTF-8 has.
std::size_t characters(std::string_view utf8);

/// A line's name as it is stored: of a phone the canonical number. Seats' names stay as they are.
std::string plain_agent(const std::string& agent);

/// The problem that says all of it; `wrong` is not empty.
Problem wrong_fields(std::vector<InvalidParam> wrong);

}  // namespace cc::api
