// WAV and zip files made for tests.
#pragma once

#include <archive.h>
#include <archive_entry.h>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace cc::test {

inline void put_number(std::string& out, std::uint64_t number, int bytes) {
  for (int i = 0; i < bytes; ++i, number >>= 8U) out += static_cast<char>(number & 0xFFU);
}

inline std::uint64_t number_at(const std::string& text, std::size_t at) {
  std::uint64_t number = 0;
  for (std::size_t i = 4; i > 0; --i) {
    number = number << 8U | static_cast<unsigned char>(text.at(at + i - 1));
  }
  return number;
}

struct WavFile {
  unsigned code, channels, rate;
  std::string samples;
  std::string list;  // a chunk before the samples, where not empty

  unsigned width() const { return code == 1 ? 2 : 1; }
  unsigned block() const { return width() * channels; }
  std::string bytes() const {
    std::string body = "WAVEfmt ";
    put_number(body, code == 1 ? 16 : 18, 4);
    put_number(body, code, 2);
    put_number(body, channels, 2);
    put_number(body, rate, 4);
    put_number(body, rate * block(), 4);
    put_number(body, block(), 2);
    put_number(body, width() * 8, 2);
    if (code != 1) put_number(body, 0, 2);
    if (!list.empty()) {
      body += "LIST";
      put_number(body, list.size(), 4);
      body += list;
      if (list.size() % 2 == 1) body += '\0';
    }
    body += "data";
    put_number(body, samples.size(), 4);
    body += samples;
    std::string out = "RIFF";
    put_number(out, body.size(), 4);
    return out + body;
  }
};

using ZipEntries = std::vector<std::pair<std::string, std::string>>;  // name → bytes; "x/" a folder

inline std::string make_zip(const ZipEntries& entries, const char* options = nullptr) {
  std::size_t most = 65'536;
  for (const auto& [name, bytes] : entries) most += bytes.size() + name.size() * 3 + 500;
  std::string out(most, '\0');
  std::size_t used = 0;
  archive* const zip = archive_write_new();
  archive_write_set_format_zip(zip);
  if (options != nullptr) archive_write_set_options(zip, options);
  if (archive_write_open_memory(zip, out.data(), out.size(), &used) != ARCHIVE_OK) {
    throw std::runtime_error("no zip");
  }
  for (const auto& [name, bytes] : entries) {
    archive_entry* const entry = archive_entry_new();
    archive_entry_set_pathname(entry, name.c_str());
    archive_entry_set_filetype(entry, name.ends_with('/') ? AE_IFDIR : AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_size(entry, static_cast<la_int64_t>(bytes.size()));
    archive_write_header(zip, entry);
    if (!bytes.empty()) archive_write_data(zip, bytes.data(), bytes.size());
    archive_entry_free(entry);
  }
  archive_write_close(zip);
  archive_write_free(zip);
  out.resize(used);
  return out;
}

}  // namespace cc::test
