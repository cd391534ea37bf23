// Bodies that are made up while they are sent: a WAV, or a ZIP of several.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "audio.hpp"

namespace gateway {

enum class Packing { stored, deflated, mixed };

// Read once, from its beginning to its end.
class Body {
 public:
  virtual ~Body() = default;
  virtual std::uint64_t size() const = 0;
  // 0: the end.
  virtual std::size_t read(std::span<unsigned char> into) = 0;
};

std::unique_ptr<Body> wav_body(Audio audio);
// `descriptors`: lengths and sums stand behind each file's bytes, not before them. It reads all
// files once to know their sums.
std::unique_ptr<Body> zip_body(std::vector<Audio> files, Packing packing, bool descriptors);
// Hex; reads it to its end.
std::string md5_of(Body& body);

}  // namespace gateway
