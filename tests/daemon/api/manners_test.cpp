#include <random>

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

#include "rig.hpp"

using namespace cc;
using namespace cc::test;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

const std::string key = "Authorization: Bearer full-key\r\n";

Config hasty() {
  Config config = make_config();
  config.http.header_timeout = milliseconds(300);
  config.http.body_timeout = milliseconds(300);
  config.http.idle_timeout = milliseconds(300);
  return config;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(manners_test)

BOOST_AUTO_TEST_CASE(connections_are_kept_and_closed_as_asked) {
  Rig rig;
  Client client(rig.address);
  for (int i = 0; i < 5; ++i) {
    client.send(request_text("GET", "/healthz", ""));
    const Reply reply = client.receive();
    BOOST_TEST(reply.header("connection") == "keep-alive");
  }
  client.send(request_text("GET", "/healthz", "Connection: close\r\n"));
  BOOST_TEST(client.receive().header("connection") == "close");
  BOOST_TEST(client.closed_within(seconds(3)));
  Client old(rig.address);
  old.send("GET /healthz HTTP/1.0\r\n\r\n");
  BOOST_TEST(old.receive().header("connection") == "close");
  BOOST_TEST(old.closed_within(seconds(3)));
  Client kept(rig.address);
  for (int i = 0; i < 2; ++i) {
    kept.send("GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    BOOST_TEST(kept.receive().header("connection") == "keep-alive");
  }
}

BOOST_AUTO_TEST_CASE(pipelined_requests_are_answered_in_order) {
  Rig rig;
  Client client(rig.address);
  std::string text;
  for (int i = 0; i < 60; ++i) {
    const std::string id = "Request-Id: r" + std::to_string(i) + "\r\n";
    text += i % 3 == 0   ? request_text("POST", "/v1/calls", key + id, good_body)
            : i % 3 == 1 ? request_text("GET", "/healthz", id)
                         : request_text("HEAD", "/nowhere", id);
  }
  client.send(text);
  for (int i = 0; i < 60; ++i) {
    const Reply reply = client.receive(i % 3 == 2);
    BOOST_TEST(reply.header("request-id") == "r" + std::to_string(i));
    BOOST_TEST(reply.status == (i % 3 == 0 ? 202 : i % 3 == 1 ? 200 : 404));
  }
  BOOST_TEST(client.unread() == "");
  BOOST_TEST(rig.calls.created().size() == 20U);
}

BOOST_AUTO_TEST_CASE(bytes_may_come_one_by_one) {
  Rig rig;
  Client client(rig.address);
  const std::string text = request_text("POST", "/v1/calls", key, good_body);
  for (int i = 0; i < 2; ++i) {
    for (const char c : text) client.send({&c, 1});
    BOOST_TEST(client.receive().status == 202);
  }
  // …and in chunks
  client.send("POST /v1/calls HTTP/1.1\r\nContent-Type: application/json\r\n" + key +
              "Transfer-Encoding: chunked\r\n\r\n");
  client.send("1\r\n{\r\n");
  client.send("16;x=y\r\n\"called\":\"13812345678\"\r\n1\r\n}\r\n0\r\n\r\n");
  BOOST_TEST(client.receive().status == 202);
  BOOST_TEST(rig.calls.created().size() == 3U);
}

BOOST_AUTO_TEST_CASE(who_is_slow_hears_408_and_who_idles_nothing) {
  Rig rig(hasty());
  Client header(rig.address), body(rig.address), idle(rig.address), silent(rig.address);
  header.send("GET /healthz HTTP/1.1\r\nHost:");
  body.send("POST /v1/calls HTTP/1.1\r\n" + key +
            "Content-Type: application/json\r\nContent-Length: 50\r\n\r\n{");
  idle.send(request_text("GET", "/healthz", ""));
  BOOST_TEST(idle.receive().status == 200);
  for (Client* slow : {&header, &body}) {
    const Reply reply = slow->receive();
    BOOST_TEST(reply.status == 408);
    BOOST_TEST(reply.problem() == "request-timeout");
    BOOST_TEST(reply.header("connection") == "close");
    BOOST_TEST(slow->closed_within(seconds(3)));
  }
  BOOST_TEST(idle.closed_within(seconds(3)));
  BOOST_TEST(idle.unread() == "");
  BOOST_TEST(silent.closed_within(seconds(3)));
  BOOST_TEST(silent.unread() == "");
}

BOOST_AUTO_TEST_CASE(a_trickle_does_not_extend_the_deadline) {
  Rig rig(hasty());
  Client client(rig.address);
  client.send("GET /healthz HTTP/1.1\r\nX: ");
  const auto begun = std::chrono::steady_clock::now();
  while (!client.readable_within(milliseconds(50))) {
    client.send("a");
    BOOST_REQUIRE((std::chrono::steady_clock::now() - begun < seconds(5)));
  }
  BOOST_TEST(client.receive().status == 408);
}

BOOST_AUTO_TEST_CASE(a_long_answer_is_no_slow_request) {
  Rig rig(hasty());
  rig.calls.put(make_record(FakeCalls::first_id));
  const std::string path = "/v1/calls/" + std::to_string(FakeCalls::first_id);
  BOOST_TEST(rig.ask("GET", path + "?version=1&wait=1").status == 200);
}

BOOST_AUTO_TEST_CASE(what_is_too_large_is_refused_and_the_answer_arrives) {
  Rig rig;
  const std::string huge(70'000, ' ');
  Reply reply = rig.post(huge + good_body);
  BOOST_TEST(reply.status == 413);
  BOOST_TEST(reply.problem() == "body-too-large");
  BOOST_TEST(reply.header("connection") == "close");
  // Far larger than any buffer on the way: the answer must survive the unread rest.
  BOOST_TEST(rig.post(std::string(3 << 20, ' ')).status == 413);
  {
    Client client(rig.address);
    client.send("POST /v1/calls HTTP/1.1\r\nContent-Type: application/json\r\n" + key +
                "Transfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 70; ++i) client.send("400\r\n" + std::string(1024, ' ') + "\r\n");
    BOOST_TEST(client.receive().status == 413);
  }
  reply = rig.ask("GET", "/healthz", "", {}, "X-Long: " + std::string(17'000, 'a') + "\r\n");
  BOOST_TEST(reply.status == 431);
  BOOST_TEST(reply.problem() == "header-too-large");
  BOOST_TEST(rig.ask("GET", "/" + std::string(200'000, 'a'), "").status == 431);
  BOOST_TEST(rig.ask("GET", "/" + std::string(8'000, 'a'), "").status == 404);
  BOOST_TEST(rig.post(std::string(65'000, ' ') + good_body).status == 202);
}

BOOST_AUTO_TEST_CASE(what_is_no_http_is_told_so) {
  Rig rig;
  for (const std::string& text : {
           std::string("garbage\r\n\r\n"),
           std::string("GET /healthz HTTP/1.1\r\nno colon\r\n\r\n"),
           std::string("GET /healthz HTTP/9.9\r\n\r\n"),
           std::string("GET /heal thz HTTP/1.1\r\n\r\n"),
           std::string("GET /healthz HTTP/1.1\r\nA: \x01\r\n\r\n"),
           std::string("POST /v1/calls HTTP/1.1\r\nContent-Length: x\r\n\r\n"),
           std::string("POST /v1/calls HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"),
           std::string("POST /v1/calls HTTP/1.1\r\nContent-Length: 5\r\n"
                       "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
           std::string("POST /v1/calls HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"),
           std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 TLS\r\n\r\n", 19),
       }) {
    Client client(rig.address);
    client.send(text);
    const Reply reply = client.receive();
    BOOST_TEST(reply.status == 400, text);
    BOOST_TEST(reply.problem() == "malformed-request");
    BOOST_TEST(client.closed_within(seconds(3)));
  }
  Client client(rig.address);
  client.send(request_text("GET", "/healthz", "Expect: a-miracle\r\n"));
  BOOST_TEST(client.receive().problem() == "expectation-failed");
  BOOST_TEST(rig.ask("GET", "/healthz", "").status == 200);
}

BOOST_AUTO_TEST_CASE(who_asks_may_go_on_is_told) {
  Rig rig;
  Client client(rig.address);
  client.send("POST /v1/calls HTTP/1.1\r\nContent-Type: application/json\r\n" + key +
              "Expect: 100-continue\r\nContent-Length: " + std::to_string(good_body.size()) +
              "\r\n\r\n");
  BOOST_TEST(client.receive().status == 100);
  client.send(good_body);
  BOOST_TEST(client.receive().status == 202);
  client.send("POST /v1/calls HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 70000\r\n\r\n");
  BOOST_TEST(client.receive().status == 413);
}

BOOST_AUTO_TEST_CASE(too_many_connections_are_told_so) {
  Config config = make_config();
  config.http.max_connections = 3;
  Rig rig(config);
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(std::make_unique<Client>(rig.address));
    clients.back()->send(request_text("GET", "/healthz", ""));
    BOOST_TEST(clients.back()->receive().status == 200);
  }
  {
    Client extra(rig.address);
    const Reply reply = extra.receive();
    BOOST_TEST(reply.status == 503);
    BOOST_TEST(reply.problem() == "overloaded");
    BOOST_TEST(reply.headers.contains("retry-after"));
  }
  clients.clear();
  for (int i = 0; i < 300 && rig.connections() > 0; ++i) {
    std::this_thread::sleep_for(milliseconds(10));
  }
  BOOST_TEST(rig.ask("GET", "/healthz", "").status == 200);
}

BOOST_AUTO_TEST_CASE(the_access_log_holds_no_number_no_query_and_no_key) {
  Rig rig;
  rig.post(good_body, "Request-Id: seen\r\n");
  rig.ask("GET", "/v1/calls/13812345678?version=1&x=13812345678", "reader");
  rig.ask("GET", "/13812345678", "");
  rig.ask("13812345678", "/v1/calls", "");
  for (int i = 0; i < 100 && rig.log().size() < 4; ++i) {
    std::this_thread::sleep_for(milliseconds(10));
  }
  const auto log = rig.log();
  BOOST_REQUIRE(log.size() == 4U);
  BOOST_TEST(log[0].request_id == "seen");
  BOOST_TEST(log[0].method == "POST");
  BOOST_TEST(log[0].route == "/v1/calls");
  BOOST_TEST(log[0].tenant == "acme");
  BOOST_TEST(log[0].key == "full");
  BOOST_TEST(log[0].call == std::to_string(FakeCalls::first_id));
  BOOST_TEST(log[0].status == 202U);
  BOOST_TEST(log[0].received == good_body.size());
  BOOST_TEST(log[2].route == "unmatched");
  for (const auto& entry : log) {
    for (const std::string& field :
         {entry.method, entry.route, entry.tenant, entry.key, entry.call}) {
      BOOST_TEST(field.find("13812345678") == std::string::npos);
      BOOST_TEST(field.find("-key") == std::string::npos);
      BOOST_TEST(field.find('?') == std::string::npos);
    }
  }
}

BOOST_AUTO_TEST_CASE(damaged_requests_never_break_anything) {
  Config config = make_config();
  config.http.header_timeout = config.http.body_timeout = milliseconds(100);
  Rig rig(config);
  rig.calls.put(make_record(FakeCalls::first_id));
  const std::vector<std::string> good{
      request_text("POST", "/v1/calls", key + "Idempotency-Key: k\r\nPrefer: wait=0\r\n",
                   good_body),
      request_text("GET", "/v1/calls/" + std::to_string(FakeCalls::first_id) + "?version=0&wait=0",
                   key),
      request_text("HEAD", "/readyz", ""),
  };
  std::mt19937 random(20261122);  // NOLINT(cert-msc51-cpp): the same each time
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random()) % n; };
  for (int round = 0; round < 600; ++round) {
    std::string text = good[below(good.size())];
    for (std::size_t n = 1 + below(4); n > 0; --n) {
      const std::size_t at = below(text.size());
      switch (below(4)) {
        case 0:
          text[at] = static_cast<char>(random());
          break;
        case 1:
          text.erase(at, 1 + below(9));
          break;
        case 2:
          text.insert(at, text.substr(below(text.size()), below(30)));
          break;
        default:
          text.insert(at, 1, "\r\n\0 :%\"{"[below(8)]);
          break;
      }
    }
    Client client(rig.address);
    client.send(text);
    if (!client.closed_within(milliseconds(1 + below(3)))) continue;
    const std::string& answer = client.unread();
    BOOST_TEST(answer.find("HTTP/1.1 5") == std::string::npos, text);
  }
  BOOST_TEST(rig.ask("GET", "/healthz", "").status == 200);
  for (int i = 0; i < 300 && rig.connections() > 0; ++i) {
    std::this_thread::sleep_for(milliseconds(10));
  }
  BOOST_TEST(rig.connections() == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
