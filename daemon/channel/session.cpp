#include "channel/session.hpp"

#include <boost/json.hpp>

#include "phone.hpp"

namespace cc {

namespace json = boost::json;

std::string SessionAnswer::words() const {
  return mask_numbers_in(message.empty() ? code : code + " " + message);
}

std::string to_text(const LineSession& session) {
  json::object object;
  object["ticket"] = session.ticket;
  object["cookies"] = session.cookies;
  object["handset"] = session.handset;
  return json::serialize(object);
}

Result<LineSession> session_from_text(std::string_view text) {
  json::error_code error;
  const json::value value = json::parse(text, error);
  const json::object* const object = error ? nullptr : value.if_object();
  if (object == nullptr) return Error{"a stored session is no JSON object"};
  LineSession session;
  for (auto [name, to] : {std::pair{"ticket", &session.ticket},
                          {"cookies", &session.cookies},
                          {"handset", &session.handset}}) {
    const json::value* const member = object->if_contains(name);
    if (member == nullptr || !member->is_string()) {
      return Error{std::string("a stored session has no ") + name};
    }
    *to = std::string(member->get_string());
  }
  return session;
}

}  // namespace cc
