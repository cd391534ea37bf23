#include "channel/hw_files.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <boost/json.hpp>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "beijing_time.hpp"
#include "channel/audio_kind.hpp"
#include "channel/hw_gateway.hpp"
#include "phone.hpp"
#include "text.hpp"

namespace cc {
namespace {

namespace json = boost::json;

constexpr std::string_view known_signature = "auth-v2";

// The nesting is an assumption.
constexpr std::string_view body_by_call =
    R"({"request":{"version":"2.0"},"msgBody":{"callId":{callId},"ccId":{ccId}}})";
constexpr std::string_view body_by_name =
    R"({"request":{"version":"2.0"},"msgBody":{"fileName":{fileName},"ccId":{ccId}}})";

constexpr std::string_view no_such_file = "0300012";  // "No data found" [C]

std::string hmac_hex(std::string_view key, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &length);
  return to_hex({reinterpret_cast<const char*>(digest.data()), length});
}

using Values = std::array<std::pair<std::string_view, std::string_view>, 3>;

/// Each "{name}" becomes its value as a JSON string; quotes around it are part of it.
std::string fill(std::string_view form, const Values& values) {
  std::string out;
  while (!form.empty()) {
    bool filled = false;
    const bool quoted = form.starts_with("\"{");
    for (const auto& [name, value] : values) {
      const std::string hole = "{" + std::string(name) + "}";
      const std::string sought = quoted ? "\"" + hole + "\"" : hole;
      if (!form.starts_with(sought)) continue;
      out += json::serialize(json::value(repair_utf8(value)));
      form.remove_prefix(sought.size());
      filled = true;
      break;
    }
    if (filled) continue;
    out += form.front();
    form.remove_prefix(1);
  }
  return out;
}

struct Address {
  std::string_view host, path;
};

Address address_of(std::string_view url) {
  const std::size_t host = url.find("://") + 3;
  const std::size_t path = std::min(url.find('/', host), url.size());
  return {url.substr(host, path - host), path < url.size() ? url.substr(path) : "/"};
}

std::string text_of(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr) return {};
  if (const json::string* text = value->if_string()) return std::string(text->data(), text->size());
  return value->is_number() ? json::serialize(*value) : std::string{};
}

FileAnswer trouble(std::string problem) {
  FileAnswer answer;
  answer.problem = std::move(problem);
  return answer;
}

/// The code without its leading zeros: with them it looks like a number that is to be masked.
std::string shown_code(std::string_view code) {
  while (code.size() > 1 && code.front() == '0') code.remove_prefix(1);
  bool cut = false;
  return mask_numbers_in(cut_to_width(repair_utf8(code), 32, cut));
}

FileAnswer judge_refusal(unsigned status, std::string_view begin) {
  const std::string http = "HTTP " + std::to_string(status);
  boost::system::error_code error;
  const json::value value = json::parse(json::string_view(begin.data(), begin.size()), error);
  const std::string code =
      !error && value.is_object() ? text_of(value.get_object(), "resultCode") : std::string{};
  if (code.empty()) return trouble("the file service answers with " + http + " and nothing usable");
  bool cut = false;
  const std::string words = mask_numbers_in(
      cut_to_width(repair_utf8(text_of(value.get_object(), "resultDesc")), 100, cut));
  FileAnswer answer =
      trouble("the file service answers with " + http + ", code " + shown_code(code) + " " + words);
  if ((status == 200 || status == 404) && code == no_such_file) {
    answer.kind = FileAnswer::Kind::none;
  }
  return answer;
}

}  // namespace

std::string hw_file_signature(const HwFiles& files, std::string_view host, std::string_view path,
                              std::string_view body, std::int64_t now_ms) {
  const std::string time = format_utc(now_ms).substr(0, 19) + "Z";
  const std::string prefix =
      std::string(known_signature) + "/" + files.access_key + "/" + time + "/host";
  const std::string key = hmac_hex(files.secret_key, prefix);
  std::string canonical = "POST\n";
  canonical += path;
  canonical += "\nhost\nhost:" + hw_encode(host) + "\n" + hw_encode(body);
  return prefix + "/" + hmac_hex(key, canonical);
}

FileRequest hw_file_request(const ChannelConfig& config, const ChannelFile& file,
                            std::int64_t now_ms) {
  const HwFiles& files = config.hw.files;
  if (files.url.empty()) {
    return no_way_yet("channel " + config.code + " has no recordings.url: see conf/cc.yaml");
  }
  if (!files.signature.empty() && files.signature != known_signature) {
    return no_way_yet("channel " + config.code +
                      " has a recordings.signature that is not known: " +
                      std::string(known_signature) + " is");
  }
  const bool by_call = !file.ivr && !file.channel_call_id.empty();
  std::string_view form = files.body;
  if (form.empty()) form = by_call ? body_by_call : body_by_name;
  std::string body = fill(
      form,
      Values{{{"callId", file.channel_call_id}, {"fileName", file.source}, {"ccId", files.cc_id}}});
  HttpRequest request;
  request.method = "POST";
  request.url = files.url;
  request.connect_timeout = config.connect_timeout;
  request.ca_file = files.ca_file;
  const Address address = address_of(files.url);
  request.headers = {
      {"Host", std::string(address.host)},  // as it is signed, also with a port that is the usual
      {"Content-Type", "application/json; charset=UTF-8"},
      {"Authorization", hw_file_signature(files, address.host, address.path, body, now_ms)}};
  request.body = std::move(body);
  return request;
}

FileAnswer judge_hw_file(const std::string& channel, unsigned status, std::string_view begin) {
  if (status == 401 || status == 403) {
    FileAnswer refused = judge_refusal(status, begin);
    refused.problem += "; accessKey and secretKey of channels." + channel + ".recordings?";
    return refused;
  }
  if (status != 200) return judge_refusal(status, begin);
  FileAnswer answer;
  if (begins_zip(begin)) {
    answer.kind = FileAnswer::Kind::packed;
    answer.content_type = "application/zip";
    answer.extension = ".zip";
  } else if (const auto kind = audio_kind(begin)) {
    answer.kind = FileAnswer::Kind::file;
    answer.content_type = kind->content_type;
    answer.extension = kind->extension;
  } else if (trim(begin).starts_with('{')) {
    answer = judge_refusal(status, trim(begin));
  } else {
    answer.problem = "the file service answers with what is no WAV, no zip and no JSON";
  }
  return answer;
}

}  // namespace cc
