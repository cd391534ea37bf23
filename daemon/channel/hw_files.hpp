// Huawei's file service (channels.md, hw, "Recording"): a signed request for a call's files, and
// what its answer says. What the vendor does not document is in configuration or named here.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "channel/provider.hpp"

namespace cc {

/// The value of the Authorization header of a POST to `path` at `host` ("name:port", as the Host
/// header has it), of which only the host is signed [C]. Pure.
std::string hw_file_signature(const HwFiles& files, std::string_view host, std::string_view path,
                              std::string_view body, std::int64_t now_ms);

/// By the call's id where that is known, else by the file's name. Pure.
FileRequest hw_file_request(const ChannelConfig& config, const ChannelFile& file,
                            std::int64_t now_ms);

/// Of an answer's head and first bytes. Pure.
FileAnswer judge_hw_file(const std::string& channel, unsigned status, std::string_view begin);

}  // namespace cc
