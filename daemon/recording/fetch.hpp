// A file as the channel gives it: asked for, judged by its head and first bytes, then read.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "channel/channels.hpp"
#include "recording/byte_source.hpp"

namespace cc {

/// Where a URL leads, as the HTTP client will understand it. `host` in lower case.
struct UrlHost {
  std::string host, port;
};

/// Nothing where it is no http(s) URL, or one with a user in it. Pure.
std::optional<UrlHost> url_host(const std::string& url);

/// Whether `hosts` ("files.example.com", "10.0.0.7:8080") has it; without a port, with any. Pure.
bool is_listed(const UrlHost& host, const std::vector<std::string>& hosts);

struct FetchedFile {
  FileAnswer answer;
  std::unique_ptr<ByteSource> bytes;  // of `file` and `packed`
};

/// Outlived by what it refers to.
struct FetchLimits {
  Millis idle;           // between two pieces
  Clock& clock;
  const bool& stopping;  // then it ends, as trouble, at the next piece
};

/// `request` is what the channel's provider made of the file's address. Where that came from
/// outside (public_only) only hosts that the channel lists are spoken to, or if it lists none, the
/// public internet. The first bytes come within 2 min or not at all. Never throws for what the network does.
asio::awaitable<FetchedFile> fetch_file(HttpClient& http,
                                        std::shared_ptr<const ConfiguredChannel> channel,
                                        HttpRequest request, FetchLimits limits);

}  // namespace cc
