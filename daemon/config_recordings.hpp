// cc.yaml's recordings: where they go, and how channels give them.
#pragma once

#include "config.hpp"
#include "yaml_reader.hpp"

namespace cc {

RecordingsConfig read_recordings(const YamlValue& value);

/// Where recordings lie does not change while ccd runs: gives `fresh` the old store, and says what
/// of it was to be another ("recordings.oss"), which needs a restart; empty = nothing.
std::string keep_store(const RecordingsConfig& old, RecordingsConfig& fresh);

/// A channel's `recordings`, what is not given as usual with its kind.
void read_channel_recordings(YamlMap& channel, ChannelConfig& config);

/// http:// or https://, a host, a path perhaps; no user, query or fragment. Without a slash at its
/// end; nothing after complaining.
std::optional<std::string> read_url(const YamlValue& value);

/// A file that can be read, by its path.
void read_ca_file(YamlMap& map, std::string& target);

}  // namespace cc
