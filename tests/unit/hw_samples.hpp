// What the agent gateway says (channels.md, hw), as deliveries.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "envelope.hpp"
#include "hw.hpp"

namespace cc::test {

inline constexpr std::int64_t hw_ms = 1'700'000'000'000;
inline constexpr std::string_view hw_call = "1456401416-3";

inline Delivery hw_poll(std::string body, std::int64_t received_ms = hw_ms) {
  Delivery delivery;
  delivery.channel = "hw";
  delivery.received_ms = received_ms;
  delivery.source = Source::poll;
  delivery.subject = "291";
  delivery.body = std::move(body);
  return delivery;
}

inline std::string hw_event(std::string_view type, std::string_view content = "null",
                            std::string_view more = "") {
  std::string body = R"({"message":"","retcode":"0","event":{"eventType":")";
  body.append(type).append(R"(","workNo":"291","content":)").append(content).append(more);
  return body + "}}";
}

/// One event of the documented sequences, in the documented shape.
inline std::string hw_said(std::string_view type) {
  const std::string id(hw_call);
  if (type == "AgentEvent_Customer_Alerting") {
    return hw_event(type, R"({"callid":")" + id +
                              R"(","otherPhoneWorkno":"","otherPhone":"70092","type":"main"})");
  }
  if (type == "AgentEvent_Talking") {
    return hw_event(type,
                    R"({"caller":"10086","callid":")" + id +
                        R"(","called":"70092","feature":"7","type":"main","mediaAbility":"1"})");
  }
  if (type == "AgentEvent_Customer_Release") {
    return hw_event(type, R"({"callid":")" + id + R"(","number":"70093"})");
  }
  if (type == "PhoneRelease2") return hw_event("AgentOther_PhoneRelease", R"({"phoneState":2})");
  if (type == "PhoneRelease3") return hw_event("AgentOther_PhoneRelease", R"({"phoneState":3})");
  if (type.starts_with("AgentEvent_")) return hw_event(type, '"' + id + '"');
  return hw_event(type);
}

}  // namespace cc::test
