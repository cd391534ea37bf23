// Answers of any size, piece by piece; and addresses that a URL from outside may not lead to.
#include "http_download.hpp"

#include <boost/test/unit_test.hpp>

#include "http_fixture.hpp"
#include "public_address.hpp"

using namespace cc::test;
using cc::HttpDownload;
using cc::HttpRequest;

namespace {

struct Taken {
  cc::HttpExchange head;
  std::string body, problem;
  bool whole = false;
  std::size_t largest = 0;
};

std::string bytes_of(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>((i * 2654435761U) >> 13);
  return text;
}

std::string answer_of(const std::string& body, std::size_t promised) {
  return "HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\nContent-Length: " +
         std::to_string(promised) + "\r\n\r\n" + body;
}

/// Writes once the request is there, then ends the connection.
HttpStage::Play once(std::string answer) {
  return [answer = std::move(answer)](HttpStage::Guest& guest) -> asio::awaitable<void> {
    const bool asked = co_await read_request(guest);
    if (asked) co_await write_all(guest, answer);
  };
}

struct DownloadFixture : HttpFixture {
  std::chrono::milliseconds idle{5000};
  std::size_t piece = 1000;

  Taken download(HttpRequest request) {
    Taken taken;
    const auto work = [&]() -> asio::awaitable<void> {
      auto opening = client->download(std::move(request), idle);
      const std::unique_ptr<HttpDownload> download = co_await std::move(opening);
      taken.head = download->head();
      std::string into(piece, '\0');
      for (;;) {
        const std::ptrdiff_t got = co_await download->read(into.data(), into.size());
        if (got <= 0) {
          taken.whole = got == 0;
          break;
        }
        taken.body.append(into.data(), static_cast<std::size_t>(got));
        taken.largest = std::max(taken.largest, static_cast<std::size_t>(got));
      }
      taken.problem = download->problem();
    };
    run_until_done(io, work());
    return taken;
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(http_download, DownloadFixture)

BOOST_AUTO_TEST_CASE(bodies_of_all_sizes_come_whole) {
  for (const std::size_t size : {0UL, 1UL, 999UL, 1000UL, 262144UL, 262145UL, 5'000'000UL}) {
    const std::string body = bytes_of(size);
    HttpStage stage(io, once(answer_of(body, size)));
    const Taken taken = download(get(stage.url()));
    BOOST_TEST(taken.head.status == 200u);
    BOOST_TEST(header(taken.head, "content-type") == "audio/mpeg");
    BOOST_TEST(taken.whole);
    BOOST_TEST((taken.body == body));
    BOOST_TEST(taken.largest <= piece);
  }
}

BOOST_AUTO_TEST_CASE(chunked_and_until_the_end_of_the_connection) {
  HttpStage chunked(io, once("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                             "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"));
  BOOST_TEST(download(get(chunked.url())).body == "abcde");
  HttpStage until_end(io, once("HTTP/1.1 200 OK\r\n\r\nabcde"));
  BOOST_TEST(download(get(until_end.url())).body == "abcde");
}

// Nobody reads: the peer must not get rid of more than what the socket and the client hold.
BOOST_AUTO_TEST_CASE(who_does_not_read_makes_the_peer_wait) {
  const std::string body = bytes_of(64'000'000);
  bool written = false, read_all = false;
  HttpStage stage(io, [&](HttpStage::Guest& guest) -> asio::awaitable<void> {
    const bool asked = co_await read_request(guest);
    BOOST_TEST(asked);
    co_await write_all(guest, answer_of(body, body.size()));
    written = true;
  });
  const auto work = [&]() -> asio::awaitable<void> {
    auto opening = client->download(get(stage.url()), idle);
    const std::unique_ptr<HttpDownload> download = co_await std::move(opening);
    // The loop turns many times while nothing is read: all that could be written was.
    for (int turn = 0; turn < 2000; ++turn) {
      co_await asio::post(io.get_executor(), asio::use_awaitable);
    }
    BOOST_TEST(!written);
    std::string into(100'000, '\0');
    std::size_t total = 0;
    bool same = true;
    for (;;) {
      const std::ptrdiff_t got = co_await download->read(into.data(), into.size());
      if (got <= 0) {
        read_all = got == 0;
        break;
      }
      same = same && body.compare(total, static_cast<std::size_t>(got), into, 0,
                                  static_cast<std::size_t>(got)) == 0;
      total += static_cast<std::size_t>(got);
    }
    BOOST_TEST(same);
    BOOST_TEST(total == body.size());
  };
  run_until_done(io, work());
  BOOST_TEST(read_all);
}

BOOST_AUTO_TEST_CASE(what_is_cut_short_is_broken) {
  const std::string body = bytes_of(300'000);
  HttpStage stage(io, once(answer_of(body, body.size() + 1)));
  const Taken taken = download(get(stage.url()));
  BOOST_TEST(taken.head.answered());
  BOOST_TEST(!taken.whole);
  BOOST_TEST(!taken.problem.empty());
  HttpStage chunked(io, once("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"));
  BOOST_TEST(!download(get(chunked.url())).whole);
}

BOOST_AUTO_TEST_CASE(a_peer_that_says_nothing_more_is_given_up) {
  idle = 100ms;
  HttpStage::Play silent = [](HttpStage::Guest& guest) -> asio::awaitable<void> {
    const bool asked = co_await read_request(guest);
    if (asked) co_await write_all(guest, answer_of("begin", 1000));
    const bool more = co_await read_request(guest);  // until the other side goes
    BOOST_TEST(!more);
  };
  HttpStage stage(io, silent);
  const Taken taken = download(get(stage.url()));
  BOOST_TEST(taken.body == "begin");
  BOOST_TEST(!taken.whole);
  BOOST_TEST(taken.problem.starts_with("nothing came for"));
}

BOOST_AUTO_TEST_CASE(no_answer_at_all) {
  HttpStage closed(io, [](HttpStage::Guest& guest) -> asio::awaitable<void> {
    const bool asked = co_await read_request(guest);
    BOOST_TEST(asked);
  });
  const Taken taken = download(get(closed.url()));
  BOOST_TEST(!taken.head.answered());
  BOOST_TEST(!taken.whole);
  BOOST_TEST(!taken.problem.empty());
}

BOOST_AUTO_TEST_CASE(a_url_from_outside_leads_to_the_public_internet_only) {
  HttpStage stage(io, answering(ok));
  HttpRequest request = get(stage.url());
  request.public_only = true;
  const Taken taken = download(request);
  BOOST_TEST(!taken.head.answered());
  BOOST_TEST(taken.problem == "its address is none of the public internet");
  BOOST_TEST(stage.connections() == 0);
  // Nor over a connection that somebody else has left open.
  BOOST_TEST(perform(get(stage.url())).status == 200u);
  BOOST_TEST(perform(request).problem == "its address is none of the public internet");
  BOOST_TEST(stage.count("GET /") == 1);
}

BOOST_AUTO_TEST_CASE(public_addresses) {
  for (const char* address : {"8.8.8.8", "172.32.0.1", "172.15.255.255", "100.63.255.255",
                              "192.167.1.1", "223.255.255.255", "2400:3200::1", "2001:4860::1",
                              "::ffff:8.8.8.8", "64:ff9b::808:808"}) {
    BOOST_TEST(cc::is_public_address(address), address);
  }
  for (const char* address :
       {"127.0.0.1", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
        "100.100.100.200", "0.0.0.0", "224.0.0.1", "255.255.255.255", "198.18.0.1", "::", "::1",
        "fe80::1", "fc00::1", "fd00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
        "64:ff9b::a00:1", "2001:db8::1", "2001::1", "2002:a00:1::1", "::7f00:1", "localhost", "",
        "127.1", "0x7f000001"}) {
    BOOST_TEST(!cc::is_public_address(address), address);
  }
}

BOOST_AUTO_TEST_SUITE_END()
