// Neither log ever holds a path token, an argument or a whole number, whatever happens.
#include <csignal>
#include <regex>

#include <boost/test/unit_test.hpp>

#include "stack.hpp"

using namespace cc::test;

namespace {

const std::string guess = "guessed-token-0123456789";
const std::string arguments = "?phone=13912345678&key=very-secret";

struct Fixture {
  Fixture() : stack({.channel = channel, .server = server, .spool = no_spool}, "timeout=300ms") {}

  ~Fixture() {
    stack.nginx.quit();
    stack.nginx.wait_for_end();
    for (const auto& log : {stack.nginx.error_log(), stack.nginx.access_log()}) {
      BOOST_TEST(log.size() > 0U);
      for (std::string secret :
           {token_now, token_next, guess, std::string("very-secret"), std::string("phone="),
            std::string("13912345678"), std::string("13812345678")}) {
        BOOST_TEST(log.find(secret) == std::string::npos, secret << " is in " << log);
      }
    }
  }

  std::string request(std::string_view token, const std::string& body) {
    return post(callback_path(token) + arguments, body,
                "Referer: http://x" + callback_path(token) + arguments + "\r\n");
  }

  bool error_log_has(const std::string& text) {
    return eventually([&] { return stack.nginx.error_log().find(text) != std::string::npos; });
  }

  bool access_log_has(const std::string& text) {
    return eventually([&] { return stack.nginx.access_log().find(text) != std::string::npos; });
  }

  static inline const std::string channel =
      "client_body_buffer_size 1k; client_body_timeout 300ms; cc_channel e9 tokens=e9.tokens "
      "app_ids=" +
      our_app + "; error_page 413 502 /sorry;";
  static inline const std::string server = "location = /sorry { return 200 sorry; }";

  Stack stack;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(log_test, Fixture)

BOOST_AUTO_TEST_CASE(of_an_accepted_one) {
  BOOST_TEST(ask(stack.nginx.socket(), request(token_now, callback_body(1)))->status == 200);
  BOOST_TEST(access_log_has("POST 200 stored"));
}

BOOST_AUTO_TEST_CASE(of_refused_ones) {
  BOOST_TEST(ask(stack.nginx.socket(), request(guess, callback_body(1)))->status == 403);
  BOOST_TEST(error_log_has("refused: bad_token"));
  BOOST_TEST(access_log_has("POST 403 bad_token"));
  BOOST_TEST(
      ask(stack.nginx.socket(), request(token_now, callback_body(1, "13912345678")))->status ==
      403);
  BOOST_TEST(access_log_has("POST 403 foreign_app"));
  BOOST_TEST(ask(stack.nginx.socket(),
                 "GET " + callback_path(token_now) + arguments + " HTTP/1.1\r\nHost: x\r\n\r\n")
                 ->status == 405);
  BOOST_TEST(access_log_has("GET 405 bad_method"));
}

BOOST_AUTO_TEST_CASE(of_one_that_is_too_large) {
  BOOST_TEST(ask(stack.nginx.socket(), request(token_now, std::string(200000, 'x')))->status ==
             413);
  BOOST_TEST(error_log_has("too large body"));
  Connection chunked(stack.nginx.socket());
  chunked.send("POST " + callback_path(token_now) + arguments +
               " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n30d40\r\n" +
               std::string(200000, 'x'));
  BOOST_TEST(chunked.receive()->status == 413);
  BOOST_TEST(error_log_has("too large chunked body"));
}

BOOST_AUTO_TEST_CASE(of_a_large_one_in_a_file) {
  BOOST_TEST(ask(stack.nginx.socket(), request(token_now, std::string(50000, 'x')))->status == 200);
  BOOST_TEST(error_log_has("buffered to a temporary file"));
}

BOOST_AUTO_TEST_CASE(of_senders_that_leave) {
  for (bool reset : {true, false}) {
    Connection connection(stack.nginx.port());
    connection.send("POST " + callback_path(token_now) + arguments +
                    " HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc");
    if (reset) connection.reset();
  }
  BOOST_TEST(error_log_has("prematurely closed connection"));
  BOOST_TEST(access_log_has("unfinished"));
}

BOOST_AUTO_TEST_CASE(of_a_sender_that_is_too_slow) {
  Connection connection(stack.nginx.port());
  connection.send("POST " + callback_path(token_now) + arguments +
                  " HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc");
  BOOST_TEST(access_log_has("POST 408 unfinished"));
}

BOOST_AUTO_TEST_CASE(of_a_malformed_chunk) {
  Connection connection(stack.nginx.port());
  connection.send("POST " + callback_path(token_now) + arguments +
                  " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n");
  BOOST_TEST(connection.receive()->status == 400);
  BOOST_TEST(error_log_has("invalid chunked body"));
}

BOOST_AUTO_TEST_CASE(of_ones_that_could_not_be_stored) {
  ::kill(stack.redis.pid(), SIGSTOP);
  Connection leaving(stack.nginx.port());
  leaving.send(request(token_now, callback_body(1)));
  Connection waiting(stack.nginx.port());
  waiting.send(request(token_now, callback_body(2)));
  BOOST_REQUIRE(eventually([&] { return status_number(stack.nginx.socket(), "pending") == 2; }));
  leaving.reset();
  BOOST_TEST(waiting.receive()->status == 503);
  BOOST_TEST(ask(stack.nginx.socket(), request(token_now, callback_body(3)))->status == 503);
  ::kill(stack.redis.pid(), SIGCONT);
  BOOST_TEST(error_log_has("could not be stored: redis_timeout"));
  BOOST_TEST(access_log_has("503 redis_timeout"));
  BOOST_TEST(access_log_has("503 redis_down"));
}

BOOST_AUTO_TEST_CASE(of_requests_that_never_become_one) {
  const std::string line = "POST " + callback_path(token_now) + arguments + " HTTP/1.1\r\n";
  for (std::string headers : {"Host: a b\r\n\r\n", "Host: x\r\nContent-Length: many\r\n\r\n",
                              "\r\n", "Host: x\r\nBad\1Header: 1\r\n\r\n"}) {
    Connection connection(stack.nginx.socket());
    connection.send(line + headers);
    BOOST_TEST(connection.receive()->status == 400);
  }
  Connection(stack.nginx.socket()).send(line + "Host: x\r\n");
  BOOST_TEST(error_log_has("prematurely closed connection while reading client request headers"));
  Connection bad_protocol(stack.nginx.socket());
  bad_protocol.send("POST " + callback_path(token_now) + arguments + " HTTX\r\n\r\n");
  BOOST_TEST(bad_protocol.receive()->status == 400);
}

BOOST_AUTO_TEST_CASE(of_a_location_that_hides_its_requests) {
  const auto reply = ask(stack.nginx.socket(),
                         "GET /hidden/13812345678" + arguments + " HTTP/1.1\r\nHost: x\r\n\r\n");
  BOOST_TEST(reply->status == 502);
  BOOST_TEST(error_log_has("while connecting to upstream"));
  BOOST_TEST(error_log_has("location: \"/hidden/\""));
}

BOOST_AUTO_TEST_CASE(another_location_is_logged_as_ever) {
  ask(stack.nginx.socket(), "GET /not-there HTTP/1.1\r\nHost: x\r\n\r\n");
  BOOST_TEST(error_log_has("request: \"GET /not-there HTTP/1.1\""));
}

BOOST_AUTO_TEST_SUITE_END()
