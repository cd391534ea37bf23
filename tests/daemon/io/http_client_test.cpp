#include "http_client.hpp"

#include <cstdlib>

#include <boost/asio/ssl.hpp>
#include <boost/test/unit_test.hpp>

#include "http_fixture.hpp"

using namespace cc::test;
using cc::HttpExchange;
using cc::HttpRequest;

BOOST_FIXTURE_TEST_SUITE(http_client, HttpFixture)

BOOST_AUTO_TEST_CASE(an_answer_is_taken_whole) {
  HttpStage stage(io, answering("HTTP/1.1 100 Continue\r\nX-Early: no\r\n\r\n"
                                "HTTP/1.1 103 Early Hints\r\nLink: no\r\n\r\n"
                                "HTTP/1.1 404 Not Here\r\nX-Thing:  A b \r\nSet-Cookie: a=1\r\n"
                                "Set-Cookie: b=2\r\nTransfer-Encoding: chunked\r\n\r\n"
                                "3\r\nabc\r\n2\r\nde\r\n0\r\nX-Trailer: no\r\n\r\n"));
  const HttpExchange answer = perform(post(stage.url("/a/../b?x=%20")));
  BOOST_TEST(answer.end == End::answered);
  BOOST_TEST(answer.answered());
  BOOST_TEST(!answer.nothing_sent());
  BOOST_TEST(answer.status == 404u);
  BOOST_TEST(answer.body == "abcde");
  BOOST_TEST(answer.problem.empty());
  BOOST_TEST(header(answer, "x-thing") == "A b");
  BOOST_TEST(header(answer, "x-early") == "(none)");
  BOOST_TEST(header(answer, "link") == "(none)");
  BOOST_TEST(header(answer, "x-trailer") == "(none)");
  BOOST_TEST(answer.headers.size() == 4u);
}

BOOST_AUTO_TEST_CASE(what_is_sent) {
  ::setenv("http_proxy", "http://127.0.0.1:1", 1);
  HttpStage stage(io, answering(ok));
  HttpRequest request = post(stage.url("/a/../b?x=%20"), std::string(5000, 'x'));
  request.headers = {{"X-Empty", ""}, {"X-Full", " v "}};
  BOOST_TEST(perform(std::move(request)).status == 200u);
  ::unsetenv("http_proxy");
  const std::string sent = stage.received(0);
  BOOST_TEST(sent.find("POST /a/../b?x=%20 HTTP/1.1\r\n") == 0u);
  BOOST_TEST(sent.find("\r\nX-Empty:\r\n") != std::string::npos);
  BOOST_TEST(sent.find("\r\nX-Full: v\r\n") != std::string::npos);
  BOOST_TEST(sent.find("\r\nContent-Length: 5000\r\n") != std::string::npos);
  BOOST_TEST(sent.find("Expect") == std::string::npos);
  BOOST_TEST(sent.find("Content-Type") == std::string::npos);
  for (const auto& [method, body, line] :
       std::vector<std::tuple<std::string, std::string, std::string>>{
           {"GET", "", "GET /m HTTP/1.1\r\n"},
           {"POST", "", "POST /m HTTP/1.1\r\n"},
           {"PUT", "b", "PUT /m HTTP/1.1\r\n"},
           {"DELETE", "", "DELETE /m HTTP/1.1\r\n"},
           {"GET", "b", "GET /m HTTP/1.1\r\n"}}) {
    HttpStage other(io, answering(ok));
    HttpRequest next = post(other.url("/m"), body);
    next.method = method;
    next.headers.clear();
    BOOST_TEST(perform(std::move(next)).body == "ok");
    BOOST_TEST(other.received(0).find(line) == 0u);
    const bool has_length = other.received(0).find("Content-Length: ") != std::string::npos;
    BOOST_TEST(has_length == (!body.empty() || method == "POST"));
  }
  HttpStage heads(io, answering("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"));
  HttpRequest head = get(heads.url());
  head.method = "HEAD";
  const HttpExchange answer = perform(std::move(head));
  BOOST_TEST(answer.end == End::answered);
  BOOST_TEST(header(answer, "content-length") == "1000");
}

BOOST_AUTO_TEST_CASE(connections_are_kept_alive_unless_only_once) {
  HttpStage stage(io, answering(ok));
  for (int i = 0; i < 5; ++i) BOOST_TEST(perform(get(stage.url())).status == 200u);
  BOOST_TEST(stage.connections() == 1);
  for (int i = 0; i < 3; ++i) {
    HttpRequest request = post(stage.url());
    request.only_once = true;
    BOOST_TEST(perform(std::move(request)).status == 200u);
  }
  BOOST_TEST(stage.connections() == 4);
}

BOOST_AUTO_TEST_CASE(redirects_are_answers) {
  HttpStage stage(io,
                  answering("HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n"));
  const HttpExchange answer = perform(get(stage.url()));
  BOOST_TEST(answer.status == 302u);
  BOOST_TEST(header(answer, "location") == "/other");
  BOOST_TEST(stage.count("GET ") == 1);
}

BOOST_AUTO_TEST_CASE(requests_that_cannot_be_made) {
  HttpStage stage(io, answering(ok));
  HttpRequest injected = get(stage.url());
  injected.headers = {{"X-Name", "a\r\nX-Other: b"}};
  HttpRequest named = get(stage.url());
  named.headers = {{"X Name", "a"}};
  HttpRequest method = get(stage.url());
  method.method = "GET / HTTP/1.1\r\n";
  for (HttpRequest request : {injected, named, method, get("ftp://127.0.0.1/"), get("http://"),
                              get("file:///etc/passwd"), get("http://127.0.0.1:99999/"), get("")}) {
    const HttpExchange exchange = perform(std::move(request));
    BOOST_TEST(exchange.nothing_sent());
    BOOST_TEST(!exchange.problem.empty());
  }
  BOOST_TEST(stage.connections() == 0);
}

BOOST_AUTO_TEST_CASE(tls) {
  const TempDir folder;
  const Outcome made =
      run({.command = {"/usr/bin/openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days",
                       "2", "-subj", "/CN=stage", "-addext", "subjectAltName=IP:127.0.0.1",
                       "-keyout", folder.file("key"), "-out", folder.file("crt")}});
  BOOST_REQUIRE_EQUAL(made.status, 0);
  asio::ssl::context context(asio::ssl::context::tls_server);
  context.use_certificate_chain_file(folder.file("crt"));
  context.use_private_key_file(folder.file("key"), asio::ssl::context::pem);
  int requests = 0;
  HttpStage stage(io, [&](HttpStage::Guest& guest) -> asio::awaitable<void> {
    asio::ssl::stream<Tcp::socket&> stream(guest.socket, context);
    co_await stream.async_handshake(asio::ssl::stream_base::server, asio::use_awaitable);
    char buffer[4096];
    co_await stream.async_read_some(asio::buffer(buffer), asio::use_awaitable);
    ++requests;
    co_await asio::async_write(stream, asio::buffer(ok), asio::use_awaitable);
  });
  bool asked = false;
  const auto may_send = [&] { return asked = true; };

  HttpRequest stranger = post(stage.url("/", "https"));
  stranger.may_send = may_send;
  const HttpExchange untrusted = perform(std::move(stranger));
  BOOST_TEST(untrusted.end == End::tls_failed);
  BOOST_TEST(untrusted.nothing_sent());
  BOOST_TEST(!asked);
  BOOST_TEST(requests == 0);

  HttpRequest trusted = post(stage.url("/", "https"));
  trusted.ca_file = folder.file("crt");
  trusted.may_send = may_send;
  const HttpExchange answer = perform(std::move(trusted));
  BOOST_TEST(answer.end == End::answered, answer.problem);
  BOOST_TEST(asked);
  BOOST_TEST(requests == 1);

  HttpStage plain(io, [](HttpStage::Guest& guest) -> asio::awaitable<void> {
    co_await write_all(guest, ok);
    co_await cc::test::pause(200ms);
  });
  BOOST_TEST(perform(post(plain.url("/", "https"))).end == End::tls_failed);
  HttpStage silent(
      io, [](HttpStage::Guest&) -> asio::awaitable<void> { co_await cc::test::pause(2000ms); });
  HttpRequest hung = post(silent.url("/", "https"));
  hung.connect_timeout = 300ms;
  const HttpExchange handshake = perform(std::move(hung));
  BOOST_TEST(handshake.end == End::tls_failed);
  BOOST_TEST(handshake.nothing_sent());
}

BOOST_AUTO_TEST_CASE(many_at_once) {
  HttpStage stage(io, answering(ok));
  int answered = 0;
  const auto test = [&]() -> asio::awaitable<void> {
    int left = 200;
    const auto one = [&](int n) -> asio::awaitable<void> {
      HttpRequest request = post(stage.url(), std::string(static_cast<std::size_t>(n) * 500, 'x'));
      request.only_once = n % 2 == 0;
      const HttpExchange exchange = co_await client->perform(std::move(request));
      answered += exchange.answered() ? 1 : 0;
      --left;
    };
    for (int n = 0; n < 200; ++n) asio::co_spawn(io, one(n), [](std::exception_ptr) {});
    while (left > 0) co_await cc::test::pause(5ms);
  };
  run_until_done(io, test());
  BOOST_TEST(answered == 200);
  BOOST_TEST(stage.count("POST /") == 200);
}

BOOST_AUTO_TEST_CASE(cancelled_and_destroyed_under_way) {
  HttpStage stage(io, [](HttpStage::Guest& guest) -> asio::awaitable<void> {
    co_await read_request(guest);
    co_await read_request(guest);
  });
  asio::cancellation_signal stop;
  bool cancelled = false;
  HttpExchange late;
  auto first = client->perform(post(stage.url()));
  asio::co_spawn(
      io, std::move(first),
      asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr error, const HttpExchange&) {
        cancelled = error != nullptr;
      }));
  HttpRequest slow = post(stage.url());
  slow.timeout = 600ms;
  auto second = client->perform(std::move(slow));
  asio::co_spawn(io, std::move(second),
                 [&](std::exception_ptr, HttpExchange exchange) { late = std::move(exchange); });
  io.run_for(200ms);
  stop.emit(asio::cancellation_type::terminal);
  client.reset();  // the other request goes on
  io.run_for(2s);
  BOOST_TEST(cancelled);
  BOOST_TEST(late.end == End::timed_out);

  asio::io_context own;
  auto other = std::make_unique<cc::HttpClient>(own.get_executor());
  HttpStage silent(own, [](HttpStage::Guest& guest) -> asio::awaitable<void> {
    co_await read_request(guest);
    co_await read_request(guest);
  });
  auto third = other->perform(post(silent.url()));
  asio::co_spawn(own, std::move(third), [](std::exception_ptr, const HttpExchange&) {});
  own.run_for(100ms);
  BOOST_TEST(silent.connections() == 1);
}  // the loop goes with its coroutines, after the client

BOOST_AUTO_TEST_CASE(nothing_keeps_the_loop) {
  {
    HttpStage stage(io, answering(ok));
    BOOST_TEST(perform(get(stage.url())).status == 200u);
  }
  client.reset();
  const auto begin = std::chrono::steady_clock::now();
  io.restart();
  io.run();
  BOOST_TEST((std::chrono::steady_clock::now() - begin < 1s));
}

BOOST_AUTO_TEST_SUITE_END()
