// Which stream a delivery goes to.
#include <cstdio>
#include <set>

#include <boost/test/unit_test.hpp>

#include "keys.hpp"
#include "stack.hpp"

using namespace cc::test;

BOOST_AUTO_TEST_SUITE(partition_test)

BOOST_AUTO_TEST_CASE(a_delivery_goes_to_the_partition_of_its_call) {
  Stack stack({.http = "cc_stream own:prefix: partitions=4;"});
  std::set<unsigned> used;
  for (unsigned i = 0; i < 16; ++i) {
    BOOST_REQUIRE(stack.call_back(callback_body(i))->status == 200);
    char call[40];
    std::snprintf(call, sizeof call, "%032x", i);
    unsigned p = cc::partition_of({}, call, 4);
    used.insert(p);
    BOOST_TEST(raw_of(entries(stack.redis.socket(), "own:prefix:" + std::to_string(p)).back()) ==
               callback_body(i));
  }
  BOOST_TEST(used.size() > 1U);

  cc::Delivery unreadable;
  unreadable.body = "nobody can read this";
  BOOST_REQUIRE(stack.call_back(unreadable.body)->status == 200);
  auto key = "own:prefix:" + std::to_string(cc::partition_of(unreadable, "", 4));
  BOOST_TEST(raw_of(entries(stack.redis.socket(), key).back()) == unreadable.body);
}

BOOST_AUTO_TEST_SUITE_END()
