#include "call/choose.hpp"

#include <algorithm>

#include "phone.hpp"

namespace cc {
namespace {

Refusal refuse(Refusal::Code code, std::string detail) {
  return {code, std::move(detail), std::nullopt};
}

std::string codes(const std::vector<const ChannelConfig*>& channels) {
  std::string list;
  for (const ChannelConfig* channel : channels) list += (list.empty() ? "" : ", ") + channel->code;
  return list.empty() ? "none" : list;
}

// Of these kinds the line is a phone, so that it is its own handset.
bool line_is_phone(const ChannelConfig& channel) {
  return channel.kind == "e9";
}

}  // namespace

std::vector<const ChannelConfig*> open_channels(const Config& config, const std::string& tenant) {
  std::vector<const ChannelConfig*> open;
  const auto found = config.tenants.find(tenant);
  if (found == config.tenants.end()) return open;
  const std::vector<std::string>& allowed = found->second.channels;
  for (const auto& [code, channel] : config.channels) {
    if (!channel.enabled) continue;
    if (!allowed.empty() && std::find(allowed.begin(), allowed.end(), code) == allowed.end())
      continue;
    open.push_back(&channel);
  }
  std::stable_sort(open.begin(), open.end(), [](const ChannelConfig* a, const ChannelConfig* b) {
    return a->priority != b->priority ? a->priority < b->priority : a->weight > b->weight;
  });
  return open;
}

std::variant<Line, Refusal> choose_line(const NewCall& request,
                                        const std::vector<const ChannelConfig*>& open) {
  const ChannelConfig* channel = nullptr;
  std::string reason;
  if (request.channel) {
    const auto named = std::find_if(open.begin(), open.end(), [&](const ChannelConfig* candidate) {
      return candidate->code == *request.channel;
    });
    if (named == open.end()) {
      return refuse(Refusal::Code::unknown_channel,
                    "channel \"" + *request.channel +
                        "\" is not one that you may use now; open to you: " + codes(open));
    }
    channel = *named;
    reason = "channel " + channel->code + " named by the request";
  } else if (open.empty()) {
    return refuse(Refusal::Code::no_channel, "no channel is open to you; try again later");
  } else {
    channel = open.front();
    reason = open.size() == 1 ? "channel " + channel->code + " is the only one open"
                              : "channel " + channel->code + " comes first by priority " +
                                    std::to_string(channel->priority);
  }

  if (!line_is_phone(*channel)) {
    return refuse(Refusal::Code::no_line, "channel " + channel->code + " has no lines yet");
  }
  const OptText& named = request.agent ? request.agent : request.caller;
  if (!named) {
    return refuse(
        Refusal::Code::no_line,
        "nothing says whose phone shall ring first: give \"agent\" or \"caller\" (on channel " +
            channel->code + " both are the agent's phone number)");
  }
  const std::optional<std::string> phone = canonical_number(*named);
  if (!phone) {
    return refuse(Refusal::Code::no_line, "on channel " + channel->code +
                                              " the agent is a phone number, and \"" +
                                              mask_numbers_in(*named) + "\" is none");
  }
  if (request.agent && request.caller && canonical_number(*request.caller) != phone) {
    return refuse(Refusal::Code::no_line,
                  "agent " + mask_number(*phone) + " and caller " + mask_number(*request.caller) +
                      " contradict each other: on channel " + channel->code +
                      " the line is the phone. Give one of them");
  }
  reason += request.agent ? "; line named as agent" : "; line is the caller's phone";
  return Line{channel->code, *phone, *phone, reason};
}

}  // namespace cc
