#include "call/choose.hpp"

#include <algorithm>

#include "agent/agent_check.hpp"
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

using Choice = std::variant<Line, Refusal>;

/// On a channel whose line is the phone.
Choice line_of_phone(const NewCall& request, const ChannelConfig& channel) {
  const OptText& named = request.agent ? request.agent : request.caller;
  if (!named) {
    return refuse(
        Refusal::Code::no_line,
        "nothing says whose phone shall ring first: give \"agent\" or \"caller\" (on channel " +
            channel.code + " both are the agent's phone number)");
  }
  const std::optional<std::string> phone = canonical_number(*named);
  if (!phone) {
    return refuse(Refusal::Code::no_line, "on channel " + channel.code +
                                              " the agent is a phone number, and \"" +
                                              mask_numbers_in(*named) + "\" is none");
  }
  if (request.agent && request.caller && canonical_number(*request.caller) != phone) {
    return refuse(Refusal::Code::no_line, "agent " + mask_number(*phone) + " and caller " +
                                              mask_number(*request.caller) +
                                              " contradict each other: on channel " + channel.code +
                                              " the line is the phone. Give one of them");
  }
  return Line{channel.code, *phone, *phone,
              request.agent ? "line named as agent" : "line is the caller's phone"};
}

/// On a channel whose line is a seat that signs in.
Choice line_of_seat(const NewCall& request, const ChannelConfig& channel,
                    const std::vector<KnownLine>& known) {
  if (!request.agent) {
    return refuse(Refusal::Code::no_line,
                  "on channel " + channel.code + " the line is a seat: name it as \"agent\"");
  }
  const auto found = std::find_if(known.begin(), known.end(), [&](const KnownLine& line) {
    return line.channel == channel.code && line.agent == *request.agent;
  });
  if (found == known.end()) {
    return refuse(Refusal::Code::no_line,
                  "channel " + channel.code + " has no agent \"" + mask_numbers_in(*request.agent) +
                      "\" of yours; make it with PUT /v1/agents/" + channel.code + "/{agent}");
  }
  if (!found->online) {
    return refuse(Refusal::Code::line_offline, "agent " + found->agent + " of channel " +
                                                   channel.code +
                                                   " is not signed in: " + found->standing);
  }
  // Another phone than the seat's own: it is signed in anew with that before the call.
  const std::string handset = request.caller.value_or(found->handset);
  return Line{channel.code, found->agent, handset,
              handset == found->handset ? "seat named as agent"
                                        : "seat named as agent, on the caller's phone"};
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
                                        const std::vector<const ChannelConfig*>& open,
                                        const std::vector<KnownLine>& known) {
  std::vector<const ChannelConfig*> candidates = open;
  if (request.channel) {
    std::erase_if(candidates,
                  [&](const ChannelConfig* channel) { return channel->code != *request.channel; });
    if (candidates.empty()) {
      return refuse(Refusal::Code::unknown_channel,
                    "channel \"" + *request.channel +
                        "\" is not one that you may use now; open to you: " + codes(open));
    }
  }
  if (candidates.empty()) {
    return refuse(Refusal::Code::no_channel, "no channel is open to you; try again later");
  }
  // A line that was made known is meant, whatever else its name may look like: 1000 is a seat, and
  // could be a phone.
  const auto knows = [&](const ChannelConfig* channel) {
    return std::any_of(known.begin(), known.end(),
                       [&](const KnownLine& line) { return line.channel == channel->code; });
  };
  std::stable_partition(candidates.begin(), candidates.end(), knows);
  std::optional<Refusal> refusal;
  for (const ChannelConfig* channel : candidates) {
    Choice choice = line_is_phone(*channel) ? line_of_phone(request, *channel)
                                            : line_of_seat(request, *channel, known);
    if (Refusal* no = std::get_if<Refusal>(&choice)) {
      // A seat that is there but not signed in is what was meant.
      if (no->code == Refusal::Code::line_offline) return *std::move(no);
      if (!refusal) refusal = std::move(*no);
      continue;
    }
    Line line = std::get<Line>(std::move(choice));
    std::string why = "channel " + channel->code;
    if (request.channel) {
      why += " named by the request";
    } else if (open.size() == 1) {
      why += " is the only one open";
    } else if (knows(channel)) {
      why += " is where this line is known";
    } else if (channel == open.front()) {
      why += " comes first by priority " + std::to_string(channel->priority);
    } else {
      why += " is the first by priority that has such a line";
    }
    line.reason = why + "; " + line.reason;
    return line;
  }
  return *std::move(refusal);
}

}  // namespace cc
