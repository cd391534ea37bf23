// Real servers, private to one test: own data, a unix socket in a temporary folder, no TCP port.
#pragma once

#include <memory>
#include <string>

#include "process.hpp"

namespace cc::test {

/// PostgreSQL with an empty database. fsync is off: it must survive kills of itself, not of the
/// machine.
class PostgresServer {
 public:
  /// Running when this returns; throws std::runtime_error with the server's log otherwise.
  PostgresServer();
  ~PostgresServer();

  /// libpq's, as a superuser, to the database `name` ("postgres" exists; see create_database).
  std::string conninfo(const std::string& name = "postgres") const;
  void create_database(const std::string& name);
  /// By psql; the output unaligned, without titles. Throws on an error.
  std::string sql(const std::string& text, const std::string& database = "postgres");

  void start();
  /// All sessions are cut without a word, as by a crash; what was committed stays.
  void kill();
  /// Sessions are told (57P01) and ended.
  void stop();
  bool running() { return process_ && process_->running(); }
  pid_t pid() const { return process_->pid(); }
  std::string log() const { return read_file(folder_.file("pg.log")); }
  const std::string& folder() const { return folder_.path(); }

 private:
  TempDir folder_;
  std::string user_;  // PostgreSQL refuses to run as root
  std::unique_ptr<Process> process_;
};

/// Redis with nothing in it.
class RedisServer {
 public:
  /// `settings` are further command-line words, such as {"--appendonly", "yes"}.
  explicit RedisServer(std::vector<std::string> settings = {}, std::string password = "");

  std::string socket() const { return folder_.file("redis.sock"); }
  std::string address() const { return "unix:" + socket(); }
  /// By redis-cli.
  std::string cli(const std::vector<std::string>& words) const;

  void start();
  void kill();
  bool running() { return process_ && process_->running(); }
  pid_t pid() const { return process_->pid(); }
  const std::string& folder() const { return folder_.path(); }

 private:
  TempDir folder_;
  std::vector<std::string> settings_;
  std::string password_;
  std::unique_ptr<Process> process_;
};

}  // namespace cc::test
