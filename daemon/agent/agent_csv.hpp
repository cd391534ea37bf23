// A file of agents: CSV (RFC 4180) with a header line. Pure.
#pragma once

#include <cstddef>
#include <istream>
#include <string>
#include <vector>

#include "agent/agents.hpp"

namespace cc {

inline constexpr std::size_t longest_agent_line = 4096;  // bytes
inline constexpr std::size_t most_agent_lines = 100'000;

/// What is wrong with a line and what to do about it. No password, no whole number.
struct AgentComplaint {
  std::size_t line = 0;  // of the file, from 1
  std::string column;    // empty = the line as a whole
  std::string text;
};

struct AgentRow {
  std::size_t line = 0;
  AgentWish wish;
};

struct AgentFile {
  std::vector<AgentRow> rows;
  std::vector<AgentComplaint> complaints;
};

/// Columns in any order: channel, agent, tenant; and handset, password, desired, which may be
/// absent or empty. A byte order mark, CRLF and empty lines are taken.
AgentFile read_agent_file(std::istream& in);

}  // namespace cc
