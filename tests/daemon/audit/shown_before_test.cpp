#include "audit/shown_before.hpp"

#include <boost/test/unit_test.hpp>

using namespace cc;
using namespace std::chrono_literals;

namespace {

using Calls = std::vector<std::int64_t>;
const ShownBefore::Moment begin{};

}  // namespace

BOOST_AUTO_TEST_SUITE(shown_before)

BOOST_AUTO_TEST_CASE(each_key_is_told_of_once_within_the_time) {
  ShownBefore shown(600s, 100);
  BOOST_TEST(shown.fresh("acme", "full", {3, 1, 2, 1}, begin) == (Calls{1, 2, 3}));
  // Looking changes nothing: what could not be kept is asked for again.
  BOOST_TEST(shown.fresh("acme", "full", {1}, begin) == (Calls{1}));
  shown.remember("acme", "full", {1, 2}, begin);
  BOOST_TEST(shown.fresh("acme", "full", {1, 2, 3}, begin + 599s) == (Calls{3}));
  BOOST_TEST(shown.fresh("acme", "root", {1}, begin) == (Calls{1}));
  BOOST_TEST(shown.fresh("other", "full", {1}, begin) == (Calls{1}));
  // The first telling counts, not the last.
  shown.remember("acme", "full", {1}, begin + 300s);
  BOOST_TEST(shown.fresh("acme", "full", {1}, begin + 600s) == (Calls{1}));
  BOOST_TEST(shown.size() == 0U);
}

BOOST_AUTO_TEST_CASE(the_oldest_make_room) {
  ShownBefore shown(600s, 3);
  shown.remember("acme", "full", {1, 2}, begin);
  shown.remember("acme", "root", {1, 2}, begin);
  BOOST_TEST(shown.size() == 3U);
  BOOST_TEST(shown.fresh("acme", "full", {1, 2}, begin) == (Calls{1}));
  shown.remember("acme", "root", {3, 4, 5, 6, 7}, begin);
  BOOST_TEST(shown.size() == 3U);
  BOOST_TEST(shown.fresh("acme", "root", {1, 2, 3, 4, 5, 6, 7}, begin) == (Calls{1, 2, 3, 4}));
  BOOST_TEST(shown.fresh("acme", "full", {1, 2}, begin) == (Calls{1, 2}));
}

BOOST_AUTO_TEST_SUITE_END()
