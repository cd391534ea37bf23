#include "agent/agent_check.hpp"

#include <algorithm>

#include "phone.hpp"
#include "text.hpp"

namespace cc {
namespace {

constexpr std::int64_t lowest_seat = 101;  // the CC-Gateway's own bounds
constexpr std::int64_t highest_seat = 999'999;
constexpr std::size_t longest_password = 128;  // bytes

AgentRefusal invalid(std::string field, std::string detail) {
  return {AgentRefusal::Code::invalid, std::move(field), std::move(detail), std::nullopt};
}

bool is_password(const std::string& text) {
  return !text.empty() && text.size() <= longest_password &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c <= 0x7e; });
}

void check_phone_line(CheckedAgent& checked) {
  AgentWish& wish = checked.order.wish;
  auto number = canonical_number(wish.agent);
  if (!number) {
    checked.refusals.push_back(
        invalid("agent", "must be the agent's phone number, 3 to 15 digits: it is the line"));
  }
  if (wish.handset && number && canonical_number(*wish.handset) != number) {
    checked.refusals.push_back(invalid(
        "handset", "must be the agent's own number, or be left out: the line is the phone"));
  }
  if (wish.password) {
    checked.refusals.push_back(
        invalid("password", "must be left out: nobody signs in on this channel"));
  }
  if (!number) return;
  wish.handset = number;
  wish.agent = *std::move(number);
}

void check_seat(CheckedAgent& checked) {
  AgentWish& wish = checked.order.wish;
  if (!is_seat(wish.agent)) {
    checked.refusals.push_back(
        invalid("agent", "must be a seat's number from 101 to 999999, without leading zeros"));
  }
  if (wish.handset) {
    auto number = canonical_number(*wish.handset);
    if (!number) {
      checked.refusals.push_back(
          invalid("handset", "must be the number of the phone that rings, 3 to 15 digits"));
    }
    wish.handset = std::move(number);
  }
  if (wish.password && !is_password(*wish.password)) {
    checked.refusals.push_back(
        invalid("password", "must have 1 to 128 printable ASCII characters"));
  }
}

}  // namespace

bool line_is_phone(const ChannelConfig& channel) noexcept {
  return channel.kind == "e9";
}

const ChannelConfig* allowed_channel(const Config& config, const std::string& code,
                                     const Tenant& tenant) {
  const auto found = config.channels.find(code);
  if (found == config.channels.end()) return nullptr;
  const bool allowed =
      tenant.channels.empty() ||
      std::find(tenant.channels.begin(), tenant.channels.end(), code) != tenant.channels.end();
  return allowed ? &found->second : nullptr;
}

bool is_seat(std::string_view agent) noexcept {
  if (agent.empty() || agent.front() < '1' || agent.front() > '9') return false;
  const auto number = parse_integer(agent);
  return number && *number >= lowest_seat && *number <= highest_seat;
}

CheckedAgent check_agent(const Config& config, AgentWish wish) {
  CheckedAgent checked{{std::move(wish), false}, {}};
  const AgentWish& wished = checked.order.wish;
  const auto tenant = config.tenants.find(wished.tenant);
  if (tenant == config.tenants.end()) {
    checked.refusals.push_back(
        invalid("tenant", "is not configured: use one of those that `ccd tenant list` shows"));
    return checked;
  }
  const ChannelConfig* channel = allowed_channel(config, wished.channel, tenant->second);
  if (channel == nullptr) {
    checked.refusals.push_back({AgentRefusal::Code::unknown_channel, "channel",
                                "is not configured, or not open to tenant " + wished.tenant,
                                std::nullopt});
    return checked;
  }
  if (line_is_phone(*channel)) {
    check_phone_line(checked);
  } else {
    checked.order.signs_in = true;
    check_seat(checked);
  }
  return checked;
}

std::string stored_agent(const Config& config, std::string_view channel, const std::string& agent) {
  const auto found = config.channels.find(std::string(channel));
  if (found == config.channels.end() || !line_is_phone(found->second)) return agent;
  return canonical_number(agent).value_or(agent);
}

std::string shown_line(std::string_view channel, std::string_view agent) {
  // A number may be written with blanks in it, which hide it from the mask.
  const std::string plain = canonical_number(agent).value_or(std::string(agent));
  return mask_numbers_in(repair_utf8(std::string(channel).append("/").append(plain)));
}

}  // namespace cc
