#include <random>
#include <unistd.h>

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
  client.send("POST /v1/calls HTTP/1.1\r\nHost: cc\r\nContent-Type: application/json\r\n" + key +
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
  body.send("POST /v1/calls HTTP/1.1\r\nHost: cc\r\n" + key +
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
    client.send("POST /v1/calls HTTP/1.1\r\nHost: cc\r\nContent-Type: application/json\r\n" + key +
                "Transfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 70; ++i) client.send("400\r\n" + std::string(1024, ' ') + "\r\n");
    BOOST_TEST(client.receive().status == 413);
  }
  reply = rig.ask("GET", "/healthz", "", {}, "X-Long: " + std::string(17'000, 'a') + "\r\n");
  BOOST_TEST(reply.status == 431);
  BOOST_TEST(reply.problem() == "header-too-large");
  BOOST_TEST(rig.ask("GET", "/" + std::string(8'000, 'a'), "").status == 404);
  for (const std::size_t size : {8'200UL, 15'000UL, 17'000UL, 200'000UL}) {
    reply = rig.ask("GET", "/" + std::string(size, 'a'), "");
    BOOST_TEST(reply.status == 414, size);
    BOOST_TEST(reply.problem() == "target-too-long");
    BOOST_TEST(reply.header("connection") == "close");
  }
  // Each below its own limit, together above it.
  const std::string half = "X-Half: " + std::string(5'000, 'a') + "\r\n";
  BOOST_TEST(rig.ask("GET", "/" + std::string(7'000, 'a'), "", {}, half + half).status == 431);
  std::string many;
  for (int i = 0; i < 99; ++i) many += "X-" + std::to_string(i) + ": 1\r\n";  // and Host
  BOOST_TEST(rig.ask("GET", "/healthz", "", {}, many).status == 200);
  BOOST_TEST(rig.ask("GET", "/healthz", "", {}, many + "X-Last: 1\r\n").status == 431);
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
           std::string(
               "POST /v1/calls HTTP/1.1\r\nHost: cc\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"),
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

BOOST_AUTO_TEST_CASE(where_a_body_ends_is_said_once) {
  Rig rig;
  const std::string begin = "POST /v1/calls HTTP/1.1\r\nHost: cc\r\n";
  // What follows would be a request of its own to whoever reads the length in another way.
  const std::string rest = "0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: cc\r\n\r\n";
  for (const std::string& headers : {
           std::string("Content-Length: 5\r\nContent-Length: 5"),
           std::string("Content-Length: 5, 5"),
           std::string("Content-Length: 5,6"),
           std::string("Content-Length: +5"),
           std::string("Content-Length: -5"),
           std::string("Content-Length: 0x5"),
           std::string("Content-Length: 5 5"),
           std::string("Content-Length: "),
           std::string("Content-Length: 99999999999999999999999"),
           std::string("Content-Length : 5"),
           std::string("Content-Length: 5\r\nTransfer-Encoding: chunked"),
           std::string("Transfer-Encoding: chunked\r\nContent-Length: 5"),
           std::string("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
           std::string("Transfer-Encoding: chunked, chunked"),
           std::string("Transfer-Encoding: gzip, chunked"),
           std::string("Transfer-Encoding: chunked, identity"),
           std::string("Transfer-Encoding: identity"),
           std::string("Transfer-Encoding: xchunked"),
           std::string("Transfer-Encoding: \"chunked\""),
           std::string("Transfer-Encoding:\x0b"
                       "chunked"),
           std::string("Transfer-Encoding : chunked"),
           std::string("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked"),
           std::string("Transfer-Encoding:\r\n chunked, gzip"),
           std::string("X: y\nContent-Length: 5"),
           std::string("Host: dd"),
       }) {
    BOOST_TEST_CONTEXT(headers) {
      Client client(rig.address);
      client.send(begin + headers + "\r\n\r\n" + rest);
      const Reply reply = client.receive();
      BOOST_TEST(reply.status == 400, headers);
      BOOST_TEST(reply.problem() == "malformed-request");
      BOOST_TEST(client.closed_within(seconds(5)));
      BOOST_TEST(client.unread() == "", headers);
    }
  }
  for (const std::string& text :
       {std::string("POST /v1/calls HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n") + rest,
        begin + "Transfer-Encoding: chunked\r\n\r\n-1\r\n",
        begin + "Transfer-Encoding: chunked\r\n\r\n0x1\r\n\r\n",
        begin + "Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n",
        begin + "Transfer-Encoding: chunked\r\n\r\n1\r\nxx\r\n0\r\n\r\n"}) {
    Client client(rig.address);
    client.send(text);
    BOOST_TEST(client.receive().status == 400, text);
    BOOST_TEST(client.closed_within(seconds(5)));
    BOOST_TEST(client.unread() == "", text);
  }
  BOOST_TEST(rig.calls.created().empty());
}

BOOST_AUTO_TEST_CASE(trailers_are_no_headers) {
  Rig rig;
  Client client(rig.address);
  client.send(
      "POST /v1/calls HTTP/1.1\r\nHost: cc\r\nContent-Type: application/json\r\n"
      "Transfer-Encoding: chunked\r\n\r\n18\r\n{\"called\":\"13812345678\"}\r\n"
      "0\r\n" +
      key + "\r\n");
  BOOST_TEST(client.receive().status == 401);
  BOOST_TEST(rig.calls.created().empty());
}

BOOST_AUTO_TEST_CASE(http_1_1_names_its_host) {
  Rig rig;
  Client client(rig.address);
  client.send("GET /healthz HTTP/1.1\r\n\r\n");
  BOOST_TEST(client.receive().status == 400);
  for (const std::string text :
       {"GET http://cc.example.com/healthz HTTP/1.1\r\nHost: cc\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost:\r\n\r\n", "GET /healthz HTTP/1.0\r\n\r\n"}) {
    Client other(rig.address);
    other.send(text);
    BOOST_TEST(other.receive().status == 200, text);
  }
}

BOOST_AUTO_TEST_CASE(methods_that_a_path_does_not_know_are_told_which_it_knows) {
  Rig rig;
  rig.calls.put(make_record(FakeCalls::first_id));
  const std::string call = "/v1/calls/" + std::to_string(FakeCalls::first_id);
  Reply reply = rig.ask("DELETE", call);
  BOOST_TEST(reply.status == 405);
  BOOST_TEST(reply.problem() == "method-not-allowed");
  BOOST_TEST(reply.header("allow") == "GET, HEAD, OPTIONS");
  for (const std::string method : {"TRACE", "PROPFIND", "get", "PURGE", "M-SEARCH"}) {
    BOOST_TEST(rig.ask(method, call).status == 405, method);
  }
  for (const std::string method : {"GET", "POST", "DELETE", "OPTIONS", "TRACE"}) {
    BOOST_TEST(rig.ask(method, "/v1/nothing").status == 404, method);
  }
  reply = rig.ask("OPTIONS", call, "");
  BOOST_TEST(reply.status == 204);
  BOOST_TEST(reply.header("allow") == "GET, HEAD, OPTIONS");
  BOOST_TEST(!reply.headers.contains("content-length"));
  reply = rig.ask("OPTIONS", "*", "");
  BOOST_TEST(reply.status == 204);
  BOOST_TEST(rig.ask("CONNECT", "cc:443", "").status == 400);
}

BOOST_AUTO_TEST_CASE(head_is_get_without_the_body) {
  Rig rig;
  rig.calls.put(make_record(FakeCalls::first_id));
  const std::string call = "/v1/calls/" + std::to_string(FakeCalls::first_id);
  for (const std::string& path :
       {call, call + "/events", std::string("/healthz"), std::string("/readyz"),
        std::string("/metrics"), std::string("/v1/calls/1"), std::string("/nowhere")}) {
    Client client(rig.address);
    client.send(request_text("GET", path, key));
    const Reply get = client.receive();
    client.send(request_text("HEAD", path, key));
    const Reply head = client.receive(true);
    BOOST_TEST(head.status == get.status, path);
    BOOST_TEST(head.header("content-type") == get.header("content-type"));
    // /metrics counts itself, so its length differs.
    if (path != "/metrics") {
      BOOST_TEST(head.header("content-length") == get.header("content-length"), path);
    }
    client.send(request_text("GET", "/healthz", ""));
    BOOST_TEST(client.receive().status == 200, path);
  }
  BOOST_TEST(rig.ask("HEAD", "/v1/calls").status == 405);
}

BOOST_AUTO_TEST_CASE(bodies_are_json_as_they_are) {
  Rig rig;
  for (const std::string type :
       {"text/plain", "application/x-www-form-urlencoded", "application/jsonp", "application",
        "application/json; charset=gbk", "multipart/form-data"}) {
    const Reply reply = rig.post(good_body, "Content-Type: " + type + "\r\n");
    BOOST_TEST(reply.status == 415, type);
    BOOST_TEST(reply.problem() == "unsupported-media-type");
    BOOST_TEST(reply.header("connection") == "keep-alive");
  }
  BOOST_TEST(rig.post(good_body, "Content-Encoding: gzip\r\n").status == 415);
  BOOST_TEST(rig.post(good_body, "Content-Type: Application/JSON;charset=\"UTF-8\"\r\n").status ==
             202);
}

BOOST_AUTO_TEST_CASE(many_slow_clients_hold_nobody_up) {
  Config config = make_config();
  config.http.header_timeout = config.http.body_timeout = seconds(2);
  Rig rig(config);
  std::vector<std::unique_ptr<Client>> slow;
  const std::string begun = "POST /v1/calls HTTP/1.1\r\nHost: cc\r\nContent-Length: 100\r\n\r\n{";
  for (std::size_t i = 0; i < 300; ++i) {
    slow.push_back(std::make_unique<Client>(rig.address));
    slow.back()->send(std::string_view(begun).substr(0, i % 2 == 0 ? begun.size() : i % 60));
  }
  BOOST_TEST(rig.post(good_body).status == 202);
  // Bytes that trickle in keep none of them alive.
  for (std::size_t round = 0; rig.connections() > 0; ++round) {
    BOOST_REQUIRE(round < 1000);
    for (const auto& client : slow) client->try_send("a");
    BOOST_TEST(rig.ask("GET", "/healthz", "").status == 200);
    std::this_thread::sleep_for(milliseconds(20));
  }
  std::size_t told = 0;
  for (const auto& client : slow) {
    client->closed_within(seconds(5));
    told += client->unread().starts_with("HTTP/1.1 408") ? 1U : 0U;
  }
  BOOST_TEST(told > 0U);
}

BOOST_AUTO_TEST_CASE(who_is_asking_is_known_to_routes) {
  Config config = make_config();
  config.http.trusted_proxies = {"127.0.0.0/8"};
  const std::string path = "/tmp/cc-peer-" + std::to_string(::getpid()) + ".sock";
  config.http.listen = {"127.0.0.1:0", "unix:" + path};
  Rig rig(config);
  rig.on_loop([&] {
    rig.server->answer_by([](const api::Request& request) -> asio::awaitable<api::Answer> {
      api::Answer answer;
      answer.response.body = request.peer;
      co_return answer;
    });
  });
  const auto peer = [&](const std::string& address, const std::string& headers) {
    Client client(address);
    client.send(request_text("GET", "/", headers));
    return client.receive().body;
  };
  const std::string proxied = "X-Forwarded-For: 6.6.6.6, 203.0.113.7\r\n";
  BOOST_TEST(peer(rig.address, "") == "127.0.0.1");
  BOOST_TEST(peer(rig.address, proxied) == "203.0.113.7");
  BOOST_TEST(peer("unix:" + path, "") == "");
  BOOST_TEST(peer("unix:" + path, proxied) == "203.0.113.7");
  BOOST_TEST(peer("unix:" + path, "X-Forwarded-For: rubbish\r\n") == "");
  config.http.trusted_proxies.clear();
  rig.on_loop([&] { rig.server->reconfigure(config); });
  BOOST_TEST(peer(rig.address, proxied) == "127.0.0.1");
}

BOOST_AUTO_TEST_CASE(who_asks_may_go_on_is_told) {
  Rig rig;
  Client client(rig.address);
  client.send("POST /v1/calls HTTP/1.1\r\nHost: cc\r\nContent-Type: application/json\r\n" + key +
              "Expect: 100-continue\r\nContent-Length: " + std::to_string(good_body.size()) +
              "\r\n\r\n");
  BOOST_TEST(client.receive().status == 100);
  client.send(good_body);
  BOOST_TEST(client.receive().status == 202);
  client.send(
      "POST /v1/calls HTTP/1.1\r\nHost: cc\r\nExpect: 100-continue\r\nContent-Length: "
      "70000\r\n\r\n");
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
  rig.ask("GET", "/healthz", "", {}, "Request-Id: 13812345678\r\n");
  rig.ask("GET", "/" + std::string(9'000, 'a'), "", {}, "Request-Id: order-8613812345678\r\n");
  for (int i = 0; i < 100 && rig.log().size() < 6; ++i) {
    std::this_thread::sleep_for(milliseconds(10));
  }
  const auto log = rig.log();
  BOOST_REQUIRE(log.size() == 6U);
  BOOST_TEST(log[0].request_id == "seen");
  BOOST_TEST(log[0].method == "POST");
  BOOST_TEST(log[0].route == "/v1/calls");
  BOOST_TEST(log[0].tenant == "acme");
  BOOST_TEST(log[0].key == "full");
  BOOST_TEST(log[0].call == std::to_string(FakeCalls::first_id));
  BOOST_TEST(log[0].status == 202U);
  BOOST_TEST(log[0].received == good_body.size());
  BOOST_TEST(log[0].problem == "");
  BOOST_TEST(log[1].problem == "invalid-request");
  BOOST_TEST(log[2].route == "unmatched");
  BOOST_TEST(log[2].problem == "not-found");
  BOOST_TEST(log[5].route == "unreadable");
  BOOST_TEST(log[5].problem == "target-too-long");
  for (const auto& entry : log) {
    for (const std::string& field :
         {entry.request_id, entry.method, entry.route, entry.tenant, entry.key, entry.call}) {
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
