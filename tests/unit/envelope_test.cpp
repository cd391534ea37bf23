#include "envelope.hpp"

#include <boost/test/unit_test.hpp>

#include "keys.hpp"
#include "rand.hpp"
#include "text.hpp"

using namespace cc;
using namespace std::string_literals;

namespace {

Delivery sample() {
  Delivery d;
  d.channel = "e9";
  d.received_ms = 1458813382123;
  d.address = "203.0.113.7";
  d.query_string = "a=1&b=x y";
  d.content_type = "application/xml; charset=utf-8";
  d.body = "<req>\n</req>";
  return d;
}

void require_same(const Delivery& a, const Delivery& b) {
  BOOST_REQUIRE_EQUAL(a.channel, b.channel);
  BOOST_REQUIRE_EQUAL(a.received_ms, b.received_ms);
  BOOST_REQUIRE(a.source == b.source);
  BOOST_REQUIRE(a.subject == b.subject);
  BOOST_REQUIRE(a.address == b.address);
  BOOST_REQUIRE(a.query_string == b.query_string);
  BOOST_REQUIRE(a.content_type == b.content_type);
  BOOST_REQUIRE(a.body == b.body);
}

std::string message(std::string_view envelope) {
  const auto result = decode_envelope("e9", envelope);
  BOOST_REQUIRE(!result);
  return result.error().message;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(envelope_test)

BOOST_AUTO_TEST_CASE(one_header_line_then_the_bytes_as_they_came) {
  BOOST_TEST(
      encode_envelope(sample()) ==
      "v1 1458813382123 callback - 203.0.113.7 a=1&b=x%20y application/xml;%20charset=utf-8\n"
      "<req>\n</req>");
  std::string in_two_steps = "before ";
  append_envelope_header(in_two_steps, sample());
  BOOST_TEST(in_two_steps + sample().body == "before " + encode_envelope(sample()));
}

BOOST_AUTO_TEST_CASE(a_lone_dash_is_not_an_empty_field) {
  auto d = sample();
  d.subject = "-";
  d.source = Source::poll;
  const auto text = encode_envelope(d);
  BOOST_TEST(text.starts_with("v1 1458813382123 poll %2D "));
  require_same(*decode_envelope("e9", text), d);
}

BOOST_AUTO_TEST_CASE(random_bytes_come_back_unaltered) {
  test::Rand rand(6);
  for (int i = 0; i < 5000; ++i) {
    Delivery d;
    d.channel = "hw";
    d.received_ms = rand.between(0, INT64_MAX);
    d.source = rand.pick(std::array{Source::callback, Source::poll, Source::query});
    d.subject = rand.bytes(rand.below(max_subject + 1));
    d.address = rand.bytes(rand.below(max_address + 1));
    d.query_string = rand.bytes(rand.below(300));
    d.content_type = rand.bytes(rand.below(max_content_type + 1));
    d.body = rand.bytes(rand.below(500));
    const auto back = decode_envelope("hw", encode_envelope(d));
    BOOST_REQUIRE(back);
    require_same(*back, d);
    BOOST_REQUIRE(delivery_key(*back) == delivery_key(d));
  }
}

BOOST_AUTO_TEST_CASE(fields_are_cut_at_their_bounds_and_the_key_does_not_notice) {
  test::Rand rand(7);
  Delivery d = sample();
  d.subject = rand.bytes(max_subject + 1);
  d.address = rand.bytes(max_address + 1);
  d.query_string = rand.bytes(max_query_string + 1);
  d.content_type = rand.bytes(max_content_type + 1);
  const auto back = decode_envelope("e9", encode_envelope(d));
  BOOST_REQUIRE(back);
  BOOST_TEST(back->subject == d.subject.substr(0, max_subject));
  BOOST_TEST(back->address == d.address.substr(0, max_address));
  BOOST_TEST(back->query_string == d.query_string.substr(0, max_query_string));
  BOOST_TEST(back->content_type == d.content_type.substr(0, max_content_type));
  BOOST_TEST((delivery_key(*back) == delivery_key(d)));
  d.source = Source::poll;
  BOOST_TEST((delivery_key(*decode_envelope("e9", encode_envelope(d))) == delivery_key(d)));
}

BOOST_AUTO_TEST_CASE(an_empty_body_is_a_body) {
  auto d = sample();
  d.body.clear();
  require_same(*decode_envelope("e9", encode_envelope(d)), d);
}

BOOST_AUTO_TEST_CASE(an_unknown_version_is_named) {
  BOOST_TEST(message("v2 1 callback - - - -\n").find("'v2'") != std::string::npos);
  BOOST_TEST(message("").find("version") != std::string::npos);
  BOOST_TEST(message("<req>\n").find("version") != std::string::npos);
  BOOST_TEST(message("v1\n").find("7 fields") != std::string::npos);
  const auto junk = message(std::string(5000, '\xFF') + " x\n");
  BOOST_TEST(junk.size() < 400);
  BOOST_TEST(repair_utf8(junk) == junk);
}

BOOST_AUTO_TEST_CASE(malformed_headers_are_refused) {
  for (const auto* text : {"v1 1 callback - - - -",      // no newline
                           "v1 1 callback - - -\n",      // a field too few
                           "v1 1 callback - - - - -\n",  // one too many
                           "v1 1 callback - - -  -\n",   // an empty one
                           "v1 x callback - - - -\n",    // no time
                           "v1 -1 callback - - - -\n",   //
                           "v1 1 push - - - -\n",        // no source
                           "v1 1 cc - - - -\n",          // CC makes no deliveries
                           "v1 1 callback % - - -\n",    // no escape
                           "v1 1 callback - %4 - -\n",   //
                           "v1 99999999999999999999 callback - - - -\n"}) {
    BOOST_TEST(!decode_envelope("e9", text), text);
  }
  const std::string long_subject(max_subject + 1, 'x');
  BOOST_TEST(!decode_envelope("e9", "v1 1 poll " + long_subject + " - - -\n"));
  BOOST_TEST(!decode_envelope("e9", "v1 1 callback - - " + std::string(200'000, 'x') + " -\n"));
}

BOOST_AUTO_TEST_CASE(sources_have_names) {
  for (const auto source : {Source::callback, Source::poll, Source::query, Source::cc}) {
    BOOST_TEST((*source_from_text(to_text(source)) == source));
  }
  BOOST_TEST(source_from_text("push").error().message.find("'push'") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(mutated_envelopes_never_break) {
  test::Rand rand(8);
  const auto good = encode_envelope(sample());
  for (int i = 0; i < 20000; ++i) {
    auto bad = good;
    for (auto n = 1 + rand.below(4); n > 0; --n) bad[rand.below(bad.size())] = rand.bytes(1)[0];
    if (rand.one_in(4)) bad.resize(rand.below(bad.size()));
    if (const auto back = decode_envelope("e9", bad)) {
      require_same(*decode_envelope("e9", encode_envelope(*back)), *back);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
