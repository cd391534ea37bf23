#include "reply.hpp"

#include <boost/json/serialize.hpp>

namespace gateway {

namespace json = boost::json;

namespace {

// Only for people: clients go by the retcode.
constexpr struct {
  std::string_view retcode;
  std::string_view message;
} messages[] = {
    {"0", ""},
    {"000-001", "the request's parameters are invalid"},
    {"000-003", "the guid is invalid or has expired"},
    {"100-001", "there is no such agent"},
    {"100-002", "the agent has already signed in"},
    {"100-004", "the password is wrong"},
    {"100-006", "the agent has not signed in"},
    {"100-013", "the phone number is invalid"},
    {"100-014", "the phone number is out of range"},
    {"100-018", "the agent is busy"},
    {"110-016", "the agent is locked"},
    {"300-001", "there is no such call"},
};

}  // namespace

Target::Target(std::string_view target) {
  auto const mark = target.find('?');
  path = target.substr(0, mark);
  if (mark != std::string_view::npos) query = target.substr(mark + 1);
}

Reply json_reply(json::object const& body, unsigned int status) {
  Reply reply;
  reply.status = status;
  reply.body = json::serialize(body);
  return reply;
}

Reply vendor_reply(std::string_view retcode, json::object members) {
  std::string_view message = retcode == "0" ? "" : "refused";
  for (auto const& one : messages)
    if (one.retcode == retcode) message = one.message;
  json::object body{{"message", message}, {"retcode", retcode}};
  for (auto& member : members) body[member.key()] = std::move(member.value());
  return json_reply(body);
}

Reply html_reply(unsigned int status) {
  auto const number = std::to_string(status);
  Reply reply;
  reply.status = status;
  reply.content_type = "text/html";
  reply.body = "<html><head><title>" + number + "</title></head><body><h1>" + number +
               "</h1><hr>nginx</body></html>\r\n";
  return reply;
}

}  // namespace gateway
