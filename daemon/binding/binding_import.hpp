// Many bindings at once, from a file.
#pragma once

#include <functional>

#include "binding/binding_csv.hpp"
#include "config.hpp"
#include "import.hpp"
#include "io/pg.hpp"

namespace cc {

/// Checks the file's bindings, then what they would come to, and if nothing is wrong changes them
/// (import.hpp). An import can be repeated: what is as it should be is not touched. Throws
/// pg::Failure. `config` must outlive it.
asio::awaitable<ImportResult> import_bindings(pg::Pool& pool, const Config& config,
                                              std::string tenant, BindingFile file,
                                              std::int64_t now_ms, bool dry,
                                              std::function<void(std::size_t)> progress);

}  // namespace cc
