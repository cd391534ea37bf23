#include "json_body.hpp"

#include <algorithm>
#include <utility>

#include <boost/json.hpp>

#include "phone.hpp"
#include "strict_json.hpp"
#include "target.hpp"

namespace cc::api {
namespace {

namespace json = boost::json;

constexpr std::size_t longest_name = 64;  // bytes

bool may_be_read(const Request& request) {
  const std::string* encoding = request.header("content-encoding");
  const std::string* type = request.header("content-type");
  return (encoding == nullptr || *encoding == "identity") && type != nullptr && is_json(*type);
}

}  // namespace

std::variant<json::object, Problem> read_object(const Request& request) {
  Problem problem;
  if (!may_be_read(request)) {
    problem.type = ProblemType::unsupported_media_type;
    problem.detail = "Send Content-Type: application/json, in UTF-8, without Content-Encoding.";
    return problem;
  }
  auto parsed = parse_strictly(request.body);
  if (!parsed) {
    problem.type = ProblemType::malformed_request;
    problem.detail = "The body is " + parsed.error().message;
    problem.invalid_params.push_back({"body", parsed.error().message});
    return problem;
  }
  if (json::object* object = parsed->if_object()) return std::move(*object);
  problem.type = ProblemType::invalid_request;
  problem.detail = "The body must be a JSON object.";
  problem.invalid_params.push_back({"body", "must be an object"});
  return problem;
}

std::string shown_name(std::string_view name) {
  const bool sane =
      name.size() <= longest_name && std::none_of(name.begin(), name.end(), [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
      });
  return sane ? mask_numbers_in(name) : "(a field)";
}

}  // namespace cc::api
