// Who is turned away, by what, and what an operator can see of it.
#include <map>
#include <memory>

#include <boost/test/unit_test.hpp>
#include <hiredis/hiredis.h>

#include "stack.hpp"

using namespace cc::test;

namespace {

using Fields = std::map<std::string, std::string>;

std::vector<Fields> rejects(const RedisServer& redis, const std::string& key = "cc:rejects") {
  std::unique_ptr<redisContext, decltype(&redisFree)> context(
      redisConnectUnix(redis.socket().c_str()), redisFree);
  std::unique_ptr<redisReply, decltype(&freeReplyObject)> reply(
      static_cast<redisReply*>(redisCommand(context.get(), "XRANGE %s - +", key.c_str())),
      freeReplyObject);
  BOOST_REQUIRE(reply && reply->type == REDIS_REPLY_ARRAY);
  std::vector<Fields> all;
  for (std::size_t i = 0; i < reply->elements; ++i) {
    const redisReply* words = reply->element[i]->element[1];
    Fields fields;
    for (std::size_t w = 0; w + 1 < words->elements; w += 2) {
      fields[words->element[w]->str] = {words->element[w + 1]->str, words->element[w + 1]->len};
    }
    all.push_back(std::move(fields));
  }
  return all;
}

NginxSettings with_channel(const std::string& options) {
  return {.channel = "cc_channel e9 tokens=e9.tokens app_ids=" + our_app + " " + options + ";"};
}

std::optional<Response> over_tcp(const Nginx& nginx, const std::string& request) {
  Connection connection(nginx.port());
  connection.send(request);
  return connection.receive();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(rejects_test)

BOOST_AUTO_TEST_CASE(a_sender_that_is_not_on_the_list_is_refused) {
  for (bool listed : {true, false}) {
    Stack stack(
        with_channel(listed ? "addresses=203.0.113.0/24,127.0.0.0/8" : "addresses=203.0.113.0/24"));
    auto response = over_tcp(stack.nginx, post(callback_path(token_now), callback_body(1)));
    BOOST_REQUIRE(response);
    BOOST_TEST(response->status == (listed ? 200 : 403));
    BOOST_TEST(status_number(stack.nginx.socket(), "rejected.address") == (listed ? 0 : 1));
    // A unix socket's peer has no address, so it is on no list.
    BOOST_TEST(stack.call_back(callback_body(2))->status == 403);
  }
}

BOOST_AUTO_TEST_CASE(behind_a_proxy_the_real_address_counts) {
  auto settings = with_channel("addresses=203.0.113.0/24");
  settings.http = "set_real_ip_from 127.0.0.1; real_ip_header X-Real-IP;";
  Stack stack(settings);
  for (std::string address : {"203.0.113.9", "198.51.100.9"}) {
    auto response = over_tcp(stack.nginx, post(callback_path(token_now), callback_body(1),
                                               "X-Real-IP: " + address + "\r\n"));
    BOOST_REQUIRE(response);
    BOOST_TEST(response->status == (address == "203.0.113.9" ? 200 : 403));
  }
  BOOST_REQUIRE(eventually([&] { return rejects(stack.redis).size() == 1; }));
  BOOST_TEST(rejects(stack.redis).at(0).at("address") == "198.51.100.9");
}

BOOST_AUTO_TEST_CASE(each_refusal_is_recorded_with_its_reason) {
  Stack stack(with_channel(""));
  const std::string guess = "guessed-token-0123456789";
  over_tcp(stack.nginx, post(callback_path(guess) + "?key=very-secret", callback_body(1),
                             "Content-Type: application/xml\r\n"));
  over_tcp(stack.nginx,
           post(callback_path(token_now), callback_body(2, "00000000000000000000000000000000")));
  over_tcp(stack.nginx, "DELETE " + callback_path(token_now) + " HTTP/1.1\r\nHost: x\r\n\r\n");
  over_tcp(stack.nginx, post(callback_path(token_now), std::string(200'000, 'x')));
  BOOST_REQUIRE(eventually([&] { return rejects(stack.redis).size() == 4; }));
  auto all = rejects(stack.redis);
  BOOST_TEST(all[0].at("reason") == "bad_token");
  BOOST_TEST(all[0].at("channel") == "e9");
  BOOST_TEST(all[0].at("address") == "127.0.0.1");
  BOOST_TEST(all[0].at("method") == "POST");
  BOOST_TEST(all[0].at("type") == "application/xml");
  BOOST_TEST(all[0].at("bytes") == std::to_string(callback_body(1).size()));
  BOOST_TEST(std::stoll(all[0].at("received")) > 1'700'000'000'000);
  BOOST_TEST(all[1].at("reason") == "foreign_app");
  BOOST_TEST(all[2].at("reason") == "bad_method");
  BOOST_TEST(all[2].at("method") == "DELETE");
  BOOST_TEST(all[3].at("reason") == "too_large");
  // What was sent can be seen, but no number, no token, no argument.
  BOOST_TEST(all[0].at("body").find("<action>") != std::string::npos);
  BOOST_TEST(all[0].at("body").find("138****5678") != std::string::npos, all[0].at("body"));
  for (const auto& fields : all) {
    for (const auto& [name, value] : fields) {
      for (const std::string& secret : {guess, token_now, std::string("very-secret"),
                                        std::string("13812345678"), std::string("13912345678")}) {
        BOOST_TEST(value.find(secret) == std::string::npos, name << " holds " << secret);
      }
    }
  }
  BOOST_TEST(entries(stack.redis.socket()).empty());
}

BOOST_AUTO_TEST_CASE(numbers_are_masked_however_they_are_written) {
  Stack stack(with_channel(""));
  stack.call_back("call 138-1234-5678, (010) 8765 4321 or 139 1234 5679; code 42",
                  "wrong-token-wrong");
  BOOST_REQUIRE(eventually([&] { return rejects(stack.redis).size() == 1; }));
  BOOST_TEST(rejects(stack.redis)[0].at("body") ==
             "call 138****5678, (***) **** **21 or 139****5679; code 42");
}

BOOST_AUTO_TEST_CASE(a_flood_is_counted_and_the_stream_is_capped) {
  auto settings = with_channel("");
  settings.http = "cc_rejects own:rejects max=50;";
  Stack stack(settings);
  Connection connection(stack.nginx.socket());
  for (unsigned i = 0; i < 1000; ++i) {
    connection.send(post(callback_path("wrong-token-wrong"), callback_body(i)));
    BOOST_REQUIRE(connection.receive()->status == 403);
  }
  BOOST_TEST(status_number(stack.nginx.socket(), "rejected.token") == 1000);
  const long unrecorded = status_number(stack.nginx.socket(), "rejects_unrecorded");
  BOOST_TEST(unrecorded > 0);
  // MAXLEN ~ trims by whole nodes of 100 entries.
  BOOST_TEST(eventually([&] { return !rejects(stack.redis, "own:rejects").empty(); }));
  BOOST_TEST(rejects(stack.redis, "own:rejects").size() <= 200U);
}

BOOST_AUTO_TEST_CASE(without_redis_they_are_refused_all_the_same) {
  Stack stack(with_channel(""));
  stack.redis.kill();
  BOOST_REQUIRE(eventually([&] { return !links_up(stack.nginx.socket()); }));
  BOOST_TEST(stack.call_back(callback_body(1), "wrong-token-wrong")->status == 403);
  BOOST_TEST(status_number(stack.nginx.socket(), "rejects_unrecorded") == 1);
  BOOST_TEST(status_number(stack.nginx.socket(), "spool.files") == 0);
}

BOOST_AUTO_TEST_CASE(they_can_be_switched_off) {
  auto settings = with_channel("");
  settings.http = "cc_rejects off;";
  Stack stack(settings);
  BOOST_TEST(stack.call_back(callback_body(1), "wrong-token-wrong")->status == 403);
  BOOST_TEST(status_number(stack.nginx.socket(), "rejects_unrecorded") == 0);
  BOOST_TEST(stack.redis.cli({"EXISTS", "cc:rejects"}).substr(0, 1) == "0");
}

BOOST_AUTO_TEST_SUITE_END()
