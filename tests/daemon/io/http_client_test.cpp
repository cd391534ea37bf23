#include "http_client.hpp"

#include <cstdlib>
#include <optional>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/test/unit_test.hpp>

#include "http_stage.hpp"
#include "process.hpp"

using namespace cc::test;
using cc::HttpExchange;
using cc::HttpRequest;
using End = cc::HttpExchange::End;

namespace cc {
// NOLINTNEXTLINE(misc-use-internal-linkage): found by Boost.Test
static std::ostream& operator<<(std::ostream& out, HttpExchange::End end) {
  return out << to_text(end);
}
}  // namespace cc

namespace {

const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

struct HttpFixture {
  asio::io_context io;
  std::optional<cc::HttpClient> client{std::in_place, io.get_executor()};

  HttpExchange perform(HttpRequest request) {
    HttpExchange result;
    const auto work = [&]() -> asio::awaitable<void> {
      result = co_await client->perform(std::move(request));
    };
    run_until_done(io, work());
    return result;
  }
  // One answer for every request, as long as the guest stays.
  static HttpStage::Play answering(std::string answer) {
    return [answer = std::move(answer)](HttpStage::Guest& guest) -> asio::awaitable<void> {
      return serve(guest, answer);
    };
  }
  static asio::awaitable<void> serve(HttpStage::Guest& guest, std::string answer) {
    for (;;) {
      const bool more = co_await read_request(guest);
      if (!more) co_return;
      co_await write_all(guest, answer);
    }
  }
};

std::string header(const HttpExchange& exchange, const std::string& name) {
  for (const auto& [key, value] : exchange.headers) {
    if (key == name) return value;
  }
  return "(none)";
}

HttpRequest post(const std::string& url, const std::string& body = "{\"call\":1}") {
  HttpRequest request;
  request.method = "POST";
  request.url = url;
  request.headers = {{"Content-Type", "application/json"}};
  request.body = body;
  request.timeout = 3000ms;
  return request;
}

HttpRequest get(const std::string& url) {
  HttpRequest request;
  request.url = url;
  request.timeout = 3000ms;
  return request;
}

}  // namespace

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

BOOST_AUTO_TEST_CASE(nothing_listens) {
  HttpRequest request = post("http://127.0.0.1:" + std::to_string(free_port()) + "/?key=hidden");
  bool asked = false;
  request.may_send = [&] { return asked = true; };
  const HttpExchange exchange = perform(std::move(request));
  BOOST_TEST(exchange.end == End::not_connected);
  BOOST_TEST(exchange.nothing_sent());
  BOOST_TEST(!asked);
  BOOST_TEST(exchange.problem.find("hidden") == std::string::npos);
  BOOST_TEST(!exchange.problem.empty());
}

BOOST_AUTO_TEST_CASE(a_name_that_does_not_exist) {
  HttpRequest request = get("http://no-such-host.invalid/");
  request.connect_timeout = 2000ms;
  const HttpExchange exchange = perform(std::move(request));
  BOOST_TEST(exchange.end == End::not_resolved);
  BOOST_TEST(exchange.nothing_sent());
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

BOOST_AUTO_TEST_CASE(never_accepted) {
  // The kernel takes the connection for the listener: the request leaves, nobody reads it.
  Tcp::acceptor idle(io, {asio::ip::address_v4::loopback(), 0});
  HttpRequest request =
      post("http://127.0.0.1:" + std::to_string(idle.local_endpoint().port()) + "/");
  request.timeout = 300ms;
  const HttpExchange exchange = perform(std::move(request));
  BOOST_TEST(exchange.end == End::timed_out);
  BOOST_TEST(!exchange.nothing_sent());
  BOOST_TEST((exchange.elapsed >= 250ms && exchange.elapsed < 2000ms));
}

BOOST_AUTO_TEST_CASE(a_full_backlog) {
  // Here the kernel drops the SYN: not connected within the time.
  Tcp::acceptor full(io);
  full.open(Tcp::v4());
  full.bind({asio::ip::address_v4::loopback(), 0});
  full.listen(0);
  std::vector<Tcp::socket> fillers;
  for (int i = 0; i < 4; ++i) {
    Tcp::socket& filler = fillers.emplace_back(io);
    filler.async_connect(full.local_endpoint(), [](boost::system::error_code) {});
  }
  io.run_for(100ms);
  HttpRequest request =
      post("http://127.0.0.1:" + std::to_string(full.local_endpoint().port()) + "/");
  request.connect_timeout = 300ms;
  const HttpExchange exchange = perform(std::move(request));
  BOOST_TEST(exchange.end == End::not_connected);
  BOOST_TEST(exchange.nothing_sent());
}

BOOST_AUTO_TEST_CASE(closed_before_reading) {
  for (const bool reset : {false, true}) {
    HttpStage stage(io, [reset](HttpStage::Guest& guest) -> asio::awaitable<void> {
      if (reset) guest.socket.set_option(Tcp::socket::linger(true, 0));
      co_return;
    });
    HttpRequest request = post(stage.url());
    request.only_once = true;
    bool asked = false;
    request.may_send = [&] { return asked = true; };
    const HttpExchange exchange = perform(std::move(request));
    // A reset may come before curl has seen that it is connected; then it does not begin.
    BOOST_TEST(exchange.end == (asked ? End::broken : End::not_connected));
    BOOST_TEST(exchange.nothing_sent() == !asked);
    if (!reset) BOOST_TEST(asked);
    BOOST_TEST(stage.connections() == 1);
  }
}

BOOST_AUTO_TEST_CASE(closed_after_reading) {
  HttpStage stage(
      io, [](HttpStage::Guest& guest) -> asio::awaitable<void> { co_await read_request(guest); });
  for (const bool only_once : {true, false}) {
    HttpRequest request = post(stage.url());
    request.only_once = only_once;
    BOOST_TEST(perform(std::move(request)).end == End::broken);
  }
  BOOST_TEST(stage.count("POST /") == 2);
}

BOOST_AUTO_TEST_CASE(hangs_after_reading) {
  HttpStage stage(io, [](HttpStage::Guest& guest) -> asio::awaitable<void> {
    co_await read_request(guest);
    co_await cc::test::pause(2000ms);
  });
  HttpRequest request = post(stage.url());
  request.timeout = 200ms;
  const HttpExchange exchange = perform(std::move(request));
  BOOST_TEST(exchange.end == End::timed_out);
  BOOST_TEST(!exchange.nothing_sent());
  BOOST_TEST(stage.count("POST /") == 1);
}

BOOST_AUTO_TEST_CASE(cut_short_and_garbled) {
  for (const std::string text :
       {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", "HTTP/1.1 200 OK\r\nContent-Le",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", "garbage\r\n\r\n",
        "\r\n"}) {
    HttpStage stage(io, [text](HttpStage::Guest& guest) -> asio::awaitable<void> {
      co_await read_request(guest);
      co_await write_all(guest, text);
    });
    const HttpExchange exchange = perform(post(stage.url()));
    BOOST_TEST(exchange.end == End::broken, text);
    BOOST_TEST(stage.count("POST /") == 1);
  }
}

BOOST_AUTO_TEST_CASE(answers_that_are_too_large) {
  const std::string body(5000, 'x');
  const std::string counted = "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + body;
  const std::string chunked =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1388\r\n" + body + "\r\n0\r\n\r\n";
  const std::string heavy = "HTTP/1.1 200 OK\r\nX: " + std::string(70'000, 'h') + "\r\n\r\n";
  for (const std::string& answer : {counted, chunked}) {
    HttpStage stage(io, answering(answer));
    HttpRequest request = post(stage.url());
    request.max_answer = 4999;
    const HttpExchange exchange = perform(std::move(request));
    BOOST_TEST(exchange.end == End::broken);
    BOOST_TEST(exchange.problem == "the answer is too large");
    HttpRequest enough = post(stage.url());
    enough.max_answer = 5000;
    BOOST_TEST((perform(std::move(enough)).body == body));
  }
  HttpStage stage(io, answering(heavy));
  BOOST_TEST(perform(post(stage.url())).end == End::broken);
}

BOOST_AUTO_TEST_CASE(kept_alive_connection_closed_under_the_second_request) {
  // Answers the first request of each connection, reads the second and hangs up: just what makes
  // curl send once more by itself.
  const auto play = [](HttpStage::Guest& guest) -> asio::awaitable<void> {
    co_await read_request(guest);
    co_await write_all(guest, ok);
    co_await read_request(guest);
  };
  HttpStage lax(io, play);
  BOOST_TEST(perform(get(lax.url())).status == 200u);
  BOOST_TEST(perform(post(lax.url("/second"))).status == 200u);
  BOOST_TEST(lax.count("POST /second") == 2);  // which is why only_once exists

  HttpStage strict(io, play);
  BOOST_TEST(perform(get(strict.url())).status == 200u);
  HttpRequest once = post(strict.url("/second"));
  once.only_once = true;
  int asked = 0;
  once.may_send = [&] { return ++asked > 0; };
  BOOST_TEST(perform(std::move(once)).status == 200u);
  BOOST_TEST(strict.count("POST /second") == 1);
  BOOST_TEST(asked == 1);

  // Refused at the second sending: the first may have arrived all the same.
  HttpStage doubtful(io, play);
  BOOST_TEST(perform(get(doubtful.url())).status == 200u);
  HttpRequest twice = post(doubtful.url("/second"));
  asked = 0;
  twice.may_send = [&] { return ++asked == 1; };
  const HttpExchange exchange = perform(std::move(twice));
  BOOST_TEST(asked == 2);
  BOOST_TEST(exchange.end == End::broken);
  BOOST_TEST(!exchange.nothing_sent());
}

BOOST_AUTO_TEST_CASE(idle_connection_closed_between_two_requests) {
  for (const bool only_once : {false, true}) {
    HttpStage stage(io, [](HttpStage::Guest& guest) -> asio::awaitable<void> {
      co_await read_request(guest);
      co_await write_all(guest, ok);
    });
    BOOST_TEST(perform(get(stage.url())).status == 200u);
    io.run_for(50ms);
    HttpRequest request = post(stage.url("/second"));
    request.only_once = only_once;
    BOOST_TEST(perform(std::move(request)).status == 200u);
    BOOST_TEST(stage.count("POST /second") == 1);
  }
}

BOOST_AUTO_TEST_CASE(withheld) {
  HttpStage stage(io, answering(ok));
  for (const bool kept_alive : {false, true}) {
    if (kept_alive) BOOST_TEST(perform(get(stage.url())).status == 200u);
    HttpRequest request = post(stage.url());
    request.may_send = [] { return false; };
    const HttpExchange exchange = perform(std::move(request));
    BOOST_TEST(exchange.end == End::withheld);
    BOOST_TEST(exchange.nothing_sent());
    BOOST_TEST(exchange.problem == "withheld");
    io.run_for(50ms);
  }
  BOOST_TEST(stage.count("POST") == 0);
  HttpRequest request = post(stage.url());
  request.may_send = []() -> bool { throw std::runtime_error("from may_send"); };
  BOOST_CHECK_THROW((void)perform(std::move(request)), std::runtime_error);
  BOOST_TEST(stage.count("POST") == 0);
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
