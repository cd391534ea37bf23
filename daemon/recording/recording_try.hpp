// One try at one recording: asked of the channel, and on its way into the store.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "io/http_client.hpp"
#include "parts.hpp"
#include "recording/file_thread.hpp"
#include "recording/object_store.hpp"
#include "recording/recording_queue.hpp"

namespace cc {

/// What a try needs. Outlives it.
struct TryTools {
  Parts parts;
  HttpClient& http;
  ObjectStore& store;
  FileThread& disk;      // of zip files
  const bool& stopping;  // ends what is under way at its next piece
  std::size_t& storing;  // how many tries are asking the store
};

struct TryEnd {
  enum class Kind : std::uint8_t {
    stored,       // it lies in the store, and the row says so
    none,         // the channel says that it has none, or not yet
    trouble,      // anything that may be otherwise next time
    store,        // the same, of our own store: `store_problem`
    refused,      // it will never be had: `problem`
    lost,         // the row is not ours any more
    interrupted,  // we stop
  } kind = Kind::trouble;
  std::string problem;
  std::optional<StoreProblem> store_problem;
  std::uint64_t size = 0;  // stored: bytes
};

std::string_view to_text(TryEnd::Kind kind) noexcept;

/// `row` is ours, outlives this and is kept up to date. Throws pg::Failure.
asio::awaitable<TryEnd> try_recording(TryTools tools, RecordingRow& row);

/// Removes from the store what the row says may be there. Nothing: it is done.
asio::awaitable<std::optional<StoreProblem>> clear_object(ObjectStore& store,
                                                          const RecordingRow& row);

}  // namespace cc
