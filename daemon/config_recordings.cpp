#include "config_recordings.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <tuple>
#include <unistd.h>

#include "config_check.hpp"

namespace cc {
namespace {

using namespace std::chrono_literals;

constexpr Millis e9_ready{10min}, e9_kept{30 * 24h};  // channels.md
constexpr Millis hw_ready{1min};                      // [A]
constexpr Millis most_kept{3650 * 24h};
constexpr std::uint64_t most_parts = 10'000;  // of one upload, as OSS has it

/// A directory that ccd makes at its start where it is not there yet, but none above it: what is
/// not mounted would be written to the wrong disk.
void read_new_directory(const YamlValue& value, std::string& target) {
  const auto path = value.text();
  if (!path) return;
  target = *path;
  if (!path->starts_with('/')) {
    value.complain("must be an absolute path, got \"" + *path + "\"");
    return;
  }
  std::filesystem::path writable = *path;
  std::error_code ignored;
  if (!std::filesystem::exists(writable, ignored)) writable = writable.parent_path();
  if (::access(writable.c_str(), R_OK | W_OK | X_OK) != 0) {
    value.complain("can't be written or made: " + *path +
                   "; make it for the user that ccd runs as: install -d -m 0700 -o USER " + *path);
  }
}

/// A directory that ccd may write to.
void read_directory(const YamlValue& value, std::string& target) {
  const auto path = value.text();
  if (!path) return;
  if (!path->starts_with('/')) {
    value.complain("must be an absolute path, got \"" + *path + "\"");
  } else if (::access(path->c_str(), R_OK | W_OK | X_OK) != 0) {
    value.complain("can't be read and written: " + *path + "; make it for ccd's user alone");
  }
  target = *path;
}

/// Without TLS only where somebody has said so.
void refuse_plain(const YamlValue& value, const std::string& url, bool plain,
                  const std::string& what) {
  if (plain || !url.starts_with("http://")) return;
  value.complain("must be https://…: " + what +
                 " would travel in clear. plainHttp: true beside it allows that");
}

void read_endpoint(YamlMap& map, std::string_view key, bool needed, bool plain,
                   std::string& target) {
  const auto value = needed ? map.need(key, "like https://oss-cn-hangzhou.aliyuncs.com")
                            : map.find(key);
  if (!value) return;
  const auto url = read_url(*value);
  if (!url) return;
  if (url->find('/', url->find("//") + 2) != std::string::npos) {
    value->complain("must be http(s)://host[:port] without a path and without the bucket");
    return;
  }
  refuse_plain(*value, *url, plain, "recordings and the right to them");
  target = *url;
}

/// "cn-hangzhou" or "my-bucket".
void read_label(YamlMap& map, std::string_view key, std::string_view remedy, std::string& target) {
  const auto value = map.need(key, remedy);
  if (!value) return;
  const auto text = value->text();
  if (!text) return;
  if (text->size() < 3 || text->size() > 63 || !consists_of(*text, "-", false) ||
      text->front() == '-' || text->back() == '-') {
    value->complain("must be 3 to 63 of a-z, 0-9 and - inside, got \"" + *text + "\"");
  }
  if (key == "region" && text->starts_with("oss-")) {
    value->complain("must be bare, without \"oss-\": " + text->substr(4));
  }
  target = *text;
}

void read_prefix(YamlMap& map, std::string& target) {
  const auto value = map.find("prefix");
  if (!value) return;
  const auto text = value->text();
  if (!text) return;
  if (text->size() > 128 || text->starts_with('/') || text->find("//") != std::string::npos ||
      text->find("..") != std::string::npos || !consists_of(*text, "/._-", true)) {
    value->complain("must be at most 128 of A-Z, a-z, 0-9 and /._-, not begin with a slash");
  }
  target = text->empty() || text->ends_with('/') ? *text : *text + "/";
}

void read_credentials(YamlMap& map, const YamlValue& oss, OssAccount& account) {
  read(map, "accessKeyId", account.access_key_id, &YamlValue::secret_or_text);
  read(map, "accessKeySecret", account.access_key_secret, &YamlValue::secret);
  read(map, "securityToken", account.security_token, &YamlValue::secret);
  if (const auto file = map.find("credentials")) {
    if (const auto path = file->text()) {
      if (!path->starts_with('/')) {
        file->complain("must be the absolute path of a JSON file with AccessKeyId, "
                       "AccessKeySecret and SecurityToken");
      } else if (::access(path->c_str(), R_OK) != 0) {
        file->complain("can't read " + *path);
      }
      account.credentials = *path;
    }
  }
  const bool keys = !account.access_key_id.empty() || !account.access_key_secret.empty() ||
                    !account.security_token.empty();
  if (keys && !account.credentials.empty()) {
    oss.complain("has accessKeyId and credentials; give one of the two");
  } else if (account.credentials.empty() &&
             (account.access_key_id.empty() || account.access_key_secret.empty())) {
    oss.complain("needs accessKeyId and accessKeySecret: file:/…, or credentials: /path of an STS "
                 "answer");
  }
}

void read_oss(const YamlValue& value, OssAccount& account) {
  YamlMap map(value);
  bool plain = false;
  read(map, "plainHttp", plain, &YamlValue::boolean);
  read_endpoint(map, "endpoint", true, plain, account.endpoint);
  read_endpoint(map, "publicEndpoint", false, plain, account.public_endpoint);
  read_label(map, "region", "bare, like cn-hangzhou", account.region);
  read_label(map, "bucket", "the bucket's name", account.bucket);
  read_prefix(map, account.prefix);
  read(map, "pathStyle", account.path_style, &YamlValue::boolean);
  read_credentials(map, value, account);
  read(map, "encryption", account.encryption, &YamlValue::one_of,
       std::vector<std::string>{"AES256", "KMS", "SM4"});
  if (const auto key = map.find("kmsKey")) {
    const auto text = key->text();
    if (account.encryption != "KMS") key->complain("goes with encryption: KMS only");
    if (text) account.kms_key = *text;
  }
  read(map, "storageClass", account.storage_class, &YamlValue::one_of,
       std::vector<std::string>{"Standard", "IA", "Archive", "ColdArchive", "DeepColdArchive"});
  if (account.storage_class.ends_with("Archive")) {
    value.complain("storageClass: " + account.storage_class +
                   " can't be listened to without restoring it first; use Standard or IA, and a "
                   "lifecycle rule of the bucket for old objects");
  }
  read_ca_file(map, account.ca_file);
  read(map, "partSize", account.part, &YamlValue::size, 102'400U, 64U << 20);
}

/// What a row would be given up for only after all its parts had gone up.
void refuse_small_parts(const YamlValue& oss, const RecordingsConfig& config) {
  const std::uint64_t least = (config.most + most_parts - 1) / most_parts;
  if (config.oss.part >= least) return;
  oss.complain("partSize × 10000, the most parts that OSS takes, is less than recordings.most (" +
               std::to_string(config.oss.part) + " × 10000 < " + std::to_string(config.most) +
               " bytes); make partSize at least " + std::to_string((least + 1023) / 1024) +
               "K, or most smaller");
}

void read_hosts(YamlMap& map, std::vector<std::string>& hosts) {
  const auto list = map.find("hosts");
  if (!list) return;
  for (const YamlValue& item : list->items()) {
    auto host = item.text();
    if (!host) continue;
    std::transform(host->begin(), host->end(), host->begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    if (host->empty() || host->size() > 255 || !consists_of(*host, ".-:[]", false)) {
      item.complain("must be a host like files.example.com, with :port where it is no usual one");
    }
    hosts.push_back(*std::move(host));
  }
}

/// Templates name what is put in; anything else in braces is a mistake.
void read_template(YamlMap& map, std::string_view key, std::string& target) {
  const auto value = map.find(key);
  if (!value) return;
  const auto text = value->text();
  if (!text) return;
  if (text->empty() || text->size() > 4096) value->complain("must be 1 to 4096 characters");
  target = *text;
}

void read_hw_files(YamlMap& map, const YamlValue& self, HwFiles& files) {
  bool plain = false;
  read(map, "plainHttp", plain, &YamlValue::boolean);
  if (const auto value = map.find("url")) {
    if (const auto url = read_url(*value)) {
      refuse_plain(*value, *url, plain, "recordings");
      files.url = *url;
    }
  }
  read(map, "ccId", files.cc_id, &YamlValue::text);
  read(map, "accessKey", files.access_key, &YamlValue::secret_or_text);
  read(map, "secretKey", files.secret_key, &YamlValue::secret);
  read_template(map, "body", files.body);
  read_template(map, "signature", files.signature);
  read_ca_file(map, files.ca_file);
  if (!files.url.empty() && (files.access_key.empty() || files.secret_key.empty())) {
    self.complain("needs accessKey and secretKey: file:/…, which sign the requests to url");
  }
}

}  // namespace

std::optional<std::string> read_url(const YamlValue& value) {
  auto url = value.text();
  if (!url) return std::nullopt;
  const std::size_t scheme = url->starts_with("https://") ? 8 : url->starts_with("http://") ? 7 : 0;
  if (scheme == 0 || scheme == url->size() || (*url)[scheme] == '/' ||
      url->find_first_of("?#@ \"\\") != std::string::npos) {
    value.complain("must be http://host[:port][/path] or https://…, with no user, query or space");
    return std::nullopt;
  }
  while (url->back() == '/') url->pop_back();
  return url;
}

void read_ca_file(YamlMap& map, std::string& target) {
  const auto file = map.find("caFile");
  if (!file) return;
  const auto path = file->text();
  if (!path) return;
  if (::access(path->c_str(), R_OK) != 0) file->complain("can't read " + *path);
  target = *path;
}

RecordingsConfig read_recordings(const YamlValue& value) {
  YamlMap map(value);
  RecordingsConfig config;
  const auto directory = map.find("directory");
  const auto oss = map.find("oss");
  if (directory) {
    config.store = RecordingsConfig::Store::directory;
    read_new_directory(*directory, config.directory);
  }
  if (oss) {
    config.store = RecordingsConfig::Store::oss;
    read_oss(*oss, config.oss);
  }
  if (directory && oss) value.complain("has a directory and oss; recordings go to one of them");
  if (!directory && !oss) value.complain("needs a directory: /path, or oss: {…}");
  read(map, "atOnce", config.at_once, &YamlValue::integer, 1, 64);
  read(map, "most", config.most, &YamlValue::size, 1U << 20, std::uint64_t{1} << 40);
  if (oss) refuse_small_parts(*oss, config);
  if (const auto scratch = map.find("scratch")) read_directory(*scratch, config.scratch);
  read(map, "firstPause", config.first_pause, &YamlValue::duration, Millis{100}, Millis{1h});
  read(map, "longestPause", config.longest_pause, &YamlValue::duration, Millis{100}, Millis{24h});
  if (config.longest_pause < config.first_pause) {
    value.complain("longestPause must not be below firstPause");
  }
  read(map, "absentAfter", config.absent_after, &YamlValue::duration, Millis{1s}, Millis{720h});
  read(map, "idle", config.idle, &YamlValue::duration, Millis{1s}, Millis{10min});
  Millis ttl{config.link_ttl * 1000};
  read(map, "linkTtl", ttl, &YamlValue::duration, Millis{10s}, Millis{1h});
  config.link_ttl = static_cast<int>(ttl / 1s);
  return config;
}

std::string keep_store(const RecordingsConfig& old, RecordingsConfig& fresh) {
  const auto account = [](const OssAccount& oss) {
    return std::tie(oss.endpoint, oss.public_endpoint, oss.region, oss.bucket, oss.prefix,
                    oss.path_style, oss.access_key_id, oss.access_key_secret, oss.security_token,
                    oss.credentials, oss.encryption, oss.kms_key, oss.storage_class, oss.ca_file,
                    oss.part);
  };
  std::string differ;
  const auto keep = [&](bool same, const char* name) {
    if (!same) differ += (differ.empty() ? "" : ", ") + std::string(name);
  };
  keep(fresh.store == old.store, "the store");
  keep(fresh.directory == old.directory, "recordings.directory");
  keep(account(fresh.oss) == account(old.oss), "recordings.oss");
  fresh.store = old.store;
  fresh.directory = old.directory;
  fresh.oss = old.oss;
  return differ;
}

void read_channel_recordings(YamlMap& channel, ChannelConfig& config) {
  ChannelRecordings& recordings = config.recordings;
  const bool polled = config.kind == "hw";
  recordings.ready_after = polled ? hw_ready : e9_ready;
  recordings.kept = polled ? Millis{0} : e9_kept;
  const auto value = channel.find("recordings");
  if (!value) return;
  YamlMap map(*value);
  read(map, "readyAfter", recordings.ready_after, &YamlValue::duration, Millis{0}, Millis{24h});
  read(map, "kept", recordings.kept, &YamlValue::duration, Millis{1h}, most_kept);
  if (polled) {
    read_hw_files(map, *value, config.hw.files);
  } else {
    read_hosts(map, recordings.hosts);
  }
}

}  // namespace cc
