// Mirrors daemon/call/survey.cpp: what a choice is made from.
#include <algorithm>

#include "agent/agent_check.hpp"
#include "world.hpp"

namespace model {

std::variant<std::vector<cc::Line>, cc::Refusal> Fleet::find_lines(
    const cc::NewCall& request, const cc::Needs& needs, std::set<std::string> tried_channels,
    std::set<std::string> tried_lines) {
  Store& store = world_.store;
  cc::Knowledge known;
  known.channels = cc::views_for(world_.config, request.tenant, store.states);
  const auto line_of = [&](const AgentRow& row) {
    cc::KnownLine line;
    line.channel = row.channel;
    line.agent = row.agent;
    line.handset = row.handset;
    line.online = true;
    return line;
  };
  if (request.agent) {
    for (const AgentRow& row : store.agents) {
      if (row.agent == *request.agent) known.named.push_back(line_of(row));
    }
  } else {
    for (const cc::ChannelView& view : known.channels) {
      const std::string& code = view.config->code;
      const bool phone = cc::line_is_phone(*view.config);
      if (request.channel && *request.channel != code) continue;
      if ((phone && request.caller) || tried_channels.contains(code)) continue;
      const AgentRow* best = nullptr;
      for (const AgentRow& row : store.agents) {
        if (row.channel != code || tried_lines.contains(code + "/" + row.agent)) continue;
        const std::string handset = phone            ? row.agent
                                    : request.caller ? *request.caller
                                                     : row.handset;
        if (store.held(true, code + "/" + row.agent, world_.now)) continue;
        if (store.held(false, handset, world_.now)) continue;
        if (best == nullptr || row.last_used < best->last_used) best = &row;
      }
      if (best != nullptr) known.pool.push_back(line_of(*best));
    }
  }
  if (world_.mutant != Mutant::shows_hidden_number) known.needs = needs;
  known.tried_channels = std::move(tried_channels);
  known.tried_lines = std::move(tried_lines);
  known.draw = world_.draw.unit();
  return cc::choose_lines(request, known);
}

}  // namespace model
