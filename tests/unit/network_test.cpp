#include "network.hpp"

#include <boost/test/unit_test.hpp>

using namespace cc;

namespace {

bool contains(std::string_view network, std::string_view address) {
  const auto parsed = parse_network(network);
  const auto ip = parse_address(address);
  BOOST_REQUIRE(parsed);
  BOOST_REQUIRE(ip);
  return parsed->contains(*ip);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(network_test)

BOOST_AUTO_TEST_CASE(an_address_is_in_its_networks) {
  BOOST_TEST(contains("203.0.113.0/24", "203.0.113.255"));
  BOOST_TEST(!contains("203.0.113.0/24", "203.0.114.0"));
  BOOST_TEST(contains("203.0.113.8/29", "203.0.113.15"));
  BOOST_TEST(!contains("203.0.113.8/29", "203.0.113.16"));
  BOOST_TEST(contains("203.0.113.7", "203.0.113.7"));
  BOOST_TEST(!contains("203.0.113.7", "203.0.113.6"));
  BOOST_TEST(contains("0.0.0.0/0", "1.2.3.4"));
  BOOST_TEST(!contains("0.0.0.0/0", "2001:db8::1"));
  BOOST_TEST(contains("2001:db8::/32", "2001:db8:ffff::1"));
  BOOST_TEST(!contains("2001:db8::/32", "2001:db9::1"));
  BOOST_TEST(contains("::/0", "1.2.3.4"));
}

BOOST_AUTO_TEST_CASE(a_mapped_address_is_the_ipv4_one) {
  BOOST_TEST(contains("203.0.113.0/24", "::ffff:203.0.113.9"));
  BOOST_TEST(contains("::ffff:203.0.113.0/120", "203.0.113.9"));
}

BOOST_AUTO_TEST_CASE(what_is_no_address_is_none) {
  for (std::string_view text :
       {"", "unix:", "localhost", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.4 ", "01.2.3.4x",
        ":::", "2001:db8::1%eth0", "1.2.3.4:80", "0000:0000:0000:0000:0000:0000:0000:0000:0000"}) {
    BOOST_TEST(!parse_address(text), text);
  }
}

BOOST_AUTO_TEST_CASE(what_is_no_network_is_named) {
  for (std::string_view text : {"", "x/24", "1.2.3.4/", "1.2.3.4/33", "1.2.3.4/-1", "1.2.3.4/24",
                                "2001:db8::/129", "2001:db8::1/32", "1.2.3.0/24/24"}) {
    const auto network = parse_network(text);
    BOOST_REQUIRE_MESSAGE(!network, text);
    BOOST_TEST(network.error().message.find("'" + std::string(text) + "'") == 0U);
  }
}

BOOST_AUTO_TEST_SUITE_END()
