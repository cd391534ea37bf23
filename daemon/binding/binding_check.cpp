#include "binding/binding_check.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "agent/agent_check.hpp"
#include "phone.hpp"
#include "text.hpp"

namespace cc {
namespace {

using Code = BindingRefusal::Code;

constexpr std::size_t longest_user = 64;    // characters, as of a call
constexpr std::size_t longest_number = 64;  // bytes, as written

/// As a call's `user` may be: 1 to 64 characters, none of control.
bool is_user(const std::string& user) {
  if (user.empty() || repair_utf8(user) != user) return false;
  const bool printable = std::all_of(user.begin(), user.end(), [](char c) {
    return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f;
  });
  const auto characters = std::count_if(user.begin(), user.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U;
  });
  return printable && characters <= static_cast<std::ptrdiff_t>(longest_user);
}

std::string field_of(std::size_t place, std::string_view member) {
  return "lines[" + std::to_string(place) + "]." + std::string(member);
}

class Check {
 public:
  Check(const Config& config, Binding wish) : config_(config) {
    checked_.binding = std::move(wish);
  }

  CheckedBinding run() && {
    Binding& binding = checked_.binding;
    const auto tenant = config_.tenants.find(binding.tenant);
    if (tenant == config_.tenants.end()) {
      refuse("tenant", "is not configured: use one of those that `ccd tenant list` shows");
      return std::move(checked_);
    }
    if (!is_user(binding.user)) {
      refuse("user", "must have 1 to 64 characters, without control characters");
    }
    if (binding.phone) {
      auto number =
          binding.phone->size() > longest_number ? std::nullopt : canonical_number(*binding.phone);
      if (!number) refuse("phone", "must be the number of the phone that rings, 3 to 15 digits");
      binding.phone = std::move(number);
    }
    if (binding.lines.empty() || binding.lines.size() > most_bound_lines) {
      refuse("lines", "must be 1 to " + std::to_string(most_bound_lines) + " lines");
      return std::move(checked_);
    }
    for (std::size_t place = 0; place < binding.lines.size(); ++place) {
      check_line(tenant->second, place);
    }
    return std::move(checked_);
  }

 private:
  void refuse(std::string field, std::string detail, Code code = Code::invalid) {
    checked_.refusals.push_back({code, std::move(field), std::move(detail)});
  }

  void check_line(const Tenant& tenant, std::size_t place) {
    std::vector<Binding::Line>& lines = checked_.binding.lines;
    Binding::Line& line = lines[place];
    const ChannelConfig* channel = allowed_channel(config_, line.channel, tenant);
    if (channel == nullptr) {
      refuse(field_of(place, "channel"), "is not configured, or not open to tenant " + tenant.name,
             Code::unknown_channel);
      return;
    }
    if (line_is_phone(*channel)) {
      auto number =
          line.agent.size() > longest_number ? std::nullopt : canonical_number(line.agent);
      if (!number) {
        refuse(field_of(place, "agent"),
               "must be the agent's phone number, 3 to 15 digits: it is the line");
        return;
      }
      line.agent = *std::move(number);
    } else if (!is_seat(line.agent)) {
      refuse(field_of(place, "agent"),
             "must be a seat's number from 101 to 999999, without leading zeros");
      return;
    } else {
      checked_.seats.push_back(place);
    }
    const auto here = lines.begin() + static_cast<std::ptrdiff_t>(place);
    const auto first = std::find(lines.begin(), here, line);
    if (first == here) return;
    refuse(
        "lines[" + std::to_string(place) + "]",
        "is the same line as lines[" + std::to_string(first - lines.begin()) + "]: leave one out");
  }

  const Config& config_;
  CheckedBinding checked_;
};

}  // namespace

CheckedBinding check_binding(const Config& config, Binding wish) {
  return Check(config, std::move(wish)).run();
}

BindingRefusal refuse_unknown_line(const Binding& binding, std::size_t place) {
  const Binding::Line& line = binding.lines.at(place);
  return {Code::unknown_line, field_of(place, "agent"),
          "is no line of tenant " + binding.tenant + ": make it known first with PUT /v1/agents/" +
              shown_line(line.channel, line.agent)};
}

}  // namespace cc
