// Answers of any length: how they are framed, and how a client learns that the end is missing.
#include <atomic>

#include <boost/test/unit_test.hpp>

#include "rig.hpp"

using namespace cc;
using namespace cc::test;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

using Part = std::optional<std::string>;

/// What the server under test answers: some parts, an endless row of them, or a failure.
struct Source {
  std::vector<std::string> parts;
  bool fails = false;                   // behind the parts
  bool endless = false;                 // the last part again and again
  std::optional<std::uint64_t> length;  // said before
  std::optional<milliseconds> within;
  std::atomic<int> asked{0};
};

class StreamRig : public Rig {
 public:
  explicit StreamRig(Config config = make_config()) : Rig(std::move(config)) {
    on_loop([this] {
      server->answer_by([this](const api::Request& request) { return answer(request); });
    });
  }

  Source source;

 private:
  asio::awaitable<api::Answer> answer(const api::Request& request) {
    api::Answer result;
    result.trace.route = "/v1/export.csv";
    result.trace.method = "GET";
    if (request.target == "/plain") {
      result.response.body = "{}";
      co_return result;
    }
    result.response.content_type = "text/csv";
    result.response.body = request.target == "/headless" ? "" : "head\n";
    result.response.length = source.length;
    result.response.within = source.within;
    result.response.more = [this, next = std::make_shared<std::size_t>(
                                      0)]() -> asio::awaitable<Part> { return more(next); };
    co_return result;
  }

  asio::awaitable<Part> more(std::shared_ptr<std::size_t> next) {
    ++source.asked;
    co_await asio::post(loop.get_executor(), asio::use_awaitable);
    if (source.endless) co_return source.parts.back();
    if (*next < source.parts.size()) co_return source.parts[(*next)++];
    if (source.fails) throw std::runtime_error("no more of 13812345678");
    co_return std::nullopt;
  }
};

void wait_until(const std::function<bool()>& condition) {
  for (int i = 0; i < 1000 && !condition(); ++i) std::this_thread::sleep_for(milliseconds(10));
  BOOST_TEST(condition());
}

double cut_answers(StreamRig& rig) {
  double value = 0;
  rig.on_loop([&] { value = rig.metrics.cut_answers.Value(); });
  return value;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(stream_test)

BOOST_AUTO_TEST_CASE(parts_arrive_in_chunks_and_the_connection_stays) {
  StreamRig rig;
  const std::string large(300'000, 'x');
  rig.source.parts = {"a,b\n", "", large, "\r\n0\r\n\r\n", "end"};
  Client client(rig.address);
  for (const std::string path : {"/", "/headless"}) {
    client.send(request_text("GET", path, ""));
    const Reply reply = client.receive();
    BOOST_TEST(reply.status == 200);
    BOOST_TEST(reply.header("transfer-encoding") == "chunked");
    BOOST_TEST(!reply.headers.contains("content-length"));
    BOOST_TEST(reply.header("connection") == "keep-alive");
    const std::string head = path == "/" ? "head\n" : "";
    BOOST_TEST((reply.body == head + "a,b\n" + large + "\r\n0\r\n\r\nend"));
    BOOST_TEST(client.unread() == "");
  }
  client.send(request_text("GET", "/plain", ""));
  BOOST_TEST(client.receive().body == "{}");
  wait_until([&] { return rig.log().size() == 3; });
  const auto log = rig.log();
  BOOST_TEST(log[0].sent == 5 + 4 + large.size() + 7 + 3);
  BOOST_TEST(log[1].sent == log[0].sent - 5);
  BOOST_TEST((log[0].whole && log[1].whole));
}

BOOST_AUTO_TEST_CASE(a_length_that_is_known_is_said_and_kept) {
  StreamRig rig;
  const std::string large(300'000, 'x');
  rig.source.parts = {large, "", "end"};
  rig.source.length = 5 + large.size() + 3;
  Client client(rig.address);
  for (int i = 0; i < 2; ++i) {
    client.send(request_text("GET", "/", ""));
    const Reply reply = client.receive();
    BOOST_TEST(reply.header("content-length") == std::to_string(*rig.source.length));
    BOOST_TEST(!reply.headers.contains("transfer-encoding"));
    BOOST_TEST(reply.header("connection") == "keep-alive");
    BOOST_TEST((reply.body == "head\n" + large + "end"));
    BOOST_TEST(client.unread() == "");
  }
  Client old(rig.address);
  old.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  BOOST_TEST(old.receive().body.size() == *rig.source.length);
  const int asked = rig.source.asked;
  client.send(request_text("HEAD", "/headless", ""));
  BOOST_TEST(client.receive(true).header("content-length") == std::to_string(*rig.source.length));
  client.send(request_text("GET", "/plain", ""));
  BOOST_TEST(client.receive().body == "{}");
  BOOST_TEST(rig.source.asked == asked);
  wait_until([&] { return rig.log().size() == 5; });
  BOOST_TEST(rig.log()[0].sent == *rig.source.length);
  BOOST_TEST(rig.log()[0].whole);
}

BOOST_AUTO_TEST_CASE(one_that_has_another_length_is_cut) {
  for (const std::uint64_t said : {7U, 9U}) {  // of 8 that come
    StreamRig rig;
    rig.source.parts = {"end"};
    rig.source.length = said;
    Client client(rig.address);
    client.send(request_text("GET", "/", ""));
    BOOST_TEST(client.closed_within(seconds(5)));
    const std::string body = client.unread().substr(client.unread().find("\r\n\r\n") + 4);
    BOOST_TEST(body.size() < said);
    wait_until([&] { return rig.log().size() == 1; });
    BOOST_TEST(!rig.log().front().whole);
  }
}

BOOST_AUTO_TEST_CASE(http_1_0_reads_until_the_close) {
  StreamRig rig;
  rig.source.parts = {"one", "two"};
  Client client(rig.address);
  client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  const Reply reply = client.receive();
  BOOST_TEST(!reply.headers.contains("transfer-encoding"));
  BOOST_TEST(!reply.headers.contains("content-length"));
  BOOST_TEST(reply.header("connection") == "close");
  BOOST_TEST(reply.body == "head\nonetwo");
  BOOST_TEST(!client.was_reset());
}

BOOST_AUTO_TEST_CASE(head_gets_headers_and_nothing_is_made) {
  StreamRig rig;
  rig.source.parts = {"one"};
  Client client(rig.address);
  for (int i = 0; i < 2; ++i) {
    client.send(request_text("HEAD", "/", ""));
    const Reply reply = client.receive(true);
    BOOST_TEST(reply.header("transfer-encoding") == "chunked");
    BOOST_TEST(reply.header("content-type") == "text/csv");
  }
  client.send(request_text("GET", "/plain", ""));
  BOOST_TEST(client.receive().body == "{}");
  BOOST_TEST(rig.source.asked == 0);
}

BOOST_AUTO_TEST_CASE(a_failure_in_between_is_seen_by_the_client) {
  StreamRig rig;
  rig.source.parts = {"one"};
  rig.source.fails = true;
  Client client(rig.address);
  client.send(request_text("GET", "/", ""));
  BOOST_TEST(client.closed_within(seconds(5)));
  BOOST_TEST(client.unread().find("0\r\n\r\n") == std::string::npos);
  Client old(rig.address);  // to whom a plain close would look like the end
  old.send("GET / HTTP/1.0\r\n\r\n");
  BOOST_TEST(old.closed_within(seconds(5)));
  BOOST_TEST(old.was_reset());
  wait_until([&] { return rig.log().size() == 2; });
  for (const auto& entry : rig.log()) BOOST_TEST(!entry.whole);
  BOOST_TEST(cut_answers(rig) == 2);
}

BOOST_AUTO_TEST_CASE(who_does_not_read_is_cut_at_the_write_deadline) {
  Config config = make_config();
  config.http.write_timeout = milliseconds(200);
  StreamRig rig(config);
  rig.source.parts = {std::string(1 << 20, 'x')};
  rig.source.endless = true;
  Client deaf(rig.address);
  deaf.send(request_text("GET", "/", ""));
  wait_until([&] { return rig.log().size() == 1; });
  BOOST_TEST(!rig.log().front().whole);
  wait_until([&] { return rig.connections() == 0; });
}

BOOST_AUTO_TEST_CASE(an_answer_whose_time_is_over_is_cut) {
  StreamRig rig;
  rig.source.endless = true;
  rig.source.length = std::uint64_t{1} << 40;
  rig.source.within = milliseconds(200);
  rig.source.parts = {"x"};  // each in time
  Client reader(rig.address);
  reader.send(request_text("GET", "/", ""));
  BOOST_TEST(reader.closed_within(seconds(10)));
  BOOST_TEST(reader.unread().size() > 5U);
  wait_until([&] { return rig.log().size() == 1; });
  rig.on_loop([&] { rig.source.parts = {std::string(1 << 20, 'x')}; });
  Client deaf(rig.address);  // whose one part has 30 s
  deaf.send(request_text("GET", "/", ""));
  wait_until([&] { return rig.log().size() == 2; });
  wait_until([&] { return rig.connections() == 0; });
  for (const auto& entry : rig.log()) BOOST_TEST(!entry.whole);
}

BOOST_AUTO_TEST_CASE(an_answer_in_time_leaves_no_deadline_behind) {
  StreamRig rig;
  rig.source.parts = {"one", "two"};
  rig.source.within = seconds(1);
  Client client(rig.address);
  client.send(request_text("GET", "/", ""));
  BOOST_TEST(client.receive().body == "head\nonetwo");
  BOOST_TEST(!client.closed_within(milliseconds(1500)));
  client.send(request_text("GET", "/plain", ""));
  BOOST_TEST(client.receive().body == "{}");
}

BOOST_AUTO_TEST_CASE(a_client_that_hung_up_is_noticed_though_nothing_is_written) {
  StreamRig rig;
  rig.source.parts = {""};
  rig.source.endless = true;
  {
    Client client(rig.address);
    client.send(request_text("GET", "/", ""));
    wait_until([&] { return rig.source.asked > 3; });
  }
  wait_until([&] { return rig.connections() == 0; });
  BOOST_REQUIRE(rig.log().size() == 1U);
  BOOST_TEST(!rig.log().front().whole);
}

BOOST_AUTO_TEST_CASE(a_drain_waits_for_a_stream_but_not_for_ever) {
  StreamRig rig;
  rig.source.parts = {"one\n"};
  rig.source.endless = true;
  Client client(rig.address);
  client.send(request_text("GET", "/", ""));
  wait_until([&] { return rig.source.asked > 3; });
  rig.drain(milliseconds(200)).get();
  BOOST_TEST(client.closed_within(seconds(30)));
  BOOST_TEST(client.unread().find("\r\n0\r\n\r\n") == std::string::npos);
  wait_until([&] { return rig.log().size() == 1; });
  BOOST_TEST(!rig.log().front().whole);
}

BOOST_AUTO_TEST_CASE(a_stream_that_ends_while_draining_is_whole) {
  StreamRig rig;
  rig.source.parts = {"one\n"};
  rig.source.endless = true;
  Client client(rig.address);
  client.send(request_text("GET", "/", ""));
  wait_until([&] { return rig.source.asked > 3; });
  auto drained = rig.drain(seconds(60));
  rig.on_loop([&] { rig.source.endless = false; });
  const Reply reply = client.receive();
  BOOST_TEST(reply.body.starts_with("head\none\none\n"));
  BOOST_TEST(client.closed_within(seconds(5)));
  drained.get();
  BOOST_TEST(rig.log().front().whole);
}

BOOST_AUTO_TEST_SUITE_END()
