#include "beijing_time.hpp"

#include <boost/test/unit_test.hpp>

#include "rand.hpp"

using namespace cc;

BOOST_AUTO_TEST_SUITE(beijing_time_test)

BOOST_AUTO_TEST_CASE(known_moments) {
  BOOST_TEST(parse_beijing("20160324175622").value() == 1458813382000);  // date -d '… +0800'
  BOOST_TEST(parse_beijing("19700101080000").value() == 0);
  BOOST_TEST(parse_beijing("19700101000000").value() == -28800000);
  BOOST_TEST(parse_beijing("20200101080000").value() == 1577836800000);
  BOOST_TEST(parse_beijing("20240229235959").value() == 1709222399000);
}

BOOST_AUTO_TEST_CASE(separators_may_stand_between_the_parts) {
  for (const auto* text : {"2016/03/24 17:56:22", "2016-03-24T17:56:22", "2016-03-24  17:56:22",
                           " 20160324175622\n", "20160324 175622"}) {
    BOOST_TEST(parse_beijing(text).value_or(0) == 1458813382000, text);
  }
}

BOOST_AUTO_TEST_CASE(dates_that_do_not_exist_are_none) {
  for (const auto* text : {"",
                           "null",
                           "2016",
                           "2016032417562",
                           "201603241756220",
                           "20230229000000",
                           "21000229000000",
                           "20160431000000",
                           "20161301000000",
                           "20160001000000",
                           "20160100000000",
                           "20160101240000",
                           "20160101006000",
                           "20160101000060",
                           "00000101000000",
                           "00000000000000",
                           "2016032417562x",
                           "-20160324175622",
                           "2016.03.24 17:56:22",
                           "20160324175622Z",
                           "２０１６"}) {
    BOOST_TEST(!parse_beijing(text), text);
  }
}

BOOST_AUTO_TEST_CASE(leap_years_are_respected) {
  BOOST_TEST(parse_beijing("20000229000000").has_value());
  BOOST_TEST(!parse_beijing("19000229000000").has_value());
  BOOST_TEST(parse_beijing("20240229000000").has_value());
}

BOOST_AUTO_TEST_CASE(what_is_written_is_read_back) {
  test::Rand rand(5);
  for (int i = 0; i < 5000; ++i) {
    const auto ms = rand.between(-2'000'000'000, 200'000'000'000) * 1000;
    BOOST_REQUIRE_EQUAL(parse_beijing(format_beijing(ms)).value_or(-1), ms);
  }
  BOOST_TEST(format_beijing(1458813382999) == "20160324175622");
}

BOOST_AUTO_TEST_CASE(utc_has_milliseconds) {
  BOOST_TEST(format_utc(0) == "1970-01-01T00:00:00.000Z");
  BOOST_TEST(format_utc(1795341018123) == "2026-11-22T09:50:18.123Z");
  BOOST_TEST(format_utc(-1) == "1969-12-31T23:59:59.999Z");
}

BOOST_AUTO_TEST_CASE(no_moment_is_too_far) {
  BOOST_TEST(format_utc(INT64_MAX) == "9999-12-31T23:59:59.999Z");
  BOOST_TEST(format_utc(INT64_MIN) == "0001-01-01T00:00:00.000Z");
  BOOST_TEST(format_beijing(INT64_MIN) == "00010101080000");
  BOOST_TEST(!format_beijing(INT64_MAX).empty());
}

BOOST_AUTO_TEST_SUITE_END()
