// Callbacks as they come in reality: over TLS, by HTTP/1.1 and HTTP/2.
#include "tls.hpp"

#include <csignal>

#include <boost/test/unit_test.hpp>

#include "load.hpp"
#include "stack.hpp"

using namespace cc::test;

namespace {

constexpr Http versions[] = {Http::one, Http::two};

struct Fixture {
  explicit Fixture(NginxSettings settings = {}, const std::string& options = "timeout=5s")
      : stack(with_listener(std::move(settings)), options),
        socket(tls_socket(stack.nginx.folder())) {}

  NginxSettings with_listener(NginxSettings settings) const {
    settings.server += certificate.listener();
    return settings;
  }

  std::string last_body() const { return raw_of(entries(stack.redis.socket()).back()); }
  long pending() const { return status_number(stack.nginx.socket(), "pending"); }

  /// A curl that has sent its callback and waits; `more` are arguments of it.
  std::unique_ptr<Process> waiting_curl(Http version, unsigned number,
                                        const std::vector<std::string>& more = {}) {
    auto before = pending();
    std::vector<std::string> command{"/usr/bin/curl",
                                     "-s",
                                     version == Http::two ? "--http2" : "--http1.1",
                                     "--cacert",
                                     certificate.file(),
                                     "--unix-socket",
                                     socket,
                                     "-d",
                                     callback_body(number),
                                     "https://callbacks.example" + callback_path(token_now)};
    command.insert(command.end(), more.begin(), more.end());
    auto curl = std::make_unique<Process>(Launch{.command = std::move(command)});
    BOOST_REQUIRE(eventually([&] { return pending() == before + 1; }));
    return curl;
  }

  Certificate certificate;
  Stack stack;
  std::string socket;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(tls_test)

BOOST_AUTO_TEST_CASE(a_callback_is_stored_bit_for_bit) {
  Fixture f;
  for (Http version : versions) {
    for (long tls : {CURL_SSLVERSION_MAX_TLSv1_2, CURL_SSLVERSION_MAX_TLSv1_3}) {
      TlsClient client(f.certificate, f.socket, version);
      client.tls_at_most(tls);
      // A TLS record holds 16384 bytes at most.
      for (std::size_t size : {0, 1, 16383, 16384, 16385, 65536, 65537}) {
        std::string body = callback_body(static_cast<unsigned>(size)) + std::string(1, '\0');
        body.resize(size, '\xfe');
        BOOST_TEST(client.post(body, token_now) == 200);
        BOOST_TEST((f.last_body() == body));
      }
      BOOST_TEST(client.http_version() ==
                 (version == Http::two ? CURL_HTTP_VERSION_2 : CURL_HTTP_VERSION_1_1));
      BOOST_TEST(client.answer().find("<statusCode>0000</statusCode>") != std::string::npos);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_connection_carries_many_callbacks_whatever_their_verdict) {
  Fixture f;
  for (Http version : versions) {
    auto before = entries(f.stack.redis.socket()).size();
    TlsClient client(f.certificate, f.socket, version);
    for (unsigned i = 0; i < 30; ++i) {
      bool good = i % 3 != 2;
      BOOST_TEST(client.post(callback_body(i), good ? token_now : "wrong-token-wrong") ==
                 (good ? 200 : 403));
    }
    BOOST_TEST(client.connections() == 1);
    BOOST_TEST(entries(f.stack.redis.socket()).size() == before + 20);
  }
}

BOOST_AUTO_TEST_CASE(senders_that_leave_while_redis_is_stopped) {
  Fixture f;
  std::size_t sent = 0;
  for (Http version : versions) {
    ::kill(f.stack.redis.pid(), SIGSTOP);
    auto killed = f.waiting_curl(version, 1);
    killed->send(SIGKILL);  // no close_notify
    killed->wait(Millis{5000});
    auto impatient = f.waiting_curl(version, 2, {"--max-time", "0.5"});  // with one
    BOOST_TEST(impatient->wait(Millis{5000}).value_or(0) == 28);
    auto patient = f.waiting_curl(version, 3, {"--fail"});
    ::kill(f.stack.redis.pid(), SIGCONT);
    BOOST_TEST(patient->wait(Millis{5000}).value_or(-1) == 0);
    BOOST_TEST(eventually([&] { return f.pending() == 0; }));
    sent += 3;
    BOOST_TEST(entries(f.stack.redis.socket()).size() == sent);  // what had arrived whole is stored
    TlsClient next(f.certificate, f.socket, version);
    BOOST_TEST(next.post(callback_body(4), token_now) == 200);
    ++sent;
  }
}

BOOST_AUTO_TEST_CASE(reloads_under_load_lose_nothing_answered) {
  Fixture f({.spool = no_spool, .workers = 2});  // what is spooled may be there twice
  for (Http version : versions) {
    Load load(
        [&] {
          auto client = std::make_shared<TlsClient>(f.certificate, f.socket, version);
          return [client](const std::string& body) { return client->post(body, token_now); };
        },
        4);
    for (int i = 0; i < 5; ++i) {
      auto before = f.stack.nginx.workers();
      f.stack.nginx.reload();
      BOOST_TEST(load.goes_on(100));
      // Not before the reload has happened, or the next signal would be one with it.
      BOOST_TEST(eventually([&] { return f.stack.nginx.workers() != before; }));
    }
    auto answered = load.stop();
    expect_all_stored_once(answered, f.stack.redis);
    f.stack.redis.cli({"DEL", "cc:events:0"});  // the other version sends the same bodies
  }
  BOOST_TEST(eventually([&] { return f.stack.nginx.workers().size() == 2; }));
}

BOOST_AUTO_TEST_CASE(a_quit_answers_what_waits) {
  Fixture f;
  ::kill(f.stack.redis.pid(), SIGSTOP);
  auto one = f.waiting_curl(Http::one, 1, {"--fail"});
  auto two = f.waiting_curl(Http::two, 2, {"--fail"});
  f.stack.nginx.quit();
  BOOST_REQUIRE(eventually([&] {
    return f.stack.nginx.error_log().find("gracefully shutting down") != std::string::npos;
  }));
  ::kill(f.stack.redis.pid(), SIGCONT);
  BOOST_TEST(one->wait(Millis{5000}).value_or(-1) == 0);
  BOOST_TEST(two->wait(Millis{5000}).value_or(-1) == 0);
  BOOST_TEST(f.stack.nginx.wait_for_end() == 0);
  BOOST_TEST(entries(f.stack.redis.socket()).size() == 2U);
}

BOOST_AUTO_TEST_CASE(worker_shutdown_timeout_ends_it_while_redis_is_stopped) {
  Fixture f({.main = "worker_shutdown_timeout 200ms;"}, "timeout=30s");
  ::kill(f.stack.redis.pid(), SIGSTOP);
  auto one = f.waiting_curl(Http::one, 1);
  auto two = f.waiting_curl(Http::two, 2);
  f.stack.nginx.quit();
  BOOST_TEST(f.stack.nginx.wait_for_end() == 0);
  BOOST_TEST(one->wait(Millis{5000}).has_value());
  BOOST_TEST(two->wait(Millis{5000}).has_value());
  ::kill(f.stack.redis.pid(), SIGCONT);
}

BOOST_AUTO_TEST_CASE(no_handshake_no_secret_in_the_log) {
  Fixture f;
  const std::string request = post(callback_path(token_now), callback_body(1));
  for (std::size_t length : {std::size_t{3}, std::size_t{40}, request.size()}) {
    Connection plain(f.socket);
    plain.send(request.substr(0, length));
    plain.finish();
    plain.wait_for_close();
  }
  BOOST_TEST(f.stack.nginx.error_log().find("client sent plain HTTP request") != std::string::npos);
  BOOST_TEST(f.stack.nginx.error_log().find(token_now) == std::string::npos);
  BOOST_TEST(f.stack.nginx.access_log().find(token_now) == std::string::npos);
  BOOST_TEST(entries(f.stack.redis.socket()).empty());
}

BOOST_AUTO_TEST_SUITE_END()
