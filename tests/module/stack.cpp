#include "stack.hpp"

#include <csignal>
#include <memory>
#include <stdexcept>

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>
#include <hiredis/hiredis.h>

namespace cc::test {
namespace {

NginxSettings with_redis(NginxSettings settings, const RedisServer& redis,
                         const std::string& options) {
  settings.http = "cc_redis " + redis.address() + " " + options + ";" + settings.http;
  return settings;
}

boost::json::object status_of(const std::string& nginx_socket) {
  auto response = ask(nginx_socket, "GET /status HTTP/1.1\r\nHost: x\r\n\r\n");
  if (!response || response->status != 200) throw std::runtime_error("no status page");
  return boost::json::parse(response->body).as_object();
}

}  // namespace

std::vector<Entry> entries(const std::string& redis_socket, const std::string& key) {
  std::unique_ptr<redisContext, decltype(&redisFree)> redis(redisConnectUnix(redis_socket.c_str()),
                                                            redisFree);
  if (!redis || redis->err != 0) throw std::runtime_error("no Redis");
  std::unique_ptr<redisReply, decltype(&freeReplyObject)> reply(
      static_cast<redisReply*>(redisCommand(redis.get(), "XRANGE %s - +", key.c_str())),
      [](void* r) { freeReplyObject(r); });
  if (!reply || reply->type != REDIS_REPLY_ARRAY) throw std::runtime_error("no stream");
  std::vector<Entry> all;
  for (std::size_t i = 0; i < reply->elements; ++i) {
    const redisReply* fields = reply->element[i]->element[1];
    BOOST_REQUIRE_EQUAL(fields->elements, 2U);
    all.push_back({{fields->element[0]->str, fields->element[0]->len},
                   {fields->element[1]->str, fields->element[1]->len}});
  }
  return all;
}

std::string raw_of(const Entry& entry) {
  return entry.value.substr(entry.value.find('\n') + 1);
}

long status_number(const std::string& nginx_socket, const std::string& name) {
  auto status = status_of(nginx_socket);
  auto dot = name.find('.');
  if (dot == std::string::npos) return status.at(name).to_number<long>();
  return status.at(name.substr(0, dot)).at(name.substr(dot + 1)).to_number<long>();
}

bool links_up(const std::string& nginx_socket) {
  auto status = status_of(nginx_socket);
  for (const auto& worker : status.at("workers").as_array()) {
    if (worker.at("link") != "up") return false;
  }
  return !status.at("workers").as_array().empty();
}

bool wait_for_links(const std::string& nginx_socket) {
  return eventually([&] { return links_up(nginx_socket); });
}

bool wait_for_empty_spool(const std::string& nginx_socket) {
  return eventually([&] { return status_number(nginx_socket, "spool.files") == 0; },
                    Millis{20'000});
}

void expect_clean(const Nginx& nginx) {
  BOOST_TEST(nginx.bad_lines() == "");
}

void halt(pid_t process) {
  ::kill(process, SIGSTOP);
  BOOST_REQUIRE(eventually([&] {
    const std::string stat = read_file("/proc/" + std::to_string(process) + "/stat");
    const auto name_ends = stat.rfind(')');
    return name_ends != std::string::npos && stat.substr(name_ends + 2, 1) == "T";
  }));
}

Stack::Stack(NginxSettings settings, const std::string& redis_options)
    : nginx(with_redis(std::move(settings), redis, redis_options)) {
  BOOST_REQUIRE(wait_for_links(nginx.socket()));
}

Stack::~Stack() {
  expect_clean(nginx);
}

std::optional<Response> Stack::call_back(std::string_view body, std::string_view token) {
  return ask(nginx.socket(), post(callback_path(token), body));
}

}  // namespace cc::test
