#include "servers.hpp"

#include <cstring>
#include <pwd.h>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <libpq-fe.h>

namespace cc::test {
namespace {

const std::string pg_bin = "/usr/lib/postgresql/15/bin/";

void must(const Outcome& outcome, const std::string& what) {
  if (outcome.status != 0) throw std::runtime_error(what + ":\n" + outcome.output);
}

// What a Redis on this socket answers to PING: its first character, or 0.
char ping(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) throw std::runtime_error("socket path too long");
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const int link = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  char answer = 0;
  if (::connect(link, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
      ::send(link, "PING\r\n", 6, MSG_NOSIGNAL) == 6) {
    if (::recv(link, &answer, 1, 0) != 1) answer = 0;
  }
  ::close(link);
  return answer;
}

}  // namespace

PostgresServer::PostgresServer() {
  if (::geteuid() == 0) {
    user_ = "postgres";
    const passwd* account = ::getpwnam("postgres");
    if (account == nullptr) throw std::runtime_error("no user postgres");
    if (::chown(folder_.path().c_str(), account->pw_uid, account->pw_gid) != 0) {
      throw std::runtime_error("chown");
    }
  }
  must(run({.command = {pg_bin + "initdb", "-D", folder_.file("data"), "-A", "trust", "-N", "-U",
                        "postgres", "-E", "UTF8", "--locale=C"},
            .user = user_,
            .directory = folder_.path()}),
       "initdb");
  start();
}

PostgresServer::~PostgresServer() = default;

std::string PostgresServer::conninfo(const std::string& name) const {
  return "host=" + folder_.path() + " user=postgres dbname=" + name;
}

void PostgresServer::create_database(const std::string& name) {
  sql("CREATE DATABASE \"" + name + "\"");
}

std::string PostgresServer::sql(const std::string& text, const std::string& database) {
  const Outcome outcome = run({.command = {pg_bin + "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-c",
                                           text, conninfo(database)}});
  must(outcome, "psql");
  return outcome.output.substr(0, outcome.output.find_last_not_of('\n') + 1);
}

void PostgresServer::start() {
  const bool ready = eventually(
      [this] {
        // After a kill the old server's children may hold its memory for a moment.
        if (!running()) {
          process_ = std::make_unique<Process>(
              Launch{.command = {pg_bin + "postgres", "-D", folder_.file("data"), "-k",
                                 folder_.path(), "-c", "listen_addresses=", "-c", "fsync=off", "-c",
                                 "full_page_writes=off", "-c", "max_connections=100", "-c",
                                 "shared_buffers=32MB"},
                     .user = user_,
                     .directory = folder_.path(),
                     .output = folder_.file("pg.log"),
                     .end_signal = SIGQUIT});
        }
        return PQping(conninfo().c_str()) == PQPING_OK;
      },
      Millis{30000});
  if (!ready) throw std::runtime_error("PostgreSQL does not start:\n" + log());
}

void PostgresServer::kill() {
  if (!process_) return;
  process_->send(SIGKILL);
  process_->wait(Millis{5000});
  // The children notice by themselves; until then sessions go on.
  eventually([this] { return PQping(conninfo().c_str()) == PQPING_NO_RESPONSE; });
  process_.reset();
}

void PostgresServer::stop() {
  if (!process_) return;
  process_->send(SIGINT);
  process_->wait(Millis{10000});
  process_.reset();
}

RedisServer::RedisServer(std::vector<std::string> settings, std::string password)
    : settings_(std::move(settings)), password_(std::move(password)) {
  start();
}

std::string RedisServer::cli(const std::vector<std::string>& words) const {
  std::vector<std::string> command{"/usr/bin/redis-cli", "-s", socket()};
  command.insert(command.end(), words.begin(), words.end());
  Launch launch{.command = std::move(command)};
  if (!password_.empty()) launch.env["REDISCLI_AUTH"] = password_;
  const Outcome outcome = run(std::move(launch));
  must(outcome, "redis-cli");
  return outcome.output.substr(0, outcome.output.find_last_not_of('\n') + 1);
}

void RedisServer::start() {
  std::vector<std::string> command{"/usr/bin/redis-server", "--port", "0",
                                   "--unixsocket",          socket(), "--dir",
                                   folder_.path(),          "--save", ""};
  if (!password_.empty()) command.insert(command.end(), {"--requirepass", password_});
  command.insert(command.end(), settings_.begin(), settings_.end());
  const std::string log = folder_.file("redis.log");
  process_ = std::make_unique<Process>(Launch{.command = std::move(command), .output = log});
  const bool ready = eventually([this] {
    if (!running()) return true;
    const char first = ping(socket());
    return first == '+' || (first == '-' && !password_.empty());
  });
  if (!ready || !running()) throw std::runtime_error("Redis does not start:\n" + read_file(log));
}

void RedisServer::kill() {
  if (!process_) return;
  process_->send(SIGKILL);
  process_->wait(Millis{5000});
  process_.reset();
}

}  // namespace cc::test
