// A blocking HTTP client for tests: JSON in, JSON out.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <boost/json.hpp>

namespace cc::test {

namespace json = boost::json;

struct Answer {
  long status = 0;  // 0 = no answer; `problem` says why
  std::string problem;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string text;

  /// The body as JSON; null where it is none.
  json::value body() const;
  /// A member of the body as text: strings as they are, numbers in decimal, null and absent as "".
  std::string at(const std::string& name) const;
};

struct Call {
  std::string method = "GET";
  std::string url = {};
  std::string body = {};
  std::vector<std::string> headers = {};  // "Name: value"
  long timeout_ms = 40'000;
};

Answer send(const Call& call);

/// All at the same time, each on a connection of its own.
std::vector<Answer> send_together(const std::vector<Call>& calls);

std::string text_at(const json::value& object, const std::string& name);

}  // namespace cc::test
