#include "fields.hpp"

#include <algorithm>
#include <cmath>

#include <boost/json.hpp>

#include "json_body.hpp"
#include "phone.hpp"

namespace cc::api {
namespace {

namespace json = boost::json;

bool printable(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

}  // namespace

const json::value* Fields::find(std::string_view name) {
  known_.push_back(name);
  const json::value* value = object_.if_contains(name);
  return value == nullptr || value->is_null() ? nullptr : value;
}

void Fields::refuse(std::string_view name, std::string reason) {
  wrong_.push_back({std::string(name), std::move(reason)});
}

OptText Fields::text(std::string_view name, std::size_t width) {
  const json::value* value = find(name);
  if (value == nullptr) return std::nullopt;
  const json::string* content = value->if_string();
  if (content == nullptr) {
    refuse(name, "must be text");
  } else if (content->empty() || characters(*content) > width) {
    refuse(name, "must have 1 to " + std::to_string(width) + " characters");
  } else if (!printable(*content)) {
    refuse(name, "must not hold control characters");
  } else {
    return std::string(*content);
  }
  return std::nullopt;
}

OptText Fields::number(std::string_view name) {
  const json::value* value = find(name);
  if (value == nullptr) return std::nullopt;
  const json::string* content = value->if_string();
  auto canonical = content == nullptr || content->size() > 64
                       ? std::nullopt
                       : canonical_number(std::string_view(*content));
  if (!canonical) refuse(name, "must be a phone number as text: 3 to 15 digits");
  return canonical;
}

OptText Fields::digits(std::string_view name, std::size_t width) {
  auto content = text(name, width);
  if (content &&
      !std::all_of(content->begin(), content->end(), [](char c) { return c >= '0' && c <= '9'; })) {
    refuse(name, "must be digits");
    return std::nullopt;
  }
  return content;
}

std::optional<bool> Fields::boolean(std::string_view name) {
  const json::value* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (const bool* content = value->if_bool()) return *content;
  refuse(name, "must be true or false");
  return std::nullopt;
}

std::optional<int> Fields::integer(std::string_view name, int least, int most) {
  const json::value* value = find(name);
  if (value == nullptr) return std::nullopt;
  // 300.0 is a whole number to JSON Schema, and some libraries write it so.
  if (const double* real = value->if_double()) {
    if (*real >= least && *real <= most && *real == std::floor(*real)) {
      return static_cast<int>(*real);
    }
  }
  const std::int64_t* content = value->if_int64();
  if (content != nullptr && *content >= least && *content <= most) {
    return static_cast<int>(*content);
  }
  refuse(name,
         "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  return std::nullopt;
}

std::vector<InvalidParam> Fields::wrong() && {
  for (const auto& member : object_) {
    const std::string_view name = member.key();
    if (std::find(known_.begin(), known_.end(), name) != known_.end()) continue;
    refuse(shown_name(name), "unknown field");
  }
  return std::move(wrong_);
}

std::size_t characters(std::string_view utf8) {
  return static_cast<std::size_t>(std::count_if(utf8.begin(), utf8.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

std::string plain_agent(const std::string& agent) {
  return canonical_number(agent).value_or(agent);
}

Problem wrong_fields(std::vector<InvalidParam> wrong) {
  Problem problem;
  problem.type = ProblemType::invalid_request;
  problem.detail = wrong.size() == 1 ? wrong[0].name + " " + wrong[0].reason + "."
                                     : std::to_string(wrong.size()) +
                                           " fields are wrong; invalidParams names them.";
  problem.invalid_params = std::move(wrong);
  return problem;
}

}  // namespace cc::api
