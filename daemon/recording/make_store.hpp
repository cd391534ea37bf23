// The store that the configuration names.
#pragma once

#include <memory>
#include <optional>

#include <boost/asio/any_io_executor.hpp>

#include "config.hpp"
#include "io/clock.hpp"
#include "io/http_client.hpp"
#include "recording/file_shelf.hpp"
#include "recording/object_store.hpp"

namespace cc {

/// Null where recordings are not stored. Touches nothing yet. `http` and `clock` must live as long
/// as the store, and the store must go before the loop does.
std::unique_ptr<ObjectStore> make_object_store(asio::any_io_executor executor, const Config& config,
                                               HttpClient& http, Clock& clock);

/// At start, blocking: makes the directory where only it itself is missing. Whether the store could
/// be used as far as this machine is concerned (the directory, the file of credentials); the error
/// names the remedy.
std::optional<Error> prepare_store(ObjectStore& store, const RecordingsConfig& config);

/// The files that ccd is to give out itself; null where the store does that (OSS).
FileShelf* shelf_of(ObjectStore& store) noexcept;

}  // namespace cc
