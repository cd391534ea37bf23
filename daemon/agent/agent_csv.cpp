#include "agent/agent_csv.hpp"

#include <array>
#include <utility>

namespace cc {
namespace {

constexpr std::array<CsvColumn, 6> columns{
    CsvColumn{"channel", true, false},  CsvColumn{"agent", true, false},
    CsvColumn{"tenant", true, false},   CsvColumn{"handset", false, false},
    CsvColumn{"password", false, true}, CsvColumn{"desired", false, false}};

}  // namespace

AgentFile read_agent_file(std::istream& in) {
  CsvReader csv(in, columns, "agents");
  AgentFile file;
  while (std::optional<CsvRow> read = csv.next()) {
    std::vector<std::string>& values = read->values;
    AgentRow row;
    row.line = read->line;
    row.wish.channel = std::move(values[0]);
    row.wish.agent = std::move(values[1]);
    row.wish.tenant = std::move(values[2]);
    if (!values[3].empty()) row.wish.handset = std::move(values[3]);
    if (!values[4].empty()) row.wish.password = std::move(values[4]);
    if (values[5] == "online" || values[5] == "offline") {
      row.wish.online = values[5] == "online";
    } else if (!values[5].empty()) {
      csv.complain("desired",
                   "must be online or offline, or empty: then it stays, a new one is online");
      continue;
    }
    if (read->whole) file.rows.push_back(std::move(row));
  }
  file.complaints = std::move(csv).complaints();
  return file;
}

}  // namespace cc
