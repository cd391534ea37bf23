// cc.yaml: what ccd is told. Every complaint names file, line and column; unknown keys are refused;
// secrets are `file:/path` or `env:NAME`, never the value itself.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "io/redis.hpp"
#include "result.hpp"

namespace cc {

using Millis = std::chrono::milliseconds;

/// An account at a provider of kind e9 (channels.md).
struct E9Account {
  std::string base_url = "https://api.33e9cloud.com";
  std::string soft_version = "2016-01-01";
  std::string account_sid, auth_token, app_id;
  std::string ca_file;
};

/// How recordings are had from a channel. What a kind leaves alone is as it was set there.
struct ChannelRecordings {
  Millis ready_after{0};  // a call's end; before that nobody asks
  Millis kept{0};         // the channel deletes it so long after the call's end; 0 = not known
  std::vector<std::string> hosts;  // whose URLs are followed; empty = any public one. A host named
                                   // here may be private
};

/// Huawei's file service (channels.md, hw, "Recording"). The nesting of the body and the text that
/// is signed are assumptions there, so both can be written otherwise.
struct HwFiles {
  std::string url;  // https://{ccfs}/CCFS/resource/ccfs/downloadRecord; empty = there is none
  std::string cc_id = "1";
  std::string access_key, secret_key;
  std::string body;       // template; empty = the shipped one
  std::string signature;  // which way of signing; empty = the shipped one
  std::string ca_file;
};

/// A CC-Gateway of kind hw (channels.md).
struct HwAccount {
  std::string base_url;                      // https://host:8043/agentgateway/resource
  std::string ca_file;                       // empty = the system's; TLS is verified either way
  Millis pause_least{200}, pause_most{500};  // between two polls of an agent
  Millis poll_timeout{25'000};               // an empty poll is answered after 10 s
  unsigned sign_ins_a_second = 50;           // of this daemon, so that an outage's end is no storm
  HwFiles files;
};

/// What a channel is able to do. A call goes only to a channel that can do what it needs.
struct Capabilities {
  bool hide_customer = true;  // A's phone need not show B's number
  bool hide_agent = true;     // B's phone need not show A's number
  bool record = true;
  bool max_duration = true;  // it limits a call's duration itself; hw: false
};

struct ChannelConfig {
  std::string code;  // ≤ 8 characters
  std::string kind;  // e9, hw
  bool enabled = true;
  int priority = 100;  // lower first
  int weight = 1;
  std::string default_tenant;  // of calls that nobody can be found for
  Millis connect_timeout{3000};
  Millis answer_timeout{30000};
  Capabilities can;
  Millis remembered{0};  // histories are kept so long (retention.events); 0 = for ever
  ChannelRecordings recordings;
  E9Account e9;
  HwAccount hw;
};

/// What a key's owner may do, from where and for how long. The key itself is never kept. One given
/// in cc.yaml has one secret; one made by `ccd key` has two while it is being changed for another.
struct ApiKey {
  struct Secret {
    std::string sha256;           // of the key, hex
    std::int64_t expires_ms = 0;  // 0 = never
    bool revoked = false;         // known still, so that its user can be told
    bool stored = false;          // made by `ccd key`: when it is used is written down
  };
  std::string id;  // a name for logs
  std::vector<Secret> secrets;
  std::set<std::string> scopes;        // call, read, numbers, admin
  std::vector<std::string> addresses;  // networks it may be used from; empty = anywhere
};

/// How much a tenant may ask for; 0 = as much as it likes. Of the whole fleet.
struct CallLimits {
  int calls_per_second = 0;  // requests for calls, refused ones too
  int burst = 0;             // of them at once after a pause; 0 = calls_per_second
  int concurrent_calls = 0;  // calls that are not over
  bool operator==(const CallLimits&) const = default;
};

/// Which numbers the phones show (rules.md, "Numbers shown"). The default shows both to both.
struct Display {
  bool hide_customer = false;  // toAgent: main
  bool hide_agent = false;     // toCustomer: main
  bool operator==(const Display&) const = default;
};

struct Tenant {
  std::string name;  // ≤ 32 characters
  Display display;
  std::map<std::string, Display> businesses;  // of calls with this `business`, instead
  std::vector<ApiKey> keys;
  std::vector<std::string> channels;  // allowed, in no order; empty = all
  std::string main_num, ext_num;      // default of its calls
  CallLimits limits;
  std::optional<int> recording_days;  // how long its recordings are kept; 0 = for ever; absent =
                                      // retention.recordings
  bool disabled = false;      // its keys open nothing; its calls go on
  bool from_command = false;  // made by `ccd tenant`, not in cc.yaml
};

/// How long rows are kept, days; 0 = for ever.
struct Retention {
  int records = 0;
  int attempts = 0;  // ≤ records
  int events = 0;    // ≤ attempts: a call's history names them
  int changes = 30;
  int dead_letters = 365;
  int rejections = 30;
  int audit = 730;
  int recordings = 0;  // of tenants that say nothing else
};

/// Aliyun OSS (channels.md).
struct OssAccount {
  std::string endpoint;         // https://oss-cn-hangzhou-internal.aliyuncs.com: ccd's own way
  std::string public_endpoint;  // of signed URLs; empty = endpoint
  std::string region;           // bare: cn-hangzhou
  std::string bucket;
  std::string prefix;       // of objects' names; empty or ends with "/"
  bool path_style = false;  // https://endpoint/bucket/name, not https://bucket.endpoint/name
  std::string access_key_id, access_key_secret, security_token;
  std::string credentials;  // a file with an STS answer's Credentials, read again when it changes;
                            // instead of the three
  std::string encryption;   // AES256, KMS, SM4; empty = the bucket's own
  std::string kms_key;      // with KMS
  std::string storage_class;  // Standard, IA, …; empty = the bucket's own
  std::string ca_file;
  std::size_t part = std::size_t{4} << 20;  // bytes; what is longer goes up in parts of this size
};

/// Where recordings go, and how hard they are tried for.
struct RecordingsConfig {
  enum class Store : std::uint8_t { none, directory, oss } store = Store::none;
  std::string directory;  // absolute
  OssAccount oss;
  unsigned at_once = 4;                   // of this daemon
  std::uint64_t most = std::uint64_t{4} << 30;  // bytes of one file
  std::string scratch = "/var/tmp";  // where zip files wait to be unpacked, as files without a name
  Millis first_pause{60'000}, longest_pause{3'600'000};  // between tries
  Millis absent_after{24 * 3'600'000};  // the channel has said for so long that there is none
  Millis idle{30'000};                  // nothing comes or goes for so long: the try has failed
  int link_ttl = 300;                   // seconds a signed URL is good for, unless asked otherwise
};

struct Config {
  std::string daemon_id;  // unique in the fleet; default: the host's name

  struct Http {
    std::vector<std::string> listen{"127.0.0.1:8180"};  // address:port or unix:/path
    /// Whose X-Forwarded-For says who the client is: networks. A unix socket's peer always may.
    std::vector<std::string> trusted_proxies;
    std::string public_url;  // how clients reach the API: https://cc.example.com; empty = as they ask
    std::size_t max_body = std::size_t{64} * 1024;
    Millis header_timeout{10000}, body_timeout{15000}, idle_timeout{75000};
    Millis write_timeout{30000};  // of an answer, or of each part of a long one; not in cc.yaml
    std::size_t max_connections = 4096;
  } http;

  struct {
    std::string conninfo;  // libpq's; password may be given apart as a secret
    std::size_t pool = 8;
  } postgres;

  redis::Options redis;

  struct {
    std::string prefix = "cc:events:";
    unsigned partitions = 1;
    std::size_t batch = 500;
    Millis trim_lag{3600 * 1000};
    std::uint64_t trim_bytes = 256ULL << 20;
    std::uint64_t high_water = 1'000'000;  // entries, over all; from there on ccd spools too
  } stream;

  /// ccd's own, for what it polls and asks for while Redis is away.
  struct Spool {
    std::string directory;           // empty = none
    std::uint64_t max = 1ULL << 30;  // bytes of its files together
    unsigned replay = 2000;          // deliveries a second, back into the stream
  } spool;

  /// What seals agents' passwords and sessions.
  struct {
    std::string key;  // Vault::key_size bytes; empty = none
    std::vector<std::string> previous_keys;
  } agents;

  struct {
    std::string level = "info";   // trace, debug, info, warn, error
    std::string format = "text";  // text, json
  } log;

  std::vector<std::string> nginx_status;  // URLs of each NGINX's cc_status

  /// A callback location of an NGINX, the channel's secret and all: a canary is posted to it.
  struct Canary {
    std::string channel;
    std::string url;       // never logged
    std::string location;  // the same without its last segment, for people
    std::string ca_file;   // empty = the system's
  };
  std::vector<Canary> canaries;

  /// Of channels (rules.md, "Health").
  struct {
    Millis slow{3000};          // an originate that is not answered by then counts as failed
    Millis open{15'000};        // a channel is left alone for so long at first,
    Millis open_most{240'000};  // and never for longer
    Millis overdue{10'000};     // a call's first event is not missed before this
    Millis canary_every{10'000};
  } health;

  /// When a call that says nothing any more is over (rules.md, "Ends that nobody reports").
  struct Reaper {
    Millis silence{180'000};  // no event at all, or none of leg B
    Millis grace{300'000};    // beyond maxDuration, once leg B gave a sign
    // Drained time may stand still for so long (an alarm comes after an hour): longer than an
    // outage of two hours, whose calls would otherwise be closed while the spool knows better.
    Millis standstill{4 * 3'600'000};
    Millis give_up{47 * 3600'000};  // channels answer queries for a while only
    unsigned queries_a_minute = 0;  // a channel's, for the whole fleet; 0: what it allows
  } reaper;

  Millis reconcile_at{(3 * 60 + 30) * 60'000};  // each day, since midnight in UTC+8

  int default_max_duration = 3600;  // seconds; at most 8 h
  Retention retention;
  RecordingsConfig recordings;
  std::map<std::string, ChannelConfig> channels;
  std::map<std::string, Tenant> tenants;
};

/// Reads and checks a whole file. The error lists every complaint, a line each:
/// "cc.yaml:12:5: channels.e9.appId: must be 32 characters, got 3; …remedy".
Result<Config> read_config(const std::string& path);

}  // namespace cc
