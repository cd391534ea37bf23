#include "api/peer.hpp"

#include <boost/test/unit_test.hpp>

#include "api/origin.hpp"

using namespace cc;
using namespace cc::api;

namespace {

const Peer local{std::nullopt, true};

Peer from(const char* address) {
  return {parse_address(address), false};
}

std::string client(const Peer& peer, const std::vector<std::string>& forwarded,
                   const std::vector<std::string>& trusted = {}) {
  Request request;
  for (const std::string& value : forwarded) request.headers.emplace_back("x-forwarded-for", value);
  std::vector<Network> networks;
  for (const std::string& text : trusted) networks.push_back(*parse_network(text));
  return client_of(peer, request, networks);
}

std::string origin(const Peer& peer, Headers headers, const std::string& public_url = {}) {
  Request request;
  request.headers = std::move(headers);
  return origin_of(peer, request, {*parse_network("10.0.0.0/8")}, public_url);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(peer_test)

BOOST_AUTO_TEST_CASE(a_stranger_is_who_he_is_whatever_he_says) {
  BOOST_TEST(client(from("203.0.113.7"), {}) == "203.0.113.7");
  BOOST_TEST(client(from("203.0.113.7"), {"10.0.0.1"}) == "203.0.113.7");
  BOOST_TEST(client(from("203.0.113.7"), {"rubbish"}, {"10.0.0.0/8"}) == "203.0.113.7");
  BOOST_TEST(client(from("2001:db8::1"), {}) == "2001:db8::1");
  BOOST_TEST(client(from("::ffff:203.0.113.7"), {}) == "203.0.113.7");
  BOOST_TEST(client(from("::1"), {}) == "::1");
  BOOST_TEST(client({}, {"10.0.0.1"}) == "");
}

BOOST_AUTO_TEST_CASE(a_proxy_is_believed_from_the_end_on) {
  BOOST_TEST(client(local, {}) == "");
  BOOST_TEST(client(local, {"203.0.113.7"}) == "203.0.113.7");
  BOOST_TEST(client(local, {"198.51.100.9, 203.0.113.7"}) == "203.0.113.7");
  BOOST_TEST(client(local, {"198.51.100.9", "203.0.113.7"}) == "203.0.113.7");
  BOOST_TEST(client(local, {" 2001:DB8::7 "}) == "2001:db8::7");
  const std::vector<std::string> trusted{"10.0.0.0/8", "fd00::/8"};
  BOOST_TEST(client(local, {"203.0.113.7, 10.0.0.1"}, trusted) == "203.0.113.7");
  BOOST_TEST(client(from("10.0.0.2"), {"203.0.113.7, 10.0.0.1"}, trusted) == "203.0.113.7");
  BOOST_TEST(client(from("10.0.0.2"), {"6.6.6.6,203.0.113.7", "fd00::1"}, trusted) ==
             "203.0.113.7");
  BOOST_TEST(client(from("10.0.0.2"), {"10.0.0.3"}, trusted) == "10.0.0.3");
  BOOST_TEST(client(from("10.0.0.2"), {}, trusted) == "10.0.0.2");
}

BOOST_AUTO_TEST_CASE(rubbish_makes_it_unknown) {
  for (const char* text : {"", ",", "unknown", "1.2.3", "1.2.3.4:80", "[::1]", "13812345678",
                           "203.0.113.7,", "203.0.113.7;", "203.0.113.7 x", "1.2.3.4\t5"}) {
    BOOST_TEST(client(local, {text}) == "", text);
  }
  BOOST_TEST(client(local, {"203.0.113.7,rubbish,10.0.0.1"}, {"10.0.0.0/8"}) == "");
  BOOST_TEST(client(local, {std::string(10'000, '1')}) == "");
  BOOST_TEST(client(local, {std::string("203.0.113.7\0x", 13)}) == "");
}

BOOST_AUTO_TEST_CASE(a_chain_without_end_makes_it_unknown) {
  std::string chain = "203.0.113.7";
  for (int i = 0; i < 31; ++i) chain += ",10.0.0.1";
  BOOST_TEST(client(local, {chain}, {"10.0.0.0/8"}) == "203.0.113.7");
  BOOST_TEST(client(local, {chain + ",10.0.0.1"}, {"10.0.0.0/8"}) == "");
}

BOOST_AUTO_TEST_CASE(we_are_reached_by_the_name_that_a_client_knows) {
  const Peer stranger = from("203.0.113.7");
  const auto by = [&](const char* host) { return origin(stranger, {{"host", host}}); };
  BOOST_TEST(by("cc.example.com") == "http://cc.example.com");
  BOOST_TEST(by("cc.example.com:8443") == "http://cc.example.com:8443");
  BOOST_TEST(by("cc.example.com:80") == "http://cc.example.com");
  BOOST_TEST(by("127.0.0.1:8180") == "http://127.0.0.1:8180");
  BOOST_TEST(by("[::1]:8180") == "http://[::1]:8180");
  BOOST_TEST(by("cc_1") == "http://cc_1");
  BOOST_TEST(origin(stranger, {{"host", "cc"}}, "https://cc.example.com/") ==
             "https://cc.example.com");
}

BOOST_AUTO_TEST_CASE(what_is_no_host_is_not_repeated) {
  for (const char* host :
       {"",        "a b",  "a/b",  "a@b",  "a?b",     "a#b",  "a\"b",        "a:",  "a:0",
        "a:65536", "a:-1", "a:8x", ":80",  "a:80:80", "[::1", "::1",         "[x]", "[1.2.3.4]",
        "[::1]x",  ".a",   "-a",   "a\\b", "a,b",     "a%41", "\xE4\xBD\xA0"}) {
    BOOST_TEST(origin(local, {{"host", host}}) == "", host);
  }
  BOOST_TEST(origin(local, {{"host", std::string(256, 'a')}}) == "");
  BOOST_TEST(origin(local, {{"host", "a"}, {"host", "b"}}) == "");
  BOOST_TEST(origin(local, {}) == "");
}

BOOST_AUTO_TEST_CASE(only_a_proxy_knows_of_https) {
  const auto by = [](const Peer& peer, const char* scheme) {
    return origin(peer, {{"host", "cc:443"}, {"x-forwarded-proto", scheme}});
  };
  BOOST_TEST(by(local, "https") == "https://cc");
  BOOST_TEST(by(from("10.0.0.1"), "https") == "https://cc");
  BOOST_TEST(by(from("203.0.113.7"), "https") == "http://cc:443");
  BOOST_TEST(by({}, "https") == "http://cc:443");
  BOOST_TEST(by(local, "http") == "http://cc:443");
  BOOST_TEST(by(local, "javascript") == "http://cc:443");
  BOOST_TEST(origin(local, {{"host", "cc"},
                            {"x-forwarded-proto", "https"},
                            {"x-forwarded-proto", "http"}}) == "http://cc");
}

BOOST_AUTO_TEST_SUITE_END()
