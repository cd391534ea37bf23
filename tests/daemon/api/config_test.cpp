#define BOOST_TEST_MODULE config
#include "config.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include "yaml_reader.hpp"

using namespace cc;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

const std::string id32 = "feff3cbd52c041a1bd5b0492bee56423";
const std::string digest = "2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683";

struct Folder {
  Folder() : path(fs::temp_directory_path() / ("cc-config-" + std::to_string(::getpid()))) {
    fs::create_directories(path);
    write("sid", id32 + "\n");
    write("token", id32);
    write("app", id32 + "\r\n");
    write("digest", digest + "  -\n");
    write("short", "abc\n");
    write("empty", "\n");
    write("password", "s3cr'et\\\n");
  }
  ~Folder() { fs::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string write(const std::string& name, const std::string& content) const {
    std::ofstream(path / name) << content;
    return (path / name).string();
  }
  fs::path path;
};

/// The whole configuration with one piece exchanged.
std::string yaml(const std::string& from = {}, const std::string& to = {}) {
  std::string text =
      "daemon:\n"
      "  id: ccd-1\n"
      "http:\n"
      "  listen: [\"127.0.0.1:8180\", \"unix:/run/ccd/api.sock\", \"[::1]:0\"]\n"
      "  maxBody: 32K\n"
      "  idleTimeout: 2m\n"
      "postgres:\n"
      "  conninfo: \"host=/var/run/postgresql dbname=cc\"\n"
      "  password: file:password\n"
      "  pool: 9\n"
      "redis:\n"
      "  address: unix:/run/redis.sock\n"
      "stream:\n"
      "  prefix: \"cc:events:\"\n"
      "  partitions: 2\n"
      "  batch: 400\n"
      "  trimLag: 30m\n"
      "  trimBytes: 128M\n"
      "log:\n"
      "  level: debug\n"
      "  format: json\n"
      "calls:\n"
      "  maxDuration: 2h\n"
      "channels:\n"
      "  e9:\n"
      "    kind: e9\n"
      "    baseUrl: https://api.example.com:8443/\n"
      "    accountSid: file:sid\n"
      "    authToken: file:token\n"
      "    appId: file:app\n"
      "    priority: 7\n"
      "    weight: 3\n"
      "    defaultTenant: demo\n"
      "    connectTimeout: 250ms\n"
      "    answerTimeout: 20s\n"
      "tenants:\n"
      "  demo:\n"
      "    channels: [e9]\n"
      "    mainNum: \"4001234567\"\n"
      "    keys:\n"
      "      - id: demo-1\n"
      "        sha256: file:digest\n"
      "        scopes: [call, read, numbers]\n";
  if (!from.empty()) {
    const auto at = text.find(from);
    BOOST_REQUIRE_MESSAGE(at != std::string::npos, from);
    text.replace(at, from.size(), to);
  }
  return text;
}

Config good(const Folder& folder, const std::string& text) {
  auto config = read_config(folder.write("cc.yaml", text));
  if (!config) BOOST_FAIL(config.error().message);
  return *std::move(config);
}

std::string bad(const Folder& folder, const std::string& text) {
  const std::string path = folder.write("cc.yaml", text);
  const auto config = read_config(path);
  BOOST_REQUIRE_MESSAGE(!config, "taken:\n" << text);
  std::string message = config.error().message;
  for (std::size_t at = 0; (at = message.find(path)) != std::string::npos;) {
    message.replace(at, path.size(), "cc.yaml");
  }
  return message;
}

}  // namespace

BOOST_AUTO_TEST_CASE(everything_is_read) {
  const Folder folder;
  const Config config = good(folder, yaml());
  BOOST_TEST(config.daemon_id == "ccd-1");
  BOOST_TEST(config.http.listen.size() == 3U);
  BOOST_TEST(config.http.max_body == 32768U);
  BOOST_TEST((config.http.idle_timeout == 2min));
  BOOST_TEST((config.http.header_timeout == 10s));
  BOOST_TEST(config.postgres.conninfo ==
             "dbname='cc' host='/var/run/postgresql' password='s3cr\\'et\\\\'");
  BOOST_TEST(config.postgres.pool == 9U);
  BOOST_TEST(config.redis.address == "unix:/run/redis.sock");
  BOOST_TEST(config.redis.password == "");
  BOOST_TEST(config.stream.partitions == 2U);
  BOOST_TEST(config.stream.batch == 400U);
  BOOST_TEST((config.stream.trim_lag == 30min));
  BOOST_TEST(config.stream.trim_bytes == 128U << 20);
  BOOST_TEST(config.log.level == "debug");
  BOOST_TEST(config.log.format == "json");
  BOOST_TEST(config.default_max_duration == 7200);
  const ChannelConfig& e9 = config.channels.at("e9");
  BOOST_TEST(e9.code == "e9");
  BOOST_TEST(e9.kind == "e9");
  BOOST_TEST(e9.enabled);
  BOOST_TEST(e9.priority == 7);
  BOOST_TEST(e9.weight == 3);
  BOOST_TEST(e9.default_tenant == "demo");
  BOOST_TEST((e9.connect_timeout == 250ms));
  BOOST_TEST((e9.answer_timeout == 20s));
  BOOST_TEST(e9.e9.base_url == "https://api.example.com:8443");
  BOOST_TEST(e9.e9.account_sid == id32);
  BOOST_TEST(e9.e9.auth_token == id32);
  BOOST_TEST(e9.e9.app_id == id32);
  const Tenant& demo = config.tenants.at("demo");
  BOOST_TEST(demo.name == "demo");
  BOOST_TEST(demo.main_num == "4001234567");
  BOOST_TEST(demo.keys.at(0).secrets.at(0).sha256 == digest);
  BOOST_TEST(demo.keys.at(0).scopes.size() == 3U);
}

BOOST_AUTO_TEST_CASE(little_is_enough) {
  const Folder folder;
  const Config config = good(folder,
                             "postgres: {conninfo: dbname=cc}\n"
                             "redis: {address: \"127.0.0.1:6379\"}\nhttp:\n");
  BOOST_TEST(!config.daemon_id.empty());
  BOOST_TEST(config.http.listen.at(0) == "127.0.0.1:8180");
  BOOST_TEST(config.default_max_duration == 3600);
  BOOST_TEST(config.stream.trim_bytes == 256U << 20);
  BOOST_TEST(config.channels.empty());
}

namespace {

const std::string key64 = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// With a channel that is polled, and one piece exchanged.
std::string polled(const Folder& folder, const std::string& from = {}, const std::string& to = {}) {
  std::string text = yaml(
      "channels:\n",
      "agents:\n  key: file:key\n  previousKeys: [file:old]\nspool:\n  directory: \"" +
          folder.path.string() +
          "\"\n  max: 64M\n  replay: 500\nchannels:\n"
          "  hw:\n    kind: hw\n    baseUrl: https://gw.example.com:8043/agentgateway/resource\n"
          "    defaultTenant: demo\n    pollPause: {least: 250ms, most: 400ms}\n"
          "    signInsPerSecond: 20\n");
  if (from.empty()) return text;
  const auto at = text.find(from);
  BOOST_REQUIRE_MESSAGE(at != std::string::npos, from);
  return text.replace(at, from.size(), to);
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_polled_channel_is_read) {
  const Folder folder;
  folder.write("key", key64 + "\n");
  folder.write("old", std::string(64, 'F'));
  const Config config = good(folder, polled(folder));
  const ChannelConfig& hw = config.channels.at("hw");
  BOOST_TEST(hw.hw.base_url == "https://gw.example.com:8043/agentgateway/resource");
  BOOST_TEST((hw.hw.pause_least == 250ms));
  BOOST_TEST((hw.hw.pause_most == 400ms));
  BOOST_TEST(hw.hw.sign_ins_a_second == 20U);
  BOOST_TEST(config.agents.key.size() == 32U);
  BOOST_TEST(config.agents.key[31] == '\x1f');
  BOOST_TEST(config.agents.previous_keys.at(0) == std::string(32, '\xFF'));
  BOOST_TEST(config.spool.max == 64U << 20);
  BOOST_TEST(config.spool.replay == 500U);
}

BOOST_AUTO_TEST_CASE(mistakes_of_a_polled_channel) {
  const Folder folder;
  folder.write("key", key64);
  folder.write("old", key64);
  folder.write("half", key64.substr(32));
  const auto told = [&](const std::string& from, const std::string& to, const std::string& says) {
    const std::string message = bad(folder, polled(folder, from, to));
    BOOST_TEST(message.find(says) != std::string::npos, message);
    BOOST_TEST(message.find(key64.substr(0, 16)) == std::string::npos, "a secret is told");
  };
  told("https://gw", "http://gw", "agents' passwords would travel in clear");
  told("    baseUrl: https://gw.example.com:8043/agentgateway/resource\n", "",
       "channels.hw: baseUrl is missing");
  told("least: 250ms", "least: 100ms", "channels.hw.pollPause.least: ");
  told("most: 400ms", "most: 200ms", "most must not be below least");
  told("  key: file:key\n", "", "agents: key is missing");
  told("file:key", "file:half", "agents.key: must be 64 hex digits, got 32 characters");
  told("[file:old]", "[file:half]", "agents.previousKeys");
  told(folder.path.string(), "/nonexistent/spool", "spool.directory: can't be read and written");
  told(folder.path.string(), "spool", "spool.directory: must be an absolute path");
  told("agents:\n  key: file:key\n  previousKeys: [file:old]\n", "",
       "channels.hw: needs agents: {key: file:/");
  // Without TLS only where somebody has said so.
  good(folder, polled(folder, "https://gw", "http://gw")
                   .replace(polled(folder, "https://gw", "http://gw").find("    signIns"), 0,
                            "    plainHttp: true\n"));
}

BOOST_AUTO_TEST_CASE(the_shipped_sample_has_no_complaint_but_missing_secrets) {
  const auto config = read_config(CC_SOURCE_DIR "/conf/cc.yaml");
  if (config) return;
  std::istringstream lines(config.error().message);
  for (std::string line; std::getline(lines, line);) {
    const bool may_be = line.find("can't read /etc/cc/") != std::string::npos ||
                        line.find("install -d -m 0700 -o USER /var/lib/cc/") != std::string::npos;
    BOOST_TEST(may_be, line);
  }
}

BOOST_AUTO_TEST_CASE(each_mistake_is_told_with_its_place) {
  const Folder folder;
  struct Case {
    std::string from, to, says;
  };
  const std::vector<Case> cases{
      {"  id: ccd-1", "  id: a b", "cc.yaml:2:7: daemon.id: must be 1 to 64"},
      {"  id: ccd-1", "  idd: x", "cc.yaml:2:3: daemon.idd: unknown key; did you mean \"id\"?"},
      {"  id: ccd-1", "  colour: x", "daemon.colour: unknown key; known here: id"},
      {"daemon:", "deamon:", "cc.yaml:1:1: deamon: unknown key; did you mean \"daemon\"?"},
      {"  batch: 400", "  batch: 400\n  batch: 5",
       "stream.batch: is given twice, first in line 16"},
      {"127.0.0.1:8180", "localhost:8180", "http.listen[0]: must be address:port"},
      {"127.0.0.1:8180", "127.0.0.1:65536", "http.listen[0]: must be address:port"},
      {"127.0.0.1:8180", "[::1]:0", "http.listen[2]: \"[::1]:0\" is listed twice"},
      {"[::1]:0", "::1:0", "an IPv6 address goes into brackets"},
      {"unix:/run/ccd/api.sock", "unix:api.sock", "needs an absolute path"},
      {"maxBody: 32K", "maxBody: 32KB", "http.maxBody: must be a size"},
      {"maxBody: 32K", "maxBody: 2G", "http.maxBody: must be from 1K to 1M, got 2G"},
      {"idleTimeout: 2m", "idleTimeout: 120", "http.idleTimeout: must be a duration with a unit"},
      {"idleTimeout: 2m", "idle_timeout: 2m", "did you mean \"idleTimeout\"?"},
      {"host=/var/run/postgresql", "host=db.local", "host=db.local is a name"},
      {"dbname=cc", "dbname=cc password=hidden", "must hold no password"},
      {"dbname=cc", "dbname", "is no connection string"},
      {"  conninfo: \"host=/var/run/postgresql dbname=cc\"\n", "", "conninfo is missing"},
      {"file:password", "hidden", "postgres.password: a secret is never written here"},
      {"file:password", "file:nowhere", "postgres.password: can't read"},
      {"file:password", "file:empty", "is empty: write the secret into it"},
      {"file:password", "env:CC_TEST_UNSET", "the environment variable CC_TEST_UNSET is not set"},
      {"file:password", "env:hidden", "that environment variable is not set"},
      {"pool: 9", "pool: 0", "postgres.pool: must be a whole number from 2 to 200"},
      {"pool: 9", "pool: nine", "postgres.pool: must be a whole number"},
      {"unix:/run/redis.sock", "redis.local:6379", "redis.address: must be address:port"},
      {"partitions: 2", "partitions: 0", "cc.yaml:15:15: stream.partitions: must be"},
      {"level: debug", "level: inof", "log.level: must be one of"},
      {"level: debug", "level: inof", "did you mean \"info\"?"},
      {"maxDuration: 2h", "maxDuration: 9h", "calls.maxDuration: must be from 1s to 8h, got 9h"},
      {"maxDuration: 2h", "maxDuration: 0s", "calls.maxDuration: must be from 1s"},
      {"maxDuration: 2h", "maxDuration: 1500ms", "maxDuration must be whole seconds"},
      {"  e9:\n", "  Jiuyun_9:\n", "a channel's code must be 1 to 8 characters of a-z and 0-9"},
      {"kind: e9", "kind: e8", "channels.e9.kind: unknown kind \"e8\"; known: e9"},
      {"    kind: e9\n", "", "channels.e9: kind is missing; one of: e9"},
      {"https://api.example.com:8443/", "ftp://x", "channels.e9.baseUrl: must be http://"},
      {"https://api.example.com:8443/", "https://u@x", "channels.e9.baseUrl: must be http://"},
      {"https://api.example.com:8443/", "https://", "channels.e9.baseUrl: must be http://"},
      {"file:app", "file:short", "channels.e9.appId: must be 32 letters and digits, got 3"},
      {"file:token", id32, "channels.e9.authToken: a secret is never written here"},
      {"    authToken: file:token\n", "", "authToken is missing"},
      {"weight: 3", "weight: 0", "channels.e9.weight: must be"},
      {"defaultTenant: demo", "defaultTenant: dmeo",
       "channels.e9.defaultTenant: there is no tenant \"dmeo\"; did you mean \"demo\"?"},
      {"channels: [e9]", "channels: [e8]", "there is no channel \"e8\"; did you mean \"e9\"?"},
      {"channels: [e9]", "channels: [e9, e9]", "tenants.demo.channels[1]: is listed twice"},
      {"channels: [e9]", "channels: e9", "tenants.demo.channels: must be a list"},
      {"\"4001234567\"", "\"400-1\"", "tenants.demo.mainNum: must be 1 to 16 digits"},
      {"file:digest", "file:short", "tenants.demo.keys[0].sha256: must be 64 hex digits, got 3"},
      {"file:digest", "1234", "tenants.demo.keys[0].sha256: must be 64 hex digits, got 4"},
      {"numbers]", "number]", "did you mean \"numbers\"?"},
      {"numbers]", "call]", "scopes[2]: is listed twice"},
      {"[call, read, numbers]", "[]", "a key without a scope can do nothing"},
      {"- id: demo-1\n        sha256", "- sha256", "tenants.demo.keys[0]: id is missing"},
      {"  demo:\n", "  a-tenant-whose-name-is-far-too-long-for-it:\n", "a tenant's name must be"},
      {"partitions: 2", "partitions: [2", "is not YAML"},
      {"daemon:\n", "---\ndaemon:\n  id: x\n---\ndaemon:\n", "must be one document"},
      {"log:\n", "log: [\n", "is not YAML"},
      {"log:\n  level: debug\n  format: json\n", "log: verbose\n", "log: must be a mapping"},
  };
  for (const Case& one : cases) {
    const std::string message = bad(folder, yaml(one.from, one.to));
    BOOST_TEST(message.find(one.says) != std::string::npos,
               "expected: " << one.says << "\ngot: " << message);
    BOOST_TEST(message.find("hidden") == std::string::npos, message);
    BOOST_TEST(message.find(id32) == std::string::npos, message);
    BOOST_TEST(message.starts_with("cc.yaml:"), message);
  }
}

BOOST_AUTO_TEST_CASE(all_mistakes_are_told_in_the_files_order) {
  const Folder folder;
  const std::string message = bad(folder,
                                  "tenants:\n  t: {keys: [{id: \"\", sha256: x, scopes: [all]}]}\n"
                                  "stream: {partitions: 0, batch: many}\n"
                                  "surprise: 1\n");
  std::istringstream lines(message);
  std::vector<int> numbers;
  for (std::string line; std::getline(lines, line);) {
    BOOST_REQUIRE(line.starts_with("cc.yaml:"));
    numbers.push_back(std::atoi(line.c_str() + 8));
  }
  BOOST_TEST(numbers.size() == 8U, message);
  BOOST_TEST(std::is_sorted(numbers.begin(), numbers.end()), message);
}

BOOST_AUTO_TEST_CASE(secrets_come_from_the_environment_too) {
  const Folder folder;
  ::setenv("CC_TEST_TOKEN", id32.c_str(), 1);  // NOLINT(concurrency-mt-unsafe)
  BOOST_TEST(
      good(folder, yaml("file:token", "env:CC_TEST_TOKEN")).channels.at("e9").e9.auth_token ==
      id32);
  BOOST_TEST(good(folder, yaml("file:token", "file:" + (folder.path / "token").string()))
                 .channels.at("e9")
                 .e9.auth_token == id32);
  // Identifiers and digests are no secrets: they may stand in the file.
  BOOST_TEST(good(folder, yaml("file:app", id32)).channels.at("e9").e9.app_id == id32);
  BOOST_TEST(
      good(folder, yaml("file:digest", digest)).tenants.at("demo").keys[0].secrets.at(0).sha256 ==
      digest);
}

BOOST_AUTO_TEST_CASE(one_key_opens_one_door) {
  const Folder folder;
  const std::string second =
      "  other:\n    keys:\n      - {id: o, sha256: " + digest + ", scopes: [read]}\n";
  const std::string message = bad(folder, yaml() + second);
  BOOST_TEST(message.find("demo/demo-1 and other/o have the same sha256") != std::string::npos,
             message);
}

BOOST_AUTO_TEST_CASE(a_uri_of_libpq_can_take_a_password_too) {
  const Folder folder;
  const Config config =
      good(folder, yaml("host=/var/run/postgresql dbname=cc", "postgresql://cc@127.0.0.1:5433/cc"));
  BOOST_TEST(config.postgres.conninfo.find("port='5433'") != std::string::npos);
  BOOST_TEST(config.postgres.conninfo.find("password=") != std::string::npos);
  const std::string message = bad(
      folder, yaml("host=/var/run/postgresql dbname=cc", "postgresql://cc:hidden@127.0.0.1/cc"));
  BOOST_TEST(message.find("hidden") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_missing_or_empty_file_is_told) {
  const Folder folder;
  const auto none = read_config((folder.path / "none.yaml").string());
  BOOST_REQUIRE(!none);
  BOOST_TEST(none.error().message.find("No such file") != std::string::npos);
  BOOST_TEST(bad(folder, "").find("is empty") != std::string::npos);
  BOOST_TEST(bad(folder, "- a\n").find("must be a mapping") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(durations_and_sizes) {
  BOOST_TEST((parse_duration("250ms").value() == 250ms));
  BOOST_TEST((parse_duration("3s").value() == 3s));
  BOOST_TEST((parse_duration("2d").value() == 48h));
  for (const char* text : {"", "s", "3", "3 s", "-3s", "3x", "3.5s", "99999999999999999999s",
                           "9223372036854775807d"}) {
    BOOST_TEST(!parse_duration(text), text);
  }
  BOOST_TEST(parse_size("64K").value() == 65536U);
  BOOST_TEST(parse_size("5").value() == 5U);
  for (const char* text :
       {"", "K", "-1", "1T", "1KB", "99999999999999999999", "18446744073709551615G"}) {
    BOOST_TEST(!parse_size(text), text);
  }
}

BOOST_AUTO_TEST_CASE(reconciliation_has_its_time_of_day) {
  const Folder folder;
  const auto with = [](const std::string& at) {
    return yaml("channels:\n  e9:", "reconciliation: {at: " + at + "}\nchannels:\n  e9:");
  };
  BOOST_TEST((good(folder, yaml()).reconcile_at == 3h + 30min));
  BOOST_TEST((good(folder, with("\"00:05\"")).reconcile_at == 5min));
  BOOST_TEST((good(folder, with("\"23:59\"")).reconcile_at == 23h + 59min));
  for (const char* at : {"\"24:00\"", "\"3:30\"", "\"12:60\"", "noon", "\"-1:00\"", "\"+1:00\""}) {
    BOOST_TEST(bad(folder, with(at)).find("must be a time of day in UTC+8") != std::string::npos,
               at);
  }
}

BOOST_AUTO_TEST_CASE(retention_is_in_days_and_makes_sense) {
  const Folder folder;
  const auto with = [](const std::string& part) {
    return yaml("channels:\n  e9:", "retention: " + part + "\nchannels:\n  e9:");
  };
  Config config = good(folder, yaml());
  BOOST_TEST(config.retention.records == 0);
  BOOST_TEST(config.retention.changes == 30);
  BOOST_TEST((config.channels.at("e9").remembered == 0ms));
  // What is absent is kept as long as what it hangs on.
  config = good(folder, with("{records: 730}"));
  BOOST_TEST(config.retention.attempts == 730);
  BOOST_TEST(config.retention.events == 730);
  BOOST_TEST((config.channels.at("e9").remembered == 730 * 24h));
  config = good(folder, with("{attempts: 400, events: 90, changes: 7, deadLetters: 0}"));
  BOOST_TEST(config.retention.records == 0);
  BOOST_TEST(config.retention.attempts == 400);
  BOOST_TEST(config.retention.events == 90);
  BOOST_TEST(config.retention.changes == 7);
  BOOST_TEST(config.retention.dead_letters == 0);
  const std::vector<std::pair<std::string, std::string>> wrong{
      {"{records: 89}", "retention.records: must be 0 (for ever) or at least 90 days"},
      {"{records: -1}", "retention.records: must be"},
      {"{records: 365, attempts: 400}", "attempts must not be kept longer than records"},
      {"{records: 365, attempts: 0}", "attempts must not be kept longer than records"},
      {"{attempts: 90, events: 91}", "attempts are kept shorter than events"},
      {"{attempts: 90, events: 0}", "attempts are kept shorter than events"},
      {"{event: 90}", "did you mean \"events\"?"}};
  for (const auto& [part, says] : wrong) {
    const std::string message = bad(folder, with(part));
    BOOST_TEST(message.find(says) != std::string::npos, part << ": " << message);
  }
}
