// Many agents at once, from a file: all that is wrong is told before anything is changed.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "agent/agent_csv.hpp"
#include "config.hpp"
#include "io/pg.hpp"
#include "vault.hpp"

namespace cc {

struct AgentImport {
  std::vector<AgentComplaint> complaints;  // by line; none = all went well
  std::size_t created = 0, changed = 0, same = 0;
};

/// Checks the file's agents, then what they would come to, and if nothing is wrong changes them, in
/// transactions of up to 500. Complaints beside counts: lines became busy between the check and the
/// change, and what was not changed yet has been left alone. An import can be repeated: what is as
/// it should be is not touched. `dry`: the counts are what it would come to. `progress` is told how
/// many are done. Throws pg::Failure; what was committed before stays.
asio::awaitable<AgentImport> import_agents(pg::Pool& pool, const Config& config, const Vault& vault,
                                           AgentFile file, std::int64_t now_ms, bool dry,
                                           std::function<void(std::size_t)> progress);

}  // namespace cc
