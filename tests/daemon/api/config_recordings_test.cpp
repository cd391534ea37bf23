// What cc.yaml says of recordings.
#include <filesystem>
#include <fstream>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include "config.hpp"
#include "config_recordings.hpp"

using namespace cc;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

struct Folder {
  Folder()
      : path(fs::temp_directory_path() / ("cc-config-recordings-" + std::to_string(::getpid()))) {
    fs::create_directories(path);
    write("id", "feff3cbd52c041a1bd5b0492bee56423\n");
    write("secret", "s3cret\n");
    write("agents", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n");
  }
  ~Folder() { fs::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  void write(const std::string& name, const std::string& content) const {
    std::ofstream(path / name) << content;
  }
  fs::path path;
};

struct Pieces {
  std::string top, e9, hw, tenant;
};

Result<Config> read(const Folder& folder, const Pieces& pieces) {
  folder.write("cc.yaml",
               "postgres: {conninfo: \"host=/run dbname=cc\"}\n"
               "redis: {address: unix:/run/redis.sock}\n"
               "agents: {key: file:agents}\n"
               "spool: {directory: " +
                   folder.path.string() + "}\n" + pieces.top +
                   "\nchannels:\n"
                   "  e9: {kind: e9, accountSid: file:id, authToken: file:id, appId: file:id, "
                   "defaultTenant: demo" +
                   pieces.e9 +
                   "}\n"
                   "  hw: {kind: hw, baseUrl: \"https://gateway:8043/a\", defaultTenant: demo" +
                   pieces.hw +
                   "}\n"
                   "tenants:\n"
                   "  demo: {channels: [e9, hw]" +
                   pieces.tenant + "}\n");
  return read_config((folder.path / "cc.yaml").string());
}

const std::string oss =
    "recordings:\n"
    "  oss:\n"
    "    endpoint: https://oss-cn-hangzhou-internal.aliyuncs.com\n"
    "    publicEndpoint: https://oss-cn-hangzhou.aliyuncs.com/\n"
    "    region: cn-hangzhou\n"
    "    bucket: my-bucket\n"
    "    prefix: cc\n"
    "    accessKeyId: AK\n"
    "    accessKeySecret: file:secret\n"
    "    encryption: KMS\n"
    "    kmsKey: key-1\n"
    "    storageClass: IA\n"
    "    pathStyle: true\n"
    "    partSize: 1M\n"
    "  atOnce: 2\n"
    "  most: 1G\n"
    "  firstPause: 1s\n"
    "  longestPause: 1m\n"
    "  absentAfter: 2h\n"
    "  linkTtl: 1m\n";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  BOOST_TEST_REQUIRE(at != std::string::npos, from);
  return text.replace(at, from.size(), to);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(config_recordings)

BOOST_AUTO_TEST_CASE(without_them_recordings_stay_where_they_are) {
  const Folder folder;
  const auto config = read(folder, {});
  BOOST_TEST_REQUIRE(bool{config});
  BOOST_TEST((config->recordings.store == RecordingsConfig::Store::none));
  BOOST_TEST((config->channels.at("e9").recordings.ready_after == 10min));
  BOOST_TEST((config->channels.at("e9").recordings.kept == 720h));
  BOOST_TEST((config->channels.at("hw").recordings.ready_after == 1min));
}

BOOST_AUTO_TEST_CASE(all_that_can_be_said) {
  const Folder folder;
  const auto config =
      read(folder, {oss + "http: {publicUrl: \"https://cc.example.com/\"}\n",
                    ", recordings: {readyAfter: 1s, kept: 2d, hosts: [Files.Example.com, "
                    "\"127.0.0.1:8080\"]}",
                    ", recordings: {url: \"https://ccfs/CCFS/resource/ccfs/downloadRecord\", ccId: "
                    "\"7\", accessKey: AK, secretKey: file:secret, readyAfter: 5s}",
                    ""});
  BOOST_TEST_REQUIRE(bool{config}, (config ? std::string() : config.error().message));
  const RecordingsConfig& recordings = config->recordings;
  BOOST_TEST((recordings.store == RecordingsConfig::Store::oss));
  BOOST_TEST(recordings.oss.endpoint == "https://oss-cn-hangzhou-internal.aliyuncs.com");
  BOOST_TEST(recordings.oss.public_endpoint == "https://oss-cn-hangzhou.aliyuncs.com");
  BOOST_TEST(recordings.oss.prefix == "cc/");
  BOOST_TEST(recordings.oss.access_key_secret == "s3cret");
  BOOST_TEST(recordings.oss.kms_key == "key-1");
  BOOST_TEST(recordings.oss.path_style);
  BOOST_TEST(recordings.oss.part == 1U << 20);
  BOOST_TEST(recordings.most == 1U << 30);
  BOOST_TEST(recordings.link_ttl == 60);
  BOOST_TEST((recordings.absent_after == 2h));
  BOOST_TEST(config->http.public_url == "https://cc.example.com");
  const ChannelConfig& e9 = config->channels.at("e9");
  BOOST_TEST((e9.recordings.ready_after == 1s));
  BOOST_TEST((e9.recordings.kept == 48h));
  BOOST_TEST((e9.recordings.hosts ==
              std::vector<std::string>{"files.example.com", "127.0.0.1:8080"}));
  const HwFiles& files = config->channels.at("hw").hw.files;
  BOOST_TEST(files.url == "https://ccfs/CCFS/resource/ccfs/downloadRecord");
  BOOST_TEST(files.cc_id == "7");
  BOOST_TEST(files.secret_key == "s3cret");
  const auto kept_here = read(
      folder, {"recordings: {directory: \"" + (folder.path / "new").string() + "\"}\n", {}, {}, {}});
  BOOST_TEST_REQUIRE(bool{kept_here});
  BOOST_TEST((kept_here->recordings.store == RecordingsConfig::Store::directory));
}

BOOST_AUTO_TEST_CASE(each_mistake_is_told_with_its_place) {
  const Folder folder;
  const auto told = [&](const Pieces& pieces, const std::string& says) {
    const auto config = read(folder, pieces);
    BOOST_TEST_REQUIRE(!config, says);
    BOOST_TEST(config.error().message.find(says) != std::string::npos, config.error().message);
    BOOST_TEST(config.error().message.find("s3cret") == std::string::npos);
  };
  struct Case {
    std::string from, to, says;
  };
  for (const Case& mistake : std::vector<Case>{
           {"region: cn", "region: oss-cn", "recordings.oss.region: must be bare"},
           {"hangzhou.aliyuncs.com/", "hangzhou.aliyuncs.com/b", "without a path"},
           {"bucket: my-bucket", "bucket: My_Bucket", "recordings.oss.bucket: must be 3 to 63"},
           {"    bucket: my-bucket\n", "", "recordings.oss: bucket is missing"},
           {"prefix: cc", "prefix: ../cc", "recordings.oss.prefix: must be at most 128"},
           {"accessKeySecret: file:secret", "accessKeySecret: s3cret", "a secret is never written"},
           {"    accessKeyId: AK\n", "", "needs accessKeyId and accessKeySecret"},
           {"    kmsKey: key-1\n", "    credentials: /etc/passwd\n", "give one of the two"},
           {"encryption: KMS", "encryption: AES256", "kmsKey: goes with encryption: KMS only"},
           {"storageClass: IA", "storageClass: Archive", "can't be listened to"},
           {"partSize: 1M", "partSize: 1K", "recordings.oss.partSize: must be from 100K"},
           {"partSize: 1M", "partSize: 100K",
            "recordings.oss: partSize × 10000, the most parts that OSS takes, is less than "
            "recordings.most (102400 × 10000 < 1073741824 bytes); make partSize at least 105K"},
           {"endpoint: https", "endpoint: http", "recordings.oss.endpoint: must be https://…"},
           {"publicEndpoint: https", "publicEndpoint: http",
            "recordings.oss.publicEndpoint: must be https://…"},
           {"  atOnce: 2", "  atOnce: 2\n  directory: /tmp", "recordings go to one of them"},
           {"longestPause: 1m", "longestPause: 100ms", "longestPause must not be below firstPause"},
           {"  linkTtl: 1m", "  linkTtl: 2h", "recordings.linkTtl: must be from 10s to 1h"}}) {
    told({replaced(oss, mistake.from, mistake.to), {}, {}, {}}, mistake.says);
  }
  told({"recordings: {atOnce: 2}\n", {}, {}, {}}, "recordings: needs a directory: /path, or oss:");
  told({"recordings: {directory: /nonexistent/deep/down}\n", {}, {}, {}},
       "recordings.directory: can't be written or made");
  told({"recordings: {directory: here}\n", {}, {}, {}}, "must be an absolute path");
  told({{}, ", recordings: {hosts: [\"http://x\"]}", {}, {}}, "hosts[0]: must be a host");
  told({{}, ", recordings: {url: \"https://x\"}", {}, {}}, "e9.recordings.url: unknown key");
  told({{}, {}, ", recordings: {url: \"https://ccfs/x\"}", {}}, "needs accessKey and secretKey");
  told({{},
        {},
        ", recordings: {url: \"http://ccfs/x\", accessKey: AK, secretKey: file:secret}",
        {}},
       "channels.hw.recordings.url: must be https://…: recordings would travel in clear");
}

BOOST_AUTO_TEST_CASE(in_clear_only_where_somebody_has_said_so) {
  const Folder folder;
  const std::string plain = replaced(
      replaced(replaced(oss, "endpoint: https", "endpoint: http"), "publicEndpoint: https",
               "publicEndpoint: http"),
      "    pathStyle: true\n", "    pathStyle: true\n    plainHttp: true\n");
  const auto config = read(folder, {plain,
                                    {},
                                    ", recordings: {url: \"http://ccfs/x\", plainHttp: true, "
                                    "accessKey: AK, secretKey: file:secret}",
                                    {}});
  BOOST_TEST_REQUIRE(bool{config}, (config ? std::string() : config.error().message));
  BOOST_TEST(config->recordings.oss.public_endpoint == "http://oss-cn-hangzhou.aliyuncs.com");
  BOOST_TEST(config->channels.at("hw").hw.files.url == "http://ccfs/x");
}

BOOST_AUTO_TEST_CASE(a_part_may_be_as_small_as_ten_thousand_of_them_allow) {
  const Folder folder;
  const auto fits = [&](const std::string& part) {
    return bool{read(folder, {replaced(oss, "partSize: 1M", "partSize: " + part), {}, {}, {}})};
  };
  BOOST_TEST(!fits("104K"));
  BOOST_TEST(fits("105K"));  // as the complaint advises
}

BOOST_AUTO_TEST_CASE(a_reload_keeps_the_store_and_says_what_it_left_out) {
  RecordingsConfig old;
  old.store = RecordingsConfig::Store::directory;
  old.directory = "/a";
  const auto told = [&](RecordingsConfig fresh) {
    const std::string differ = keep_store(old, fresh);
    BOOST_TEST((fresh.store == old.store));
    BOOST_TEST(fresh.directory == old.directory);
    BOOST_TEST(fresh.oss.access_key_secret == old.oss.access_key_secret);
    return differ;
  };
  RecordingsConfig fresh = old;
  fresh.most = 7;
  BOOST_TEST(told(fresh) == "");
  fresh.directory = "/b";
  BOOST_TEST(told(fresh) == "recordings.directory");
  fresh = old;
  fresh.store = RecordingsConfig::Store::oss;
  fresh.directory.clear();
  fresh.oss.bucket = "b";
  BOOST_TEST(told(fresh) == "the store, recordings.directory, recordings.oss");
  old = fresh;
  fresh.oss.access_key_secret = "s3cret";  // another key counts too, and is not told
  BOOST_TEST(told(fresh) == "recordings.oss");
}

BOOST_AUTO_TEST_SUITE_END()
