// What most module tests stand on: a Redis, an NGINX in front of it, and a look into the streams.
#pragma once

#include <string>
#include <vector>

#include "http.hpp"
#include "nginx.hpp"
#include "servers.hpp"

namespace cc::test {

struct Entry {
  std::string field;
  std::string value;
};

/// All entries of a stream, byte for byte.
std::vector<Entry> entries(const std::string& redis_socket, const std::string& key = "cc:events:0");

/// The raw bytes behind an envelope's header line.
std::string raw_of(const Entry& entry);

/// A number of the status page, by its JSON name; groups as "rejected.token". Waits for no one.
long status_number(const std::string& nginx_socket, const std::string& name);

/// Whether the workers' links are all up.
bool links_up(const std::string& nginx_socket);

/// Asks until a link is up; false after ten seconds.
bool wait_for_links(const std::string& nginx_socket);

/// Asks until all that was spooled has been replayed; false after twenty seconds.
bool wait_for_empty_spool(const std::string& nginx_socket);

/// Fails the test for every line that must not be in error.log; for each test's end.
void expect_clean(const Nginx& nginx);

/// SIGSTOP, and awaits that it stands still.
void halt(pid_t process);

struct Stack {
  explicit Stack(NginxSettings settings = {}, const std::string& redis_options = "");
  ~Stack();

  std::optional<Response> call_back(std::string_view body, std::string_view token = token_now);

  RedisServer redis;
  Nginx nginx;
};

}  // namespace cc::test
