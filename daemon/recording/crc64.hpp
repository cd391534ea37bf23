// CRC-64 as Aliyun OSS has it: ECMA-182 reflected, polynomial 0xC96C5795D7870F42, initial value and
// final xor all ones (channels.md, "Aliyun OSS").
#pragma once

#include <cstdint>
#include <string_view>

namespace cc {

/// Of bytes that come piece by piece.
class Crc64 {
 public:
  void add(std::string_view bytes) noexcept;
  std::uint64_t value() const noexcept { return ~state_; }

 private:
  std::uint64_t state_ = ~std::uint64_t{0};
};

}  // namespace cc
