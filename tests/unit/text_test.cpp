#include "text.hpp"

#include <boost/test/unit_test.hpp>

#include "rand.hpp"

using namespace cc;
using namespace std::string_literals;

BOOST_AUTO_TEST_SUITE(text_test)

BOOST_AUTO_TEST_CASE(secrets_are_equal_only_when_every_byte_is) {
  BOOST_TEST(equal_in_constant_time("", ""));
  BOOST_TEST(equal_in_constant_time("s3cret", "s3cret"));
  BOOST_TEST(!equal_in_constant_time("s3cret", "s3creT"));
  BOOST_TEST(!equal_in_constant_time("s3cret", "S3cret"));
  BOOST_TEST(!equal_in_constant_time("s3cret", "s3cre"));
  BOOST_TEST(!equal_in_constant_time("a\0b"s, "a\0c"s));
}

BOOST_AUTO_TEST_CASE(percent_encoding_leaves_no_separator_and_comes_back) {
  BOOST_TEST(percent_encode("a b\n%\0é"s) == "a%20b%0A%25%00%C3%A9");
  BOOST_TEST(percent_encode("/:;=&,+@!$'()*?-._~") == "/:;=&,+@!$'()*?-._~");
  test::Rand rand(1);
  for (int i = 0; i < 2000; ++i) {
    const auto bytes = rand.bytes(rand.below(60));
    const auto encoded = percent_encode(bytes);
    for (const char c : encoded) BOOST_REQUIRE(c > 0x20 && c < 0x7F);
    BOOST_REQUIRE(percent_decode(encoded) == bytes);
  }
}

BOOST_AUTO_TEST_CASE(a_malformed_escape_is_no_text) {
  BOOST_TEST(!percent_decode("%"));
  BOOST_TEST(!percent_decode("a%2"));
  BOOST_TEST(!percent_decode("%zz"));
  BOOST_TEST(!percent_decode("%2g"));
  BOOST_TEST(percent_decode("%2f%2F").value() == "//");
  BOOST_TEST(percent_decode("a+b").value() == "a+b");
}

BOOST_AUTO_TEST_CASE(hex_goes_both_ways) {
  BOOST_TEST(to_hex("\x00\xff\x10"s) == "00ff10");
  BOOST_TEST(from_hex("00FF10").value() == "\x00\xff\x10"s);
  BOOST_TEST(!from_hex("0"));
  BOOST_TEST(!from_hex("0x"));
  BOOST_TEST(from_hex("").value() == "");
}

BOOST_AUTO_TEST_CASE(well_formed_utf8_stays_as_it_is) {
  for (const auto* text : {"", "plain", "玖云", "é", "😀", "\U0010FFFF", "\uFFFD", "\uD7FF"}) {
    BOOST_TEST(repair_utf8(text) == text);
  }
}

BOOST_AUTO_TEST_CASE(malformed_utf8_becomes_replacement_characters) {
  const std::string r = "\xEF\xBF\xBD";
  BOOST_TEST(repair_utf8("a\xFF"
                         "b") == "a" + r + "b");
  BOOST_TEST(repair_utf8("\xC0\xAF") == r + r);                  // overlong
  BOOST_TEST(repair_utf8("\xE0\x80\xAF") == r + r + r);          // overlong
  BOOST_TEST(repair_utf8("\xED\xA0\x80") == r + r + r);          // a surrogate
  BOOST_TEST(repair_utf8("\xF4\x90\x80\x80") == r + r + r + r);  // above U+10FFFF
  BOOST_TEST(repair_utf8("\xF5\x80") == r + r);
  BOOST_TEST(repair_utf8("\xE4\xBD") == r);      // cut off: one subpart, one replacement
  BOOST_TEST(repair_utf8("\xF0\x9F\x98") == r);  // the same
  BOOST_TEST(repair_utf8("\xE4\xBDz") == r + "z");
  BOOST_TEST(repair_utf8("\x80\x80") == r + r);
  BOOST_TEST(repair_utf8("\xBE\xC1\xD4\xC6").find('\xBE') == std::string::npos);  // 玖云 in GBK
}

BOOST_AUTO_TEST_CASE(nul_is_removed) {
  BOOST_TEST(repair_utf8("a\0b\0"s) == "ab");
}

BOOST_AUTO_TEST_CASE(repaired_text_needs_no_second_repair) {
  test::Rand rand(2);
  for (int i = 0; i < 5000; ++i) {
    const auto once = repair_utf8(rand.bytes(rand.below(40)));
    BOOST_REQUIRE(repair_utf8(once) == once);
    BOOST_REQUIRE(once.find('\0') == std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(a_width_counts_characters_and_the_flag_only_rises) {
  bool cut = false;
  BOOST_TEST(cut_to_width("玖云通信", 4, cut) == "玖云通信");
  BOOST_TEST(!cut);
  BOOST_TEST(cut_to_width("玖云通信", 2, cut) == "玖云");
  BOOST_TEST(cut);
  BOOST_TEST(cut_to_width("ab", 2, cut) == "ab");
  BOOST_TEST(cut);
  cut = false;
  BOOST_TEST(cut_to_width("a😀b", 2, cut) == "a😀");
  BOOST_TEST(cut);
  cut = false;
  BOOST_TEST(cut_to_width("x", 0, cut) == "");
  BOOST_TEST(cut);
}

BOOST_AUTO_TEST_CASE(integers_are_whole_or_nothing) {
  BOOST_TEST(parse_integer("0").value() == 0);
  BOOST_TEST(parse_integer("-17").value() == -17);
  BOOST_TEST(parse_integer("9223372036854775807").value() == INT64_MAX);
  BOOST_TEST(parse_integer("-9223372036854775808").value() == INT64_MIN);
  for (const auto* text : {"", "-", "+1", " 1", "1 ", "1.0", "1e3", "0x10", "9223372036854775808",
                           "-9223372036854775809", "１"}) {
    BOOST_TEST(!parse_integer(text), text);
  }
}

BOOST_AUTO_TEST_CASE(trim_takes_ascii_white_space_only) {
  BOOST_TEST(trim(" \t\r\n a b \v\f") == "a b");
  BOOST_TEST(trim("   ") == "");
  BOOST_TEST(trim("") == "");
  BOOST_TEST(trim("\u00A0x") == "\u00A0x");
}

BOOST_AUTO_TEST_SUITE_END()
