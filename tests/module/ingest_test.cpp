// A callback that comes in: stored bit for bit and answered, or refused.
#include <boost/test/unit_test.hpp>

#include "envelope.hpp"
#include "stack.hpp"

using namespace cc::test;

namespace {

constexpr std::string_view success =
    "<?xml version='1.0' encoding='utf-8'?><Response><statusCode>0000</statusCode>"
    "<statusMsg>Success</statusMsg></Response>";

struct Fixture {
  Stack stack;
  std::string redis = stack.redis.socket();
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(ingest_test, Fixture)

BOOST_AUTO_TEST_CASE(an_accepted_callback_stands_in_the_stream_bit_for_bit) {
  std::string body = callback_body(1);
  body.insert(body.find("abcdef"), std::string("<&\"\0\r\n\xff 你好", 15));
  auto now_ms = [] {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
  };
  auto before = now_ms();
  Connection connection(stack.nginx.port());
  connection.send(
      post(callback_path(token_now) + "?a=1%202&b=", body, "Content-Type: application/xml\r\n"));
  auto response = connection.receive();
  auto after = now_ms();

  BOOST_REQUIRE(response);
  BOOST_TEST(response->status == 200);
  BOOST_TEST(response->body == success);
  BOOST_TEST(response->headers["content-type"].starts_with("application/xml"));

  auto stored = entries(redis);
  BOOST_REQUIRE_EQUAL(stored.size(), 1U);
  BOOST_TEST(stored[0].field == "e9");
  BOOST_TEST(raw_of(stored[0]) == body);
  auto delivery = cc::decode_envelope("e9", stored[0].value);
  BOOST_REQUIRE(delivery);
  BOOST_TEST(delivery->body == body);
  BOOST_TEST((delivery->source == cc::Source::callback));
  BOOST_TEST(delivery->subject == "");
  BOOST_TEST(delivery->address == "127.0.0.1");
  BOOST_TEST(delivery->query_string == "a=1%202&b=");
  BOOST_TEST(delivery->content_type == "application/xml");
  BOOST_TEST(delivery->received_ms >= before - 50);  // NGINX's clock ticks once a loop
  BOOST_TEST(delivery->received_ms <= after);
}

BOOST_AUTO_TEST_CASE(both_tokens_are_accepted) {
  BOOST_TEST(stack.call_back(callback_body(1), token_now)->status == 200);
  BOOST_TEST(stack.call_back(callback_body(2), token_next)->status == 200);
  BOOST_TEST(entries(redis).size() == 2U);
  BOOST_TEST(status_number(stack.nginx.socket(), "accepted") == 2);
}

BOOST_AUTO_TEST_CASE(a_wrong_token_is_refused) {
  for (std::string token : {"", "x", "wrong-Gm3vPq8sLx2tRb6yWd4", "now-Gm3vPq8sLx2tRb6yWd4",
                            "now-Gm3vPq8sLx2tRb6yWd4kk"}) {
    auto response = stack.call_back(callback_body(1), token);
    BOOST_REQUIRE(response);
    BOOST_TEST(response->status == 403);
  }
  BOOST_TEST(entries(redis).empty());
  BOOST_TEST(status_number(stack.nginx.socket(), "rejected.token") == 5);
}

BOOST_AUTO_TEST_CASE(a_foreign_app_is_refused) {
  auto response = stack.call_back(callback_body(1, "00000000000000000000000000000000"));
  BOOST_REQUIRE(response);
  BOOST_TEST(response->status == 403);
  BOOST_TEST(entries(redis).empty());
  BOOST_TEST(status_number(stack.nginx.socket(), "rejected.app") == 1);
}

BOOST_AUTO_TEST_CASE(another_method_is_refused_and_told_which_is_not) {
  for (std::string method : {"GET", "PUT", "DELETE", "OPTIONS"}) {
    auto response = ask(stack.nginx.socket(),
                        method + " " + callback_path(token_now) + " HTTP/1.1\r\nHost: x\r\n\r\n");
    BOOST_REQUIRE(response);
    BOOST_TEST(response->status == 405);
    BOOST_TEST(response->headers["allow"] == "POST");
  }
  BOOST_TEST(status_number(stack.nginx.socket(), "rejected.method") == 4);
}

BOOST_AUTO_TEST_CASE(a_body_that_is_too_large_is_refused_and_counted) {
  std::string large(100 * 1024 + 1, 'x');
  auto by_length = stack.call_back(large);
  BOOST_REQUIRE(by_length);
  BOOST_TEST(by_length->status == 413);
  Connection chunked(stack.nginx.socket());
  chunked.send("POST " + callback_path(token_now) +
               " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n19001\r\n" + large +
               "\r\n0\r\n\r\n");
  auto by_chunk = chunked.receive();
  BOOST_REQUIRE(by_chunk);
  BOOST_TEST(by_chunk->status == 413);
  BOOST_TEST(eventually([&] { return status_number(stack.nginx.socket(), "rejected.size") == 2; }));
  BOOST_TEST(entries(redis).empty());
}

BOOST_AUTO_TEST_CASE(what_nobody_can_read_is_stored_all_the_same) {
  for (std::string body : {std::string("\0\1\2 not xml, not json", 22), std::string("{\"appId\":"),
                           std::string("<req><appId>"), std::string("<req>null</req>")}) {
    auto response = stack.call_back(body);
    BOOST_REQUIRE(response);
    BOOST_TEST(response->status == 200);
    BOOST_TEST(raw_of(entries(redis).back()) == body);
  }
}

BOOST_AUTO_TEST_CASE(a_connection_is_kept_alive_over_verdicts) {
  Connection connection(stack.nginx.socket());
  for (unsigned i = 0; i < 20; ++i) {
    connection.send(
        post(callback_path(i % 2 == 0 ? token_now : "wrong-token-wrong"), callback_body(i)));
    auto response = connection.receive();
    BOOST_REQUIRE(response);
    BOOST_TEST(response->status == (i % 2 == 0 ? 200 : 403));
  }
  BOOST_TEST(entries(redis).size() == 10U);
}

BOOST_AUTO_TEST_CASE(pipelined_requests_are_answered_in_order) {
  Connection connection(stack.nginx.socket());
  std::string all;
  for (unsigned i = 0; i < 50; ++i) all += post(callback_path(token_now), callback_body(i));
  connection.send(all);
  for (unsigned i = 0; i < 50; ++i) {
    auto response = connection.receive();
    BOOST_REQUIRE(response);
    BOOST_TEST(response->status == 200);
  }
  auto stored = entries(redis);
  BOOST_REQUIRE_EQUAL(stored.size(), 50U);
  for (unsigned i = 0; i < 50; ++i) BOOST_TEST(raw_of(stored[i]) == callback_body(i));
}

BOOST_AUTO_TEST_CASE(the_metrics_page_speaks_prometheus) {
  stack.call_back(callback_body(1));
  auto response = ask(stack.nginx.socket(), "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
  BOOST_REQUIRE(response);
  BOOST_TEST(response->status == 200);
  BOOST_TEST(response->body.find("\ncc_callbacks_accepted_total 1\n") != std::string::npos);
  BOOST_TEST(response->body.find("# TYPE cc_callbacks_rejected_total counter") !=
             std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
