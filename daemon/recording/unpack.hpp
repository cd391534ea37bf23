// What a channel packed into a zip because a call has several files: one file's bytes as they are,
// or several WAV files joined. Names in a zip are for sorting only; nothing is ever called so.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "recording/byte_source.hpp"
#include "recording/scratch.hpp"

namespace cc {

struct Unpacked {
  std::unique_ptr<ByteSource> bytes;  // reads in `disk`, which outlives it
  std::string content_type, extension;
};

/// `most`: bytes of all files in it together. Throws SourceBroken where it can't be read, holds too
/// much, or files that can't be made one.
asio::awaitable<Unpacked> unpack(FileThread& disk, std::shared_ptr<ScratchFile> packed,
                                 std::uint64_t most);

}  // namespace cc
