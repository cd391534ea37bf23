#include "utc_time.hpp"

#include <boost/test/unit_test.hpp>

using namespace cc;

BOOST_AUTO_TEST_SUITE(utc_time_test)

BOOST_AUTO_TEST_CASE(times_with_their_zone) {
  BOOST_TEST(parse_rfc3339("1970-01-01T00:00:00Z").value() == 0);
  BOOST_TEST(parse_rfc3339("2026-06-15T12:00:00Z").value() == 1'781'524'800'000);
  BOOST_TEST(parse_rfc3339("2026-06-15t20:00:00.25+08:00").value() == 1'781'524'800'250);
  BOOST_TEST(parse_rfc3339("2026-06-15 06:30:00-05:30").value() == 1'781'524'800'000);
  BOOST_TEST(parse_rfc3339("2026-06-15T12:00:00.0019999z").value() == 1'781'524'800'001);
  BOOST_TEST(parse_rfc3339("1969-12-31T23:59:59.999Z").value() == -1);
  BOOST_TEST(parse_rfc3339("2016-12-31T23:59:60Z").value() ==
             parse_rfc3339("2017-01-01T00:00:00Z").value());
  BOOST_TEST(parse_rfc3339("2024-02-29T00:00:00Z").has_value());
}

BOOST_AUTO_TEST_CASE(what_is_no_time) {
  for (const char* text :
       {"", "2026-06-15", "2026-06-15T12:00:00", "2026-06-15T12:00Z", "2026-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z", "2026-06-15T24:00:00Z", "2026-06-15T12:60:00Z",
        "2026-06-15T12:00:61Z", "2026-06-15T12:00:00.Z", "2026-06-15T12:00:00+0800",
        "2026-06-15T12:00:00+24:00", "2026-06-15T12:00:00Z ", " 2026-06-15T12:00:00Z",
        "0000-01-01T00:00:00Z", "26-06-15T12:00:00Z", "2026-6-15T12:00:00Z", "1781524800000"}) {
    BOOST_TEST(!parse_rfc3339(text), text);
  }
}

BOOST_AUTO_TEST_CASE(dates) {
  BOOST_TEST(parse_utc_date("2026-06-15").value() == 1'781'481'600'000);
  for (const char* text : {"", "2026-06-31", "2026-06-15T", "20260615", "2026/06/15"}) {
    BOOST_TEST(!parse_utc_date(text), text);
  }
}

BOOST_AUTO_TEST_SUITE_END()
