#include "owners.hpp"

#include <stdexcept>

#include "commands.hpp"

namespace cc::test {
namespace {

/// Answered by 2xx.
Answer must(const Stack& stack, const Owner& owner, const std::string& method,
            const std::string& path, const std::string& body,
            const std::vector<std::string>& headers = {}) {
  Call call = with_key(stack, owner.key, method, path, body);
  call.headers.insert(call.headers.end(), headers.begin(), headers.end());
  const Answer answer = send(call);
  if (answer.status < 200 || answer.status > 299) {
    throw std::runtime_error(method + " " + path + ": " + answer.problem + answer.text);
  }
  return answer;
}

/// `key_id`: the key's name. `digit`: what its numbers differ in from others'.
Owner plant(const Stack& stack, const std::string& tenant, const std::string& key,
            const std::string& key_id, const std::string& digit) {
  Owner owner{tenant, key, {}, {}};
  const std::string word = "of-" + tenant + "-a5f3";  // ends the planted names
  const auto name = [&](const std::string& kind) { return kind + "-" + word; };
  const std::string line = "1397300000" + digit, customer = "138555" + digit + "8001",
                    talker = "138666" + digit + "8010", request = name("request");
  must(stack, owner, "PUT", "/v1/agents/e9/" + line, R"({"desired":"online"})");
  must(stack, owner, "PUT", "/v1/bindings/" + name("user"),
       R"({"lines":[{"channel":"e9","agent":")" + line + "\"}]}");
  const auto wish = [&](const std::string& called) {
    return json::serialize(json::object{{"called", called},
                                        {"user", name("user")},
                                        {"business", name("biz")},
                                        {"bizType", name("type")},
                                        {"bizId", name("id")},
                                        {"bizData", name("data")}});
  };
  const std::string closed = must(stack, owner, "POST", "/v1/calls", wish(customer),
                                  {"Request-Id: " + request, "Idempotency-Key: " + name("once")})
                                 .at("callId");
  const auto state_of = [&](const std::string& call) {
    return send(with_key(stack, key, "GET", "/v1/calls/" + call)).at("state");
  };
  if (!eventually([&] { return state_of(closed) == "close"; }, Millis{30'000})) {
    throw std::runtime_error("a call does not end");
  }
  const std::string open = must(stack, owner, "POST", "/v1/calls", wish(talker)).at("callId");
  if (!eventually([&] { return state_of(open) == "conn"; }, Millis{30'000})) {
    throw std::runtime_error("a call does not begin");
  }
  // Refused, so that there is a rejection; and read whole, so that there is a row of the audit log.
  send(with_key(stack, key, "POST", "/v1/calls", wish(customer)));
  const json::value record = send(with_key(stack, key, "GET", "/v1/calls/" + closed)).body();
  const std::string channel_call = text_at(record, "channelCallId");
  owner.values = {{"callId", closed},
                  {"ids", closed},
                  {"channelCallId", channel_call},
                  {"user", name("user")},
                  {"prefix", name("user")},
                  {"business", name("biz")},
                  {"bizType", name("type")},
                  {"bizId", name("id")},
                  {"requestId", request},
                  {"agent", line},
                  {"line", line},
                  {"called", customer},
                  {"caller", line},
                  {"open", open},
                  {"channel", "e9"},
                  {"state", "close"},
                  {"closeType", "0"},
                  {"from", "0"},
                  {"to", "4102444800000"},
                  {"limit", "200"},
                  {"key", key_id},
                  {"action", "numbers.shown"},
                  {"code", "line-busy"},
                  {"actual", "offline"},
                  {"reason", "x"},
                  {"replayed", "true"},
                  {"bom", "true"},
                  {"version", "0"}};
  owner.planted = {closed,       open,       channel_call, name("user"), name("biz"),
                   name("type"), name("id"), name("data"), request,      line,
                   customer,     talker,     word};
  owner.planted.erase("");
  return owner;
}

}  // namespace

std::vector<Owner> plant_owners(const Stack& stack) {
  const Outcome made = ccd_command(stack, {"tenant", "create", "made", "--channels", "e9"});
  if (made.status != 0) throw std::runtime_error(made.output);
  const std::string key =
      made_key(stack, {"key", "create", "made", "app", "--scopes", "call,read,numbers,admin"});
  const bool known =
      eventually([&] { return send(with_key(stack, key, "GET", "/v1/calls")).status == 200; });
  if (!known) throw std::runtime_error("the key that was made opens nothing");
  return {plant(stack, "demo", stack.env("CC_KEY"), "demo-all", "1"),
          plant(stack, "other", stack.env("CC_KEY_OTHER"), "other-all", "2"),
          plant(stack, "made", key, "app", "3")};
}

}  // namespace cc::test
