#include "recording/fetch.hpp"

#include <algorithm>
#include <cstring>

#include <curl/curl.h>

#include "io/http_download.hpp"
#include "text.hpp"

namespace cc {
namespace {

constexpr std::size_t begin_size = 512;  // what a channel judges by
constexpr std::chrono::minutes longest_begin{2};  // however it drips

std::string lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

std::string header_of(const HttpExchange& head, std::string_view name) {
  for (const auto& [key, value] : head.headers) {
    if (key == name) return std::string(trim(value));
  }
  return {};
}

/// What was read already, and then the rest. As much as was announced, or it is broken.
class DownloadSource final : public ByteSource {
 public:
  DownloadSource(std::unique_ptr<HttpDownload> download, std::string begin,
                 std::optional<std::int64_t> announced)
      : download_(std::move(download)), begin_(std::move(begin)), announced_(announced) {}

  asio::awaitable<std::size_t> read(char* into, std::size_t size) override {
    std::size_t got = std::min(size, begin_.size() - given_);
    if (got > 0) {
      std::memcpy(into, begin_.data() + given_, got);
      given_ += got;
    } else {
      const std::ptrdiff_t more = co_await download_->read(into, size);
      if (more < 0) throw SourceBroken("the channel's file broke off: " + download_->problem());
      got = static_cast<std::size_t>(more);
    }
    came_ += static_cast<std::int64_t>(got);
    if (got == 0 && announced_ && came_ != *announced_) {
      throw SourceBroken("the channel's file broke off: " + std::to_string(came_) + " of " +
                         std::to_string(*announced_) + " bytes came");
    }
    co_return got;
  }

 private:
  std::unique_ptr<HttpDownload> download_;
  std::string begin_;
  std::size_t given_ = 0;
  std::optional<std::int64_t> announced_;
  std::int64_t came_ = 0;
};

FetchedFile trouble(std::string problem) {
  FetchedFile fetched;
  fetched.answer.problem = std::move(problem);
  return fetched;
}

/// Whether the address may be followed; says why not.
std::string look_at_host(HttpRequest& request, const ChannelConfig& channel) {
  if (!request.public_only) return {};
  const auto host = url_host(request.url);
  if (!host) return "the channel's address of the file is no http(s) URL without a user";
  const std::vector<std::string>& hosts = channel.recordings.hosts;
  if (hosts.empty()) return {};
  if (!is_listed(*host, hosts)) {
    return "the channel's address of the file is at a host that channels." + channel.code +
           ".recordings.hosts does not list";
  }
  request.public_only = false;
  return {};
}

}  // namespace

std::optional<UrlHost> url_host(const std::string& url) {
  // By curl's own parser: another one might see another host in it.
  struct Part {
    char* text = nullptr;
    Part() = default;
    Part(const Part&) = delete;
    ~Part() { curl_free(text); }
  };
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parsed(curl_url(), &curl_url_cleanup);
  if (parsed == nullptr || curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) {
    return std::nullopt;
  }
  Part scheme, user, host, port;
  if (curl_url_get(parsed.get(), CURLUPART_SCHEME, &scheme.text, 0) != CURLUE_OK ||
      curl_url_get(parsed.get(), CURLUPART_HOST, &host.text, 0) != CURLUE_OK ||
      curl_url_get(parsed.get(), CURLUPART_PORT, &port.text, CURLU_DEFAULT_PORT) != CURLUE_OK ||
      curl_url_get(parsed.get(), CURLUPART_USER, &user.text, 0) != CURLUE_NO_USER) {
    return std::nullopt;
  }
  const std::string kind = lower(scheme.text);
  if (kind != "http" && kind != "https") return std::nullopt;
  return UrlHost{lower(host.text), port.text};
}

bool is_listed(const UrlHost& host, const std::vector<std::string>& hosts) {
  const std::string with_port = host.host + ":" + host.port;
  return std::any_of(hosts.begin(), hosts.end(), [&](const std::string& listed) {
    const std::string name = lower(listed);
    return name == host.host || name == with_port;
  });
}

asio::awaitable<FetchedFile> fetch_file(HttpClient& http,
                                        std::shared_ptr<const ConfiguredChannel> channel,
                                        HttpRequest request, FetchLimits limits) {
  if (std::string problem = look_at_host(request, channel->config); !problem.empty()) {
    co_return trouble(std::move(problem));
  }
  const auto until = limits.clock.steady() + longest_begin;
  std::unique_ptr<HttpDownload> download = co_await http.download(std::move(request), limits.idle);
  const HttpExchange head = download->head();
  if (!head.answered()) {
    const std::string why = head.problem.empty() ? download->problem() : head.problem;
    co_return trouble(std::string(to_text(head.end)) + ": " + why);
  }
  std::string begin(begin_size, '\0');
  std::size_t got = 0;
  for (bool more = true; more && got < begin_size;) {
    const std::ptrdiff_t piece = co_await download->read(begin.data() + got, begin_size - got);
    if (piece < 0) co_return trouble("the channel's answer broke off: " + download->problem());
    if (limits.stopping) co_return trouble("ccd stops");
    if (limits.clock.steady() > until) co_return trouble("no 512 bytes came within 2 min");
    more = piece > 0;
    got += static_cast<std::size_t>(piece);
  }
  begin.resize(got);
  FetchedFile fetched;
  fetched.answer = channel->provider->judge_file(head, begin);
  const bool wanted = fetched.answer.kind == FileAnswer::Kind::file ||
                      fetched.answer.kind == FileAnswer::Kind::packed;
  if (!wanted) co_return fetched;
  if (begin.empty()) co_return trouble("the channel gave an empty file");
  const std::string coding = lower(header_of(head, "content-encoding"));
  if (!coding.empty() && coding != "identity") {
    co_return trouble("the channel gave the file in a content coding that nobody asked for");
  }
  const auto announced = parse_integer(header_of(head, "content-length"));
  fetched.bytes =
      std::make_unique<DownloadSource>(std::move(download), std::move(begin), announced);
  co_return fetched;
}

}  // namespace cc
