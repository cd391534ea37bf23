// Callbacks as streams of HTTP/2: in frames of all sizes, many at a time, and cut off at any point.
#include "http2.hpp"

#include <array>
#include <csignal>

#include <boost/test/unit_test.hpp>

#include "stack.hpp"

using namespace cc::test;

namespace {

const std::string path = callback_path(token_now);

/// Different everywhere, so that a swapped or doubled part shows.
std::string bytes(std::size_t size) {
  std::string text(size, '\0');
  unsigned state = 54321;
  for (char& byte : text) {
    state = state * 1103515245U + 12345U;
    byte = static_cast<char>(state >> 16);
  }
  return text;
}

struct Fixture {
  explicit Fixture(NginxSettings settings = {}, const std::string& options = "timeout=5s")
      : stack(std::move(settings), options), connection(stack.nginx.h2_socket()) {}

  std::size_t stored() const { return entries(stack.redis.socket()).size(); }
  bool was_stored_last(const std::string& body) const {
    return raw_of(entries(stack.redis.socket()).back()) == body;
  }
  long number(const std::string& name) const { return status_number(stack.nginx.socket(), name); }
  bool pending_becomes(long count) const {
    return eventually([&] { return number("pending") == count; });
  }
  void stop_redis() { ::kill(stack.redis.pid(), SIGSTOP); }
  void go_on_redis() { ::kill(stack.redis.pid(), SIGCONT); }

  Stack stack;
  Http2Connection connection;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(http2_test)

BOOST_AUTO_TEST_CASE(bodies_of_all_sizes_with_and_without_their_length) {
  Fixture f;
  for (std::size_t size : {0, 1, 16383, 16384, 16385, 65536, 65537}) {
    for (bool with_length : {true, false}) {
      for (std::size_t frame : {std::size_t{1000}, std::size_t{16384}}) {
        auto length = with_length ? std::optional(size) : std::nullopt;
        auto stream = f.connection.open(path, false, length);
        BOOST_TEST(f.connection.send(stream, bytes(size), true, frame));
        BOOST_TEST(f.connection.status(stream) == 200);
        BOOST_TEST(f.was_stored_last(bytes(size)), size << " in frames of " << frame);
      }
    }
  }
  auto none = f.connection.open(path, true);  // no DATA at all
  BOOST_TEST(f.connection.status(none) == 200);
  BOOST_TEST(f.was_stored_last(""));
}

BOOST_AUTO_TEST_CASE(a_byte_a_frame_padding_and_an_empty_last_frame) {
  Fixture f;
  const std::string body = callback_body(7);
  for (auto padding : std::to_array<std::uint8_t>({0, 1, 255})) {
    for (bool with_length : {true, false}) {
      auto length = with_length ? std::optional(body.size()) : std::nullopt;
      auto stream = f.connection.open(path, false, length);
      BOOST_TEST(f.connection.send(stream, body, false, 1, padding));
      BOOST_TEST(f.connection.send(stream, "", true));
      BOOST_TEST(f.connection.status(stream) == 200);
      BOOST_TEST(f.was_stored_last(body));
    }
  }
}

BOOST_AUTO_TEST_CASE(bodies_in_a_file) {
  Fixture f({.channel = "client_body_in_file_only clean; cc_channel e9 tokens=e9.tokens;"});
  for (std::size_t size : {0, 1, 16385, 65537}) {
    for (bool with_length : {true, false}) {
      auto length = with_length ? std::optional(size) : std::nullopt;
      auto stream = f.connection.open(path, false, length);
      BOOST_TEST(f.connection.send(stream, bytes(size), true, 5000));
      BOOST_TEST(f.connection.status(stream) == 200);
      BOOST_TEST(f.was_stored_last(bytes(size)));
    }
  }
}

BOOST_AUTO_TEST_CASE(many_streams_at_a_time_are_all_stored) {
  Fixture f;
  constexpr unsigned streams = 120;  // NGINX allows 128
  f.stop_redis();
  std::map<std::uint32_t, std::string> bodies;
  for (unsigned i = 0; i < streams; ++i) {
    auto stream = f.connection.open(path, false);
    bodies[stream] = callback_body(i) + bytes(i * 11);
  }
  // Interleaved: a first part of each, then the rest of each.
  for (const auto& [stream, body] : bodies) {
    BOOST_REQUIRE(f.connection.send(stream, body.substr(0, 100), false));
  }
  for (const auto& [stream, body] : bodies) {
    BOOST_REQUIRE(f.connection.send(stream, body.substr(100), true));
  }
  BOOST_REQUIRE(f.pending_becomes(streams));
  f.go_on_redis();
  for (const auto& [stream, body] : bodies) BOOST_TEST(f.connection.status(stream) == 200);
  std::multiset<std::string> stored, sent;
  for (const auto& entry : entries(f.stack.redis.socket())) stored.insert(raw_of(entry));
  for (const auto& [stream, body] : bodies) sent.insert(body);
  BOOST_TEST((stored == sent));
}

BOOST_AUTO_TEST_CASE(a_reset_in_mid_body_stores_nothing_and_hurts_no_other_stream) {
  Fixture f;
  for (bool with_length : {true, false}) {
    auto length = with_length ? std::optional<std::size_t>(100) : std::nullopt;
    auto none = f.connection.open(path, false, length);
    f.connection.reset(none);
    auto half = f.connection.open(path, false, length);
    f.connection.send(half, "abc", false);
    f.connection.reset(half);
  }
  auto other = f.connection.post(path, callback_body(1));
  BOOST_TEST(f.connection.status(other) == 200);
  BOOST_TEST(eventually([&] { return f.number("unfinished") == 4; }));
  BOOST_TEST(f.stored() == 1U);
}

BOOST_AUTO_TEST_CASE(a_reset_while_redis_is_stopped_is_stored_all_the_same) {
  Fixture f;
  f.stop_redis();
  std::vector<std::uint32_t> streams;
  for (unsigned i = 0; i < 20; ++i) streams.push_back(f.connection.post(path, callback_body(i)));
  BOOST_REQUIRE(f.pending_becomes(20));
  for (std::size_t i = 0; i < streams.size(); i += 2) f.connection.reset(streams[i]);
  // An answer to a later frame: the resets have been read.
  auto status = f.connection.open("/status", true);
  BOOST_TEST(f.connection.status(status) == 405);
  f.go_on_redis();
  for (std::size_t i = 1; i < streams.size(); i += 2) {
    BOOST_TEST(f.connection.status(streams[i]) == 200);
  }
  BOOST_TEST(f.pending_becomes(0));
  BOOST_TEST(f.stored() == 20U);
  BOOST_TEST(f.number("accepted") + f.number("stored_unanswered") == 20);
  auto next = f.connection.post(path, callback_body(21));
  BOOST_TEST(f.connection.status(next) == 200);
}

BOOST_AUTO_TEST_CASE(a_connection_that_ends_with_streams_in_all_states) {
  Fixture f;
  f.stop_redis();
  {
    Http2Connection leaving(f.stack.nginx.h2_socket());
    for (unsigned i = 0; i < 5; ++i) leaving.post(path, callback_body(i));
    leaving.send(leaving.open(path, false, 100), "abc", false);
    auto reset = leaving.post(path, callback_body(5));
    BOOST_REQUIRE(f.pending_becomes(6));
    leaving.reset(reset);
  }
  BOOST_TEST(eventually([&] { return f.number("unfinished") == 1; }));
  f.go_on_redis();
  BOOST_TEST(f.pending_becomes(0));
  BOOST_TEST(f.stored() == 6U);
  auto next = f.connection.post(path, callback_body(7));
  BOOST_TEST(f.connection.status(next) == 200);
}

BOOST_AUTO_TEST_CASE(a_body_that_is_not_as_long_as_said_is_refused) {
  Fixture f;
  auto short_one = f.connection.open(path, false, 100);
  f.connection.send(short_one, callback_body(1).substr(0, 50), true);
  BOOST_TEST(f.connection.status(short_one) != 200);
  auto long_one = f.connection.open(path, false, 10);
  f.connection.send(long_one, callback_body(2), true);
  BOOST_TEST(f.connection.status(long_one) != 200);
  auto next = f.connection.post(path, callback_body(3));
  BOOST_TEST(f.connection.status(next) == 200);
  BOOST_TEST(f.stored() == 1U);
}

BOOST_AUTO_TEST_CASE(one_that_is_too_large_is_refused_and_counted) {
  Fixture f;
  const std::string large(100 * 1024 + 1, 'x');
  auto by_length = f.connection.open(path, false, large.size());
  BOOST_TEST(f.connection.status(by_length) == 413);
  auto by_bytes = f.connection.open(path, false);
  f.connection.send(by_bytes, large, true);
  BOOST_TEST(f.connection.status(by_bytes) == 413);
  BOOST_TEST(eventually([&] { return f.number("rejected.size") == 2; }));
  BOOST_TEST(f.stored() == 0U);
}

BOOST_AUTO_TEST_CASE(a_sender_without_room_for_the_answer_holds_nothing_up) {
  Fixture f({.channel = "send_timeout 300ms; cc_channel e9 tokens=e9.tokens;"});
  Http2Connection narrow(f.stack.nginx.h2_socket(), 0);
  auto reset = narrow.post(path, callback_body(1));
  BOOST_TEST(narrow.early_status(reset) == 200);
  narrow.reset(reset);
  auto timed_out = narrow.post(path, callback_body(2));
  BOOST_TEST(narrow.early_status(timed_out) == 200);
  BOOST_TEST(f.pending_becomes(0));
  BOOST_TEST(f.stored() == 2U);
  BOOST_TEST(narrow.status(timed_out) == 0);
  BOOST_TEST(f.number("accepted") == 2);
}

BOOST_AUTO_TEST_CASE(a_quit_answers_the_streams_that_wait) {
  Fixture f;
  f.stop_redis();
  std::vector<std::uint32_t> streams;
  for (unsigned i = 0; i < 20; ++i) streams.push_back(f.connection.post(path, callback_body(i)));
  BOOST_REQUIRE(f.pending_becomes(20));
  f.stack.nginx.quit();
  BOOST_REQUIRE(eventually([&] {
    return f.stack.nginx.error_log().find("gracefully shutting down") != std::string::npos;
  }));
  f.go_on_redis();
  for (auto stream : streams) BOOST_TEST(f.connection.status(stream) == 200);
  f.connection.finish();  // or NGINX lingers for it
  BOOST_TEST(f.stack.nginx.wait_for_end() == 0);
  BOOST_TEST(f.stored() == 20U);
}

BOOST_AUTO_TEST_CASE(worker_shutdown_timeout_ends_streams_while_redis_is_stopped) {
  Fixture f({.main = "worker_shutdown_timeout 200ms;"}, "timeout=30s");
  f.stop_redis();
  for (unsigned i = 0; i < 20; ++i) f.connection.post(path, callback_body(i));
  BOOST_REQUIRE(f.pending_becomes(20));
  f.stack.nginx.quit();
  BOOST_TEST(f.stack.nginx.wait_for_end() == 0);
  f.go_on_redis();
}

BOOST_AUTO_TEST_SUITE_END()
