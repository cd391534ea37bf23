// Signs what stdin asks for, a JSON object a line, with the product's own code, and prints a line
// each: so that others can reckon the same signatures.
#include <cstdint>
#include <iostream>
#include <string>

#include <boost/json.hpp>

#include "recording/oss_signature.hpp"

namespace json = boost::json;

namespace {

std::string text(const json::value& value) {
  return json::value_to<std::string>(value);
}

cc::TextPairs pairs(const json::value& list) {
  cc::TextPairs out;
  for (const json::value& pair : list.as_array()) {
    out.emplace_back(text(pair.at(0)), text(pair.at(1)));
  }
  return out;
}

json::object signed_as_asked(const json::value& asked) {
  const json::value& with = asked.at("signer");
  const cc::OssSigner signer{text(with.at("id")), text(with.at("secret")), text(with.at("token")),
                             text(with.at("region"))};
  cc::OssSigned request;
  request.method = text(asked.at("method"));
  request.bucket = text(asked.at("bucket"));
  request.key = text(asked.at("key"));
  request.query = pairs(asked.at("query"));
  request.headers = pairs(asked.at("headers"));
  for (const json::value& name : asked.at("additional").as_array()) {
    request.additional.push_back(text(name));
  }
  const std::int64_t now_ms = asked.at("nowMs").as_int64();
  if (const json::value* ttl = asked.as_object().if_contains("ttl")) {
    return {{"query", cc::oss_presigned_query(signer, request, now_ms, ttl->as_int64())}};
  }
  json::array headers;
  for (const auto& [name, value] : cc::oss_signed_headers(signer, request, now_ms)) {
    headers.push_back(json::array{name, value});
  }
  return {{"headers", headers}, {"query", cc::oss_query(request.query)}};
}

}  // namespace

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    std::cout << json::serialize(signed_as_asked(json::parse(line))) << '\n';
  }
}
