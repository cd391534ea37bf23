// /v1/files/…: recordings that lie in a directory of ccd's, for whoever has a signed URL. The URL
// is the right to them: it asks for no key, and no log shows more of it than the route.
#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <utility>

#include "audio_type.hpp"
#include "byte_range.hpp"
#include "call_path.hpp"
#include "log.hpp"
#include "router.hpp"

namespace cc::api {
namespace {

constexpr std::uint64_t piece = 64 * 1024;  // bytes in memory at a time, of each client
constexpr std::chrono::seconds least_time{60}, most_time{2 * 3600};  // of one answer
constexpr std::uint64_t least_speed = 32 * 1024;                     // bytes a second
constexpr unsigned pause = 5;  // seconds, where too many are given already

struct Reading {
  std::unique_ptr<ByteSource> source;
  std::uint64_t left = 0;      // bytes
  std::shared_ptr<void> pass;  // of the gate
};

/// Who is slower is cut: players and downloads go on by a range.
std::chrono::seconds time_for(std::uint64_t length) {
  const auto reading = length / least_speed;
  if (reading > static_cast<std::uint64_t>(most_time.count())) return most_time;
  return std::min(least_time + std::chrono::seconds(reading), most_time);
}

asio::awaitable<std::optional<std::string>> next_part(std::shared_ptr<Reading> reading) {
  if (reading->left == 0) co_return std::nullopt;
  std::string part(static_cast<std::size_t>(std::min(reading->left, piece)), '\0');
  auto getting = reading->source->read(part.data(), part.size());
  const std::size_t size = co_await std::move(getting);
  if (size == 0) throw SourceBroken("the file is shorter than it was");
  part.resize(size);
  reading->left -= size;
  co_return part;
}

/// Null where it can't be opened.
asio::awaitable<std::unique_ptr<ByteSource>> open(const Exchange& exchange, std::string target,
                                                  std::string etag, ByteRange range) {
  std::unique_ptr<ByteSource> source;
  try {
    auto opening = exchange.parts.nouns.files->open(std::move(target), std::move(etag), range.first,
                                                    range.length);
    source = co_await std::move(opening);
  } catch (const SourceBroken& broken) {
    log().error("request {}: a recording can't be opened: {}", exchange.request.id, broken.what());
  }
  co_return source;
}

/// Nothing where the disk can't tell.
asio::awaitable<std::optional<FileShelf::Verdict>> look(const Exchange& exchange,
                                                        std::string target, ShelfFile& file) {
  std::optional<FileShelf::Verdict> verdict;
  try {
    auto looking =
        exchange.parts.nouns.files->look(std::move(target), exchange.parts.clock.epoch_ms(), file);
    verdict = co_await std::move(looking);
  } catch (const SourceBroken& broken) {
    log().error("request {}: a recording can't be looked for: {}", exchange.request.id,
                broken.what());
  }
  co_return verdict;
}

/// Nothing of it may be kept: a link's time and a recording's retention end in caches too.
void add_manners(Response& response) {
  response.headers.emplace_back("Cache-Control", "no-store");
  response.headers.emplace_back("Referrer-Policy", "no-referrer");
  response.headers.emplace_back("X-Content-Type-Options", "nosniff");
}

Response refuse(const Exchange& exchange, ProblemType type, std::string detail) {
  Problem problem;
  problem.type = type;
  problem.detail = std::move(detail);
  Response response = exchange.refuse(problem);
  add_manners(response);
  return response;
}

Response unreadable(const Exchange& exchange) {
  return refuse(exchange, ProblemType::storage_unavailable,
                "The file can't be read at the moment.");
}

Response too_many(const Exchange& exchange) {
  Problem problem;
  problem.type = ProblemType::overloaded;
  problem.detail = "Too many files are being read at the moment.";
  problem.retry_after = pause;
  Response response = exchange.refuse(problem);
  add_manners(response);
  return response;
}

/// "inline; filename="9126….mp3""; empty where the name is none for a header.
std::string disposition_of(const std::string& name) {
  const bool sane =
      !name.empty() && name.size() <= 128 && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               c == '.' || c == '-' || c == '_';
      });
  return sane ? "inline; filename=\"" + name + "\"" : std::string();
}

std::string content_range(const ByteRange& range, std::uint64_t size) {
  if (range.kind == ByteRange::Kind::unsatisfiable) return "bytes */" + std::to_string(size);
  return "bytes " + std::to_string(range.first) + "-" +
         std::to_string(range.first + range.length - 1) + "/" + std::to_string(size);
}

void add_state(Response& response, const FileState& state) {
  response.headers.emplace_back("Accept-Ranges", "bytes");
  if (!state.etag.empty()) response.headers.emplace_back("ETag", state.etag);
  response.headers.emplace_back("Last-Modified", http_date(state.modified_ms));
}

asio::awaitable<Response> give(const Exchange& exchange, std::string target, ShelfFile file,
                               std::shared_ptr<void> pass) {
  const FileState state{file.size, file.etag, file.modified_ms};
  Response response;
  if (is_unchanged(exchange.request, state)) {
    response.status = 304;
    add_state(response, state);
    add_manners(response);
    co_return response;
  }
  const ByteRange range = range_of(exchange.request, state);
  if (range.kind == ByteRange::Kind::unsatisfiable) {
    response = refuse(exchange, ProblemType::range_not_satisfiable,
                      "The file has " + std::to_string(file.size) + " bytes.");
    response.headers.emplace_back("Content-Range", content_range(range, file.size));
    co_return response;
  }
  if (exchange.request.method != "HEAD" && range.length > 0) {
    auto opening = open(exchange, std::move(target), file.etag, range);
    auto reading = std::make_shared<Reading>();
    reading->source = co_await std::move(opening);
    reading->left = range.length;
    reading->pass = std::move(pass);
    if (reading->source == nullptr) co_return unreadable(exchange);
    response.more = [reading] { return next_part(reading); };
    response.within = time_for(range.length);
  }
  if (range.kind == ByteRange::Kind::part) {
    response.status = 206;
    response.headers.emplace_back("Content-Range", content_range(range, file.size));
  }
  response.content_type = audio_type(file.content_type);
  response.length = range.length;
  add_state(response, state);
  add_manners(response);
  const std::string disposition = disposition_of(file.file_name);
  if (!disposition.empty()) response.headers.emplace_back("Content-Disposition", disposition);
  co_return response;
}

asio::awaitable<Response> get_file(Exchange& exchange) {
  if (exchange.parts.nouns.files == nullptr) {
    co_return refuse(exchange, ProblemType::link_invalid, "No recordings lie here.");
  }
  auto pass = exchange.parts.file_gate.enter();
  if (pass == nullptr) co_return too_many(exchange);
  const std::string target(without_authority(exchange.request.target));
  ShelfFile file;
  auto looking = look(exchange, target, file);
  const std::optional<FileShelf::Verdict> verdict = co_await std::move(looking);
  if (!verdict) co_return unreadable(exchange);
  if (verdict == FileShelf::Verdict::forged) {
    co_return refuse(exchange, ProblemType::link_invalid, "The URL's signature does not fit it.");
  }
  // Signed by us, so what it names may stand in the log.
  exchange.trace.tenant = exchange.parameters.front();
  const std::string& name = exchange.parameters.back();
  const std::string call = name.substr(0, name.find_first_not_of("0123456789"));
  if (is_call_id(call)) exchange.trace.call = call;
  if (verdict == FileShelf::Verdict::expired) {
    co_return refuse(exchange, ProblemType::link_expired, "The URL's time is over.");
  }
  if (verdict == FileShelf::Verdict::gone) {
    co_return refuse(exchange, ProblemType::recording_gone, "The file is there no longer.");
  }
  auto giving = give(exchange, target, std::move(file), std::move(pass));
  co_return co_await std::move(giving);
}

constexpr std::array routes{
    Route{"GET", "/v1/files/{tenant}/{year}/{month}/{day}/{file}", Scope::none, get_file},
};

}  // namespace

std::span<const Route> file_routes() noexcept {
  return routes;
}

}  // namespace cc::api
