// How deliveries stand in a spool file, while Redis cannot take them (rules.md, "Spool"). Pure; the
// files themselves are spool_file.hpp's.
//
//   header   cc-spool v1 <salt, 16 hex digits> <created, epoch ms> <writer>\n
//   record   4 bytes  mark  CC 53 50 31
//            4 bytes  length of what follows the checksum, little-endian
//            4 bytes  CRC-32 over salt, length and all that follows, little-endian
//            4 bytes  partition hash (keys.hpp), little-endian: survives a change of P
//            1 byte   length of the channel's code
//            …        the channel's code, then the envelope (envelope.hpp) to the record's end
//
// The salt is random, so that a body which happens to look like a record, or an old block of the
// disk, is never taken for one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "result.hpp"

namespace cc {

struct SpoolHeader {
  std::uint64_t salt = 0;
  std::int64_t created_ms = 0;
  std::string writer;  // program and pid, for people
};

struct SpoolRecord {
  std::string_view channel;  // its code
  std::uint32_t partition_hash = 0;
  std::string_view envelope;
};

/// As the header and a file's name have it: 16 hex digits.
std::string hex_of(std::uint64_t salt);

inline constexpr std::size_t max_spool_header = 128;
/// Of the channel's code and the envelope together; a length beyond it is damage.
inline constexpr std::size_t max_spool_payload = 64 * 1024 * 1024;
inline constexpr std::size_t max_spool_channel = 255;

/// Space, newline and control bytes in `writer` become '-'; it is cut to fit.
std::string encode_spool_header(const SpoolHeader& header);

/// Whether it is one of a version that this build does not know: nothing to be touched.
bool is_newer_spool(std::string_view bytes) noexcept;

/// `length` is that of the header, its newline included.
/// Errors: no spool file, an unknown version (names it), a malformed field.
Result<SpoolHeader> decode_spool_header(std::string_view bytes, std::size_t& length);

/// False, and nothing appended, where the record is beyond the format's bounds.
bool append_spool_record(std::string& out, std::uint64_t salt, const SpoolRecord& record);

/// One step through a file's bytes.
struct SpoolStep {
  enum class Kind {
    record,   // `record` views into the bytes
    damaged,  // `consumed` bytes are no record, or end in a torn one
    partial,  // a record may begin here; its end has not been read yet
    end,      // no bytes left
  };
  Kind kind = Kind::end;
  std::size_t consumed = 0;  // how far to go on; 0 where kind is partial
  std::size_t wanted = 0;    // partial: the bytes that it needs in all
  bool torn = false;         // damaged: a record whose end lies behind the file's end
  SpoolRecord record;
};

/// `at_end`: the file has nothing behind `bytes`. After damage it goes on at the next place where a
/// whole record stands, so one bad sector costs no more than what lay on it. Damage to the file's
/// end is a torn last entry, which nobody was answered for, only if `torn`.
SpoolStep next_spool_record(std::string_view bytes, bool at_end, std::uint64_t salt);

}  // namespace cc
