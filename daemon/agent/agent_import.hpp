// Many agents at once, from a file.
#pragma once

#include <functional>

#include "agent/agent_csv.hpp"
#include "config.hpp"
#include "import.hpp"
#include "io/pg.hpp"
#include "vault.hpp"

namespace cc {

/// Checks the file's agents, then what they would come to, and if nothing is wrong changes them
/// (import.hpp). An import can be repeated: what is as it should be is not touched. Throws
/// pg::Failure. `config` and `vault` must outlive it.
asio::awaitable<ImportResult> import_agents(pg::Pool& pool, const Config& config,
                                            const Vault& vault, AgentFile file, std::int64_t now_ms,
                                            bool dry, std::function<void(std::size_t)> progress);

}  // namespace cc
