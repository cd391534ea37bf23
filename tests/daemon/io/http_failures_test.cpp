// Whether the first byte can have left, for every way in which a request can fail.
#include <boost/test/unit_test.hpp>

#include "http_fixture.hpp"

using namespace cc::test;
using cc::HttpExchange;
using cc::HttpRequest;

BOOST_FIXTURE_TEST_SUITE(http_failures, HttpFixture)

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

BOOST_AUTO_TEST_SUITE_END()
