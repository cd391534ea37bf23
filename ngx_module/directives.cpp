// The directives of http{}: where callbacks go.
#include "directives.hpp"

#include <algorithm>
#include <exception>
#include <string>
#include <string_view>

#include "command.hpp"
#include "directive_words.hpp"
#include "settings.hpp"
#include "text.hpp"

namespace cc {
namespace {

constexpr unsigned max_partitions = 256;
constexpr std::size_t max_unix_path = 107;

// ---- cc_redis unix:/path | host:port [password-file=FILE] [timeout=TIME] ----

Problem read_address(ngx_conf_t* cf, std::string_view word, RedisSettings& redis) {
  if (word.find('@') != std::string_view::npos) {
    return Error{
        "takes an address without user and password; write unix:/path or host:port, and "
        "password-file=FILE"};
  }
  redis.shown = word;
  if (word.starts_with("unix:")) {
    redis.unix_path = word.substr(5);
    if (!redis.unix_path.starts_with('/')) {
      return Error{quoted(word) +
                   " is no absolute path; write e.g. unix:/run/redis/redis-server.sock"};
    }
    if (redis.unix_path.size() > max_unix_path) {
      return Error{quoted(word) +
                   " is longer than the 107 bytes that a unix socket's path may have"};
    }
    return {};
  }
  std::string terminated(word);
  ngx_url_t url{};
  url.url = ngx_text(terminated);
  url.default_port = 6379;
  if (ngx_parse_url(cf->pool, &url) != NGX_OK || url.naddrs == 0) {
    return Error{quoted(word) + " is no address of a Redis (" +
                 (url.err != nullptr ? url.err : "no address") +
                 "); write unix:/path, host:port or [ipv6]:port"};
  }
  u_char text[NGX_SOCKADDR_STRLEN];
  const ngx_addr_t& address = url.addrs[0];
  std::size_t n = ngx_sock_ntop(address.sockaddr, address.socklen, text, sizeof text, 0);
  redis.host.assign(reinterpret_cast<const char*>(text), n);
  if (redis.host.starts_with('[')) redis.host = redis.host.substr(1, redis.host.size() - 2);
  redis.port = ngx_inet_get_port(address.sockaddr);
  return {};
}

Problem read_cc_redis(ngx_conf_t* cf, Words words, MainSettings& main) {
  if (main.redis_given) return Error{"is given twice; all callbacks go to one Redis"};
  main.redis_given = true;
  if (auto problem = read_address(cf, view(words[1]), main.redis)) return problem;
  for (const auto& word : words.subspan(2)) {
    if (auto name = option(view(word), "password-file")) {
      std::string path = full_path(cf, *name);
      auto lines = read_password(path);
      if (!lines) return lines.error();
      warn_if_readable(cf, *lines, path);
      main.redis.password = lines->values.front();
    } else if (auto time = option(view(word), "timeout")) {
      ngx_str_t text = ngx_text(*time);
      ngx_int_t ms = ngx_parse_time(&text, 0);
      if (ms == NGX_ERROR || ms < 10 || ms > 60000) {
        return Error{"timeout=" + std::string(*time) +
                     " is no time from 10ms to 60s; e9's callers wait "
                     "0.5 s, so 200ms is the default"};
      }
      main.redis.timeout = static_cast<ngx_msec_t>(ms);
    } else {
      return unknown(view(word), "password-file=FILE and timeout=TIME after the address");
    }
  }
  return {};
}

// ---- cc_stream PREFIX [partitions=P] [high_water=N] ----

/// A key of Redis, or its beginning.
bool is_key(std::string_view text) {
  return !text.empty() && text.size() <= 128 && text.find('=') == std::string_view::npos;
}

Problem read_cc_stream(Words words, MainSettings& main) {
  if (main.stream_given) return Error{"is given twice"};
  main.stream_given = true;
  auto prefix = view(words[1]);
  if (!is_key(prefix)) {
    return Error{quoted(prefix) + " is no prefix of the streams' keys; write e.g. cc:events:"};
  }
  main.prefix = prefix;
  for (const auto& word : words.subspan(2)) {
    if (auto count = option(view(word), "partitions")) {
      auto number = parse_integer(*count);
      if (!number || *number < 1 || *number > max_partitions) {
        return Error{"partitions=" + std::string(*count) +
                     " is no number from 1 to 256; it must be what ccd is configured with"};
      }
      main.partitions = static_cast<unsigned>(*number);
    } else if (auto mark = option(view(word), "high_water")) {
      auto number = parse_integer(*mark);
      if (!number || *number < max_partitions || *number > 1'000'000'000) {
        return Error{"high_water=" + std::string(*mark) +
                     " is no number from 256 to 1000000000; it counts entries over all partitions, "
                     "of some 700 bytes each in Redis"};
      }
      main.high_water = static_cast<std::uint64_t>(*number);
    } else {
      return unknown(view(word), "partitions=P and high_water=N after the prefix");
    }
  }
  return {};
}

// ---- cc_limits [pending=N] [bytes=SIZE] ----

Problem read_cc_limits(Words words, MainSettings& main) {
  if (main.limits_given) return Error{"is given twice"};
  main.limits_given = true;
  for (const auto& word : words.subspan(1)) {
    if (auto count = option(view(word), "pending")) {
      auto number = parse_integer(*count);
      if (!number || *number < 1 || *number > 1'000'000) {
        return Error{"pending=" + std::string(*count) + " is no number from 1 to 1000000"};
      }
      main.limits.pending = static_cast<std::size_t>(*number);
    } else if (auto size = option(view(word), "bytes")) {
      ngx_str_t text = ngx_text(*size);
      ssize_t bytes = ngx_parse_size(&text);
      if (bytes < 64 * 1024) {
        return Error{"bytes=" + std::string(*size) +
                     " is no size of at least 64k; write e.g. bytes=64m"};
      }
      main.limits.bytes = static_cast<std::size_t>(bytes);
    } else {
      return unknown(view(word), "pending=N and bytes=SIZE");
    }
  }
  return {};
}

// ---- cc_spool DIRECTORY [max=SIZE] [replay=N] | off ----

/// NGINX makes the directory, for the workers' user alone, when it starts or reloads.
Problem add_directory(ngx_conf_t* cf, const std::string& directory) {
  auto* path = static_cast<ngx_path_t*>(ngx_pcalloc(cf->pool, sizeof(ngx_path_t)));
  auto* name = static_cast<u_char*>(ngx_pnalloc(cf->pool, directory.size() + 1));
  if (path == nullptr || name == nullptr) throw std::bad_alloc();
  directory.copy(reinterpret_cast<char*>(name), directory.size());
  name[directory.size()] = '\0';
  path->name = {directory.size(), name};
  path->conf_file = cf->conf_file->file.name.data;
  path->line = cf->conf_file->line;
  path->data = name;  // unlike anybody else's, so that the directory is ours alone
  if (ngx_add_path(cf, &path) != NGX_OK) {
    return Error{quoted(directory) + " is used for something else already"};
  }
  return {};
}

Problem read_cc_spool(ngx_conf_t* cf, Words words, MainSettings& main) {
  if (main.spool_given) return Error{"is given twice"};
  main.spool_given = true;
  if (view(words[1]) == "off") {
    if (words.size() > 2) return Error{"off takes nothing behind it"};
    return {};
  }
  if (words[1].len == 0 || view(words[1]).find('=') != std::string_view::npos) {
    return Error{quoted(view(words[1])) + " is no directory; write e.g. /var/spool/cc-nginx"};
  }
  main.spool.directory = full_path(cf, view(words[1]));
  for (const auto& word : words.subspan(2)) {
    if (auto size = option(view(word), "max")) {
      ngx_str_t text = ngx_text(*size);
      off_t bytes = ngx_parse_offset(&text);
      if (bytes < 1024 * 1024) {
        return Error{"max=" + std::string(*size) + " is no size of at least 1m; write e.g. max=4g"};
      }
      main.spool.most_bytes = static_cast<std::uint64_t>(bytes);
    } else if (auto rate = option(view(word), "replay")) {
      auto number = parse_integer(*rate);
      if (!number || *number < 1 || *number > 6000) {
        return Error{"replay=" + std::string(*rate) +
                     " is no number from 1 to 6000; it counts entries that one worker puts back "
                     "in a second"};
      }
      main.spool.replay_per_second = static_cast<unsigned>(*number);
    } else {
      return unknown(view(word), "max=SIZE and replay=N after the directory");
    }
  }
  return add_directory(cf, main.spool.directory);
}

// ---- cc_rejects KEY [max=N] | off ----

Problem read_cc_rejects(Words words, MainSettings& main) {
  if (main.rejects_given) return Error{"is given twice"};
  main.rejects_given = true;
  if (view(words[1]) == "off") {
    main.rejects.most = 0;
    if (words.size() > 2) return Error{"off takes nothing behind it"};
    return {};
  }
  if (!is_key(view(words[1]))) {
    return Error{quoted(view(words[1])) + " is no key of a stream; write e.g. cc:rejects"};
  }
  main.rejects.key = view(words[1]);
  for (const auto& word : words.subspan(2)) {
    auto count = option(view(word), "max");
    if (!count) return unknown(view(word), "max=N after the key");
    auto number = parse_integer(*count);
    if (!number || *number < 1 || *number > 10'000'000) {
      return Error{"max=" + std::string(*count) + " is no number from 1 to 10000000"};
    }
    main.rejects.most = static_cast<unsigned>(*number);
  }
  return {};
}

}  // namespace

char* set_cc_redis(ngx_conf_t* cf, ngx_command_t*, void* conf) noexcept {
  auto& main = *static_cast<MainSettings*>(conf);
  return complaining(cf, [&](Words words) { return read_cc_redis(cf, words, main); });
}

char* set_cc_stream(ngx_conf_t* cf, ngx_command_t*, void* conf) noexcept {
  auto& main = *static_cast<MainSettings*>(conf);
  return complaining(cf, [&](Words words) { return read_cc_stream(words, main); });
}

char* set_cc_limits(ngx_conf_t* cf, ngx_command_t*, void* conf) noexcept {
  auto& main = *static_cast<MainSettings*>(conf);
  return complaining(cf, [&](Words words) { return read_cc_limits(words, main); });
}

char* set_cc_spool(ngx_conf_t* cf, ngx_command_t*, void* conf) noexcept {
  auto& main = *static_cast<MainSettings*>(conf);
  return complaining(cf, [&](Words words) { return read_cc_spool(cf, words, main); });
}

char* set_cc_rejects(ngx_conf_t* cf, ngx_command_t*, void* conf) noexcept {
  auto& main = *static_cast<MainSettings*>(conf);
  return complaining(cf, [&](Words words) { return read_cc_rejects(words, main); });
}

ngx_int_t complete_settings(ngx_conf_t* cf) noexcept {
  auto& main = *main_settings(cf);
  try {
    if (main.has_channel && !main.redis_given) {
      ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                    "cc_channel is used, but nothing says where its callbacks go; add e.g. "
                    "\"cc_redis unix:/run/redis/redis-server.sock;\" to http{}");
      return NGX_ERROR;
    }
    if (main.rejects.most > 0 && main.rejects.key.starts_with(main.prefix)) {
      ngx_log_error(
          NGX_LOG_EMERG, cf->log, 0,
          "cc_rejects' key \"%s\" begins as the streams' keys do, and is trimmed; give it "
          "another one, e.g. cc:rejects",
          main.rejects.key.c_str());
      return NGX_ERROR;
    }
    if (main.has_channel && !main.spool_given) {
      ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                    "cc_channel is used, but nothing says where its callbacks go while Redis is "
                    "away; add e.g. \"cc_spool /var/spool/cc-nginx;\" to http{}, or "
                    "\"cc_spool off;\" to answer 503 then");
      return NGX_ERROR;
    }
    for (unsigned p = 0; p < main.partitions; ++p) {
      const std::string key = redis_argument(main.prefix + std::to_string(p));
      main.add_commands.push_back("*5\r\n" + redis_argument("XADD") + key + redis_argument("*"));
      main.length_commands.push_back("*2\r\n" + redis_argument("XLEN") + key);
    }
    if (main.needs_counters) {
      main.counters = declare_counters(cf);
      if (main.counters == nullptr) return NGX_ERROR;
    }
    return NGX_OK;
  } catch (const std::exception& e) {
    ngx_log_error(NGX_LOG_EMERG, cf->log, 0, "cc: %s", e.what());
    return NGX_ERROR;
  }
}

}  // namespace cc
