#include "phone.hpp"

#include <boost/test/unit_test.hpp>

#include "rand.hpp"
#include "text.hpp"

using namespace cc;

BOOST_AUTO_TEST_SUITE(phone_test)

BOOST_AUTO_TEST_CASE(a_mobile_has_one_form_however_it_is_written) {
  for (const auto* text :
       {"13812345678", "+8613812345678", "+86 138 1234 5678", "008613812345678",
        "(+86)138-1234-5678", " 138-1234-5678 ", "0086 (138) 12345678", "+86-13812345678"}) {
    BOOST_TEST(canonical_number(text).value_or("?") == "13812345678", text);
  }
}

BOOST_AUTO_TEST_CASE(a_landline_keeps_its_area_code) {
  for (const auto* text : {"010-65521234", "(010) 6552 1234", "+86 010 65521234", "+861065521234",
                           "0086-10-65521234"}) {
    BOOST_TEST(canonical_number(text).value_or("?") == "01065521234", text);
  }
  BOOST_TEST(canonical_number("+86 755 8888 1234").value() == "075588881234");
  BOOST_TEST(canonical_number("+86 21 6552 1234").value() == "02165521234");
  BOOST_TEST(canonical_number("0755-88881234").value() == "075588881234");
}

BOOST_AUTO_TEST_CASE(service_and_short_numbers_stay) {
  BOOST_TEST(canonical_number("+86 400 123 4567").value() == "4001234567");
  BOOST_TEST(canonical_number("800-810-1234").value() == "8008101234");
  BOOST_TEST(canonical_number("+8610086").value() == "10086");
  BOOST_TEST(canonical_number("95588").value() == "95588");
  BOOST_TEST(canonical_number("+86 95013123456").value() == "95013123456");
  BOOST_TEST(canonical_number("110").value() == "110");
}

BOOST_AUTO_TEST_CASE(numbers_of_other_countries_keep_their_plus) {
  BOOST_TEST(canonical_number("+1 (415) 555-2671").value() == "+14155552671");
  BOOST_TEST(canonical_number("0044 20 7946 0958").value() == "+442079460958");
  BOOST_TEST(canonical_number("+852 2123 4567").value() == "+85221234567");
}

BOOST_AUTO_TEST_CASE(what_is_no_number_gives_none) {
  for (const auto* text :
       {"", "  ", "12", "+86", "+8612", "1381234567a", "tel:13812345678", "138.1234.5678",
        "1234567890123456", "+1234567890123456", "138+12345678", "++8613812345678",
        "１３８１２３４５６７８", "13812345678;ext=2", "138\n12345678", "null", "*67", "00"}) {
    BOOST_TEST(!canonical_number(text), text);
  }
}

BOOST_AUTO_TEST_CASE(canonical_is_a_fixed_point_that_fits_its_column) {
  test::Rand rand(3);
  constexpr std::string_view alphabet = "0123456789018611 +-()";
  int found = 0;
  for (int i = 0; i < 50000; ++i) {
    std::string text;
    for (auto n = rand.below(20); n > 0; --n) text += rand.pick(alphabet);
    const auto once = canonical_number(text);
    if (!once) continue;
    ++found;
    BOOST_REQUIRE(once->size() <= 16);
    BOOST_REQUIRE_EQUAL(canonical_number(*once).value_or("none"), *once);
  }
  BOOST_TEST(found > 1000);
}

BOOST_AUTO_TEST_CASE(a_mask_leaves_the_ends_that_it_may) {
  BOOST_TEST(mask_number("13812345678") == "138****5678");
  BOOST_TEST(mask_number("075588881234") == "075*****1234");
  BOOST_TEST(mask_number("4001234567") == "******4567");
  BOOST_TEST(mask_number("12345678") == "****5678");
  BOOST_TEST(mask_number("1234567") == "*****67");
  BOOST_TEST(mask_number("95588") == "***88");
  BOOST_TEST(mask_number("110") == "*10");
  BOOST_TEST(mask_number("+14155552671") == "+141****2671");
}

BOOST_AUTO_TEST_CASE(a_mask_never_fails) {
  BOOST_TEST(mask_number("") == "");
  BOOST_TEST(mask_number("+") == "+");
  BOOST_TEST(mask_number("1") == "1");
  test::Rand rand(4);
  for (int i = 0; i < 2000; ++i) {
    const auto masked = mask_number(rand.bytes(rand.below(30)));
    BOOST_REQUIRE(repair_utf8(masked) == masked);
  }
}

BOOST_AUTO_TEST_CASE(numbers_inside_a_text_are_masked) {
  BOOST_TEST(mask_numbers_in("call 13812345678 from +8613912345678, code 900204") ==
             "call 138****5678 from +861******5678, code 900204");
  BOOST_TEST(mask_numbers_in("1234567") == "*****67");
  BOOST_TEST(mask_number_shapes_in("http://x/13812345678.mp3?n=%2B8613812345678&t=1795341600000") ==
             "http://x/138****5678.mp3?n=%2B861******5678&t=1795341600000");
  BOOST_TEST(mask_number_shapes_in("a01087654321b 1456401416-3 720000000000000001") ==
             "a010****4321b 1456401416-3 720000000000000001");
  BOOST_TEST(is_number_shaped("13812345678"));
  BOOST_TEST(is_number_shaped("075512345678"));
  for (const char* other : {"", "x", "12812345678", "1381234567", "00123456789", "1456401416"}) {
    BOOST_TEST(!is_number_shaped(other), other);
  }
  BOOST_TEST(mask_numbers_in("no 138 1234 5678, no 138-1234-5678.") ==
             "no 138****5678, no 138****5678.");
  BOOST_TEST(mask_numbers_in("+86 138 1234 5678") == "+861******5678");
  BOOST_TEST(mask_numbers_in("code 5 138 1234 5678 900") == "code 5 138****5678 900");
  BOOST_TEST(mask_numbers_in("010-6655-4433 (0755 8888 777)") == "010****4433 (075****8777)");
  BOOST_TEST(mask_numbers_in("2026-11-23 02:31, 3 of 500 calls, 10 20 30 40") ==
             "2026-11-23 02:31, 3 of 500 calls, 10 20 30 40");
  BOOST_TEST(mask_numbers_in("138 ") == "138 ");
  BOOST_TEST(mask_numbers_in("123456") == "123456");
  BOOST_TEST(mask_numbers_in("玖云") == "玖云");
  BOOST_TEST(mask_numbers_in("") == "");
}

BOOST_AUTO_TEST_SUITE_END()
