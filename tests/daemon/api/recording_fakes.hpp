// Stand-ins for what recording_routes.cpp and file_routes.cpp ask.
#pragma once

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "io/pg.hpp"
#include "recording/file_shelf.hpp"
#include "recording/recordings.hpp"

namespace cc::test {

/// One call of the tenant acme.
struct FakeRecordings final : Recordings {
  static constexpr std::int64_t call = 720'000'000'000'000'001;

  asio::awaitable<std::optional<RecordingStatus>> status(std::string tenant, std::int64_t id,
                                                         bool of_ivr) override {
    if (away) throw pg::Failure("", "connection lost");
    ivr = of_ivr;
    if (tenant != "acme" || id != call) co_return std::nullopt;
    co_return answer;
  }
  asio::awaitable<std::optional<RecordingLink>> link(std::string tenant, std::int64_t id,
                                                     bool of_ivr,
                                                     std::optional<int> wanted) override {
    ++links;
    if (store_away) throw std::runtime_error("no credentials: mend /etc/cc/sts.json");
    ttl = wanted;
    if (tenant != "acme" || id != answer.call || of_ivr != ivr || gone) co_return std::nullopt;
    co_return RecordingLink{url, now_ms + 1000 * std::min(wanted.value_or(300), longest)};
  }

  RecordingStatus answer{
      call, RecordingStatus::State::stored, false, "", std::nullopt, 146'515, "audio/mpeg"};
  std::string url = "/v1/files/acme/2026/11/22/720000000000000001.mp3?expires=9&signature=secret";
  std::int64_t now_ms = 1'795'341'600'000;  // StillClock's
  bool away = false;                        // PostgreSQL
  bool store_away = false;
  bool gone = false;                        // between the two questions
  bool ivr = false;
  int links = 0;
  int longest = 3600;  // seconds that the store's credentials are good for
  std::optional<int> ttl;
};

/// Bytes of a text, at most `step` at a time; it breaks off behind `breaks_after`.
class TextSource final : public ByteSource {
 public:
  TextSource(std::string text, std::size_t step, std::size_t breaks_after)
      : text_(std::move(text)), step_(step), breaks_after_(breaks_after) {}

  asio::awaitable<std::size_t> read(char* into, std::size_t size) override {
    if (at_ >= breaks_after_) throw SourceBroken("the disk failed");
    const std::size_t count = std::min({size, step_, text_.size() - at_});
    std::memcpy(into, text_.data() + at_, count);
    at_ += count;
    co_return count;
  }

 private:
  std::string text_;
  std::size_t at_ = 0, step_, breaks_after_;
};

/// One file, whose URLs end in "signature=good".
struct FakeShelf final : FileShelf {
  asio::awaitable<Verdict> look(std::string target, std::int64_t, ShelfFile& file) override {
    looked_at = target;
    if (lost) throw SourceBroken("no such device");
    if (!target.ends_with("signature=good")) co_return Verdict::forged;
    if (verdict == Verdict::good) file = what;
    co_return verdict;
  }
  asio::awaitable<std::unique_ptr<ByteSource>> open(std::string, std::string, std::uint64_t first,
                                                    std::uint64_t length) override {
    if (locked) throw SourceBroken("permission denied");
    ++opened;
    co_return std::make_unique<TextSource>(content.substr(first, length), step, breaks_after);
  }

  void put(std::string text) {
    content = std::move(text);
    what.size = content.size();
  }

  Verdict verdict = Verdict::good;
  std::string content = "0123456789";
  ShelfFile what{10, "audio/mpeg", "720000000000000001.mp3", "\"v1\"", 1'795'341'600'000};
  std::size_t step = 65'536, breaks_after = SIZE_MAX;
  bool locked = false, lost = false;
  int opened = 0;
  std::string looked_at;
};

}  // namespace cc::test
