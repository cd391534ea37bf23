#include "api/peer.hpp"

#include <boost/test/unit_test.hpp>

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

BOOST_AUTO_TEST_SUITE_END()
