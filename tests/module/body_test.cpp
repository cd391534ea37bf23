// Bodies of all sizes in all ways that they can arrive: in the stream as they were sent.
#include <cstdio>
#include <fstream>

#include <boost/test/unit_test.hpp>

#include "stack.hpp"

using namespace cc::test;

namespace {

constexpr std::size_t sizes[] = {0, 1, 16383, 16384, 16385, 65536, 65537};

/// Not readable by anybody, but different everywhere, so that a swapped or doubled part shows.
std::string bytes(std::size_t size) {
  std::string text(size, '\0');
  unsigned state = 12345;
  for (char& byte : text) {
    state = state * 1103515245U + 12345U;
    byte = static_cast<char>(state >> 16);
  }
  return text;
}

std::string chunked(const std::string& body, std::size_t chunk) {
  std::string text;
  for (std::size_t at = 0; at < body.size(); at += chunk) {
    auto part = body.substr(at, chunk);
    char size[24];
    std::snprintf(size, sizeof size, "%zx\r\n", part.size());
    text += size + part + "\r\n";
  }
  return text + "0\r\n\r\n";
}

std::string head(const std::string& headers) {
  return "POST " + callback_path(token_now) + " HTTP/1.1\r\nHost: x\r\n" + headers + "\r\n";
}

std::string with_length(std::size_t size) {
  return "Content-Length: " + std::to_string(size) + "\r\n";
}

struct Fixture {
  Stack stack;

  void expect_stored(const std::string& body, const std::optional<Response>& response) {
    BOOST_REQUIRE(response);
    BOOST_TEST(response->status == 200);
    BOOST_TEST((raw_of(entries(stack.redis.socket()).back()) == body));  // no dump of 64 KB
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(body_test, Fixture)

BOOST_AUTO_TEST_CASE(with_a_content_length) {
  for (auto size : sizes) expect_stored(bytes(size), stack.call_back(bytes(size)));
}

BOOST_AUTO_TEST_CASE(head_and_body_in_packets_of_their_own) {
  for (auto size : sizes) {
    Connection connection(stack.nginx.port());
    connection.send(head(with_length(size)));
    auto body = bytes(size);
    for (std::size_t at = 0; at < size; at += 5000) connection.send(body.substr(at, 5000));
    expect_stored(body, connection.receive());
  }
}

BOOST_AUTO_TEST_CASE(chunked_in_one_and_in_many_chunks) {
  for (auto size : sizes) {
    for (std::size_t chunk : {std::size_t{1000}, std::size_t{100000}}) {
      Connection connection(stack.nginx.socket());
      connection.send(head("Transfer-Encoding: chunked\r\n") + chunked(bytes(size), chunk));
      expect_stored(bytes(size), connection.receive());
    }
  }
}

BOOST_AUTO_TEST_CASE(after_a_100_continue) {
  for (auto size : sizes) {
    Connection connection(stack.nginx.socket());
    connection.send(head(with_length(size) + "Expect: 100-continue\r\n"));
    connection.send(bytes(size));
    expect_stored(bytes(size), connection.receive());
  }
}

BOOST_AUTO_TEST_CASE(not_sent_before_the_100_continue_is_there) {
  for (std::string way : {"Content-Length", "chunked"}) {
    for (auto size : sizes) {
      if (size == 0 && way == "Content-Length") continue;  // nothing to wait for
      Connection connection(stack.nginx.socket());
      connection.send(
          head((way == "chunked" ? "Transfer-Encoding: chunked\r\n" : with_length(size)) +
               "Expect: 100-continue\r\n"));
      const std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
      BOOST_TEST(connection.receive_bytes(go_on.size()).value_or("") == go_on);
      connection.send(way == "chunked" ? chunked(bytes(size), 5000) : bytes(size));
      expect_stored(bytes(size), connection.receive());
    }
  }
}

BOOST_AUTO_TEST_CASE(a_byte_a_packet_whatever_the_size) {
  for (auto size : sizes) {
    Connection connection(stack.nginx.port());
    const std::string by_length = head(with_length(size)) + bytes(size);
    for (char byte : by_length) connection.send(std::string_view(&byte, 1));
    expect_stored(bytes(size), connection.receive());
    const std::string by_chunk =
        head("Transfer-Encoding: chunked\r\n") + chunked(bytes(size), 1000);
    for (char byte : by_chunk) connection.send(std::string_view(&byte, 1));
    expect_stored(bytes(size), connection.receive());
  }
}

BOOST_AUTO_TEST_CASE(a_byte_a_packet) {
  Connection connection(stack.nginx.port());
  std::string body = callback_body(7);
  for (char byte : head(with_length(body.size())) + body) connection.send(std::string(1, byte));
  expect_stored(body, connection.receive());
  for (char byte : head("Transfer-Encoding: chunked\r\n") + chunked(body, 3)) {
    connection.send(std::string(1, byte));
  }
  expect_stored(body, connection.receive());
}

BOOST_AUTO_TEST_CASE(over_http_2) {
  const TempDir folder;
  for (auto size : sizes) {
    std::string file = folder.file("body");
    std::ofstream(file, std::ios::binary) << bytes(size);
    auto curl = run({.command = {"/usr/bin/curl", "-s", "--http2-prior-knowledge", "--unix-socket",
                                 stack.nginx.h2_socket(), "-o", "/dev/null", "-w",
                                 "%{http_code} %{http_version}", "-H",
                                 "Content-Type: application/xml", "--data-binary", "@" + file,
                                 "http://callbacks.example" + callback_path(token_now)}});
    BOOST_TEST(curl.output == "200 2");
    BOOST_TEST((raw_of(entries(stack.redis.socket()).back()) == bytes(size)));
  }
}

BOOST_AUTO_TEST_CASE(from_a_file) {
  Stack filing({.channel = "client_body_in_file_only clean; cc_channel e9 tokens=e9.tokens;"});
  for (auto size : sizes) {
    auto response = filing.call_back(bytes(size));
    BOOST_REQUIRE(response);
    BOOST_TEST(response->status == 200);
    BOOST_TEST((raw_of(entries(filing.redis.socket()).back()) == bytes(size)));
  }
}

BOOST_AUTO_TEST_SUITE_END()
