// A file of agents. Pure.
#pragma once

#include <cstddef>
#include <istream>
#include <vector>

#include "agent/agents.hpp"
#include "csv.hpp"

namespace cc {

struct AgentRow {
  std::size_t line = 0;
  AgentWish wish;
};

struct AgentFile {
  std::vector<AgentRow> rows;
  std::vector<FileComplaint> complaints;
};

/// Columns in any order: channel, agent, tenant; and handset, password, desired, which may be
/// absent or empty.
AgentFile read_agent_file(std::istream& in);

}  // namespace cc
