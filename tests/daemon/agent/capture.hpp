// What commands print.
#pragma once

#include <array>
#include <cstdio>
#include <string>
#include <unistd.h>
#include <vector>

#include "command.hpp"

namespace cc::test {

/// What is written to a stream of C while it lives.
class Capture {
 public:
  explicit Capture(std::FILE* stream)
      : stream_(stream), number_(::fileno(stream)), kept_(::dup(number_)), file_(std::tmpfile()) {
    std::fflush(stream_);
    ::dup2(::fileno(file_), number_);
  }
  ~Capture() {
    std::fflush(stream_);
    ::dup2(kept_, number_);
    ::close(kept_);
    std::fclose(file_);
  }
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  std::string text() {
    std::fflush(stream_);
    std::rewind(file_);
    std::string all;
    std::array<char, 4096> part{};
    for (std::size_t size = 1; size > 0;) {
      size = std::fread(part.data(), 1, part.size(), file_);
      all.append(part.data(), size);
    }
    return all;
  }

 private:
  std::FILE* stream_;
  int number_, kept_;
  std::FILE* file_;
};

struct Told {
  int code = 0;
  std::string out, err;
};

using CommandFunction = int (*)(std::span<char* const>, std::string, const ReadConfig&);

/// Runs a command with this configuration.
inline Told run_told(CommandFunction command, std::vector<std::string> words,
                     const Config& config) {
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  Capture out(stdout), err(stderr);
  Told told;
  told.code = command(pointers, "cc.yaml",
                      [&](const std::string&) { return std::optional<Config>(config); });
  told.out = out.text();
  told.err = err.text();
  return told;
}

inline bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace cc::test
