#include "keys.hpp"

#include <set>

#include <boost/test/unit_test.hpp>

#include "text.hpp"

using namespace cc;

namespace {

Delivery make(Source source, std::string body = "x", std::int64_t received = 1000) {
  Delivery d;
  d.channel = "e9";
  d.source = source;
  d.subject = "1001";
  d.received_ms = received;
  d.body = std::move(body);
  return d;
}

std::string hex(const DeliveryKey& key) {
  return to_hex({reinterpret_cast<const char*>(key.data()), key.size()});
}

}  // namespace

BOOST_AUTO_TEST_SUITE(keys_test)

BOOST_AUTO_TEST_CASE(equal_callbacks_are_one_whenever_and_from_wherever_they_come) {
  auto a = make(Source::callback, "x", 1000);
  auto b = make(Source::callback, "x", 2000);
  b.address = "198.51.100.1";
  b.content_type = "text/xml";
  BOOST_TEST(hex(delivery_key(a)) == hex(delivery_key(b)));
  b.query_string = "q";
  BOOST_TEST(hex(delivery_key(a)) != hex(delivery_key(b)));
}

BOOST_AUTO_TEST_CASE(equal_query_answers_are_one) {
  BOOST_TEST(hex(delivery_key(make(Source::query, "x", 1))) ==
             hex(delivery_key(make(Source::query, "x", 2))));
}

BOOST_AUTO_TEST_CASE(equal_polls_are_two) {
  BOOST_TEST(hex(delivery_key(make(Source::poll, "x", 1))) !=
             hex(delivery_key(make(Source::poll, "x", 2))));
  auto other_agent = make(Source::poll, "x", 1);
  other_agent.subject = "1002";
  BOOST_TEST(hex(delivery_key(make(Source::poll, "x", 1))) != hex(delivery_key(other_agent)));
}

BOOST_AUTO_TEST_CASE(parts_cannot_slide_into_each_other) {
  auto a = make(Source::callback, "cd");
  a.query_string = "ab";
  auto b = make(Source::callback, "bcd");
  b.query_string = "a";
  BOOST_TEST(hex(delivery_key(a)) != hex(delivery_key(b)));
  auto c = make(Source::callback, "cd");
  c.channel = "e9b";
  c.query_string = "ab";
  BOOST_TEST(hex(delivery_key(a)) != hex(delivery_key(c)));
}

// python3: hashlib.sha256(b''.join(struct.pack('>Q', len(p)) + p for p in parts)).hexdigest()[:32]
BOOST_AUTO_TEST_CASE(keys_are_what_any_other_sha256_says) {
  auto callback = make(Source::callback, "<req/>");
  callback.query_string = "a=1";
  BOOST_TEST(hex(delivery_key(callback)) == "a77944741a0dd6c6f6d5cceb07a00045");
  BOOST_TEST(hex(delivery_key(make(Source::poll, "{}", 1458813382123))) ==
             "e97666eefd686141a40825fb96235351");
  BOOST_TEST(to_hex(own_event_key(42, 1, "attempt.sent").view()) ==
             "e06152c74d11281c0429d881ea8764350000");
}

BOOST_AUTO_TEST_CASE(an_event_key_is_the_delivery_and_the_ordinal) {
  const auto delivery = delivery_key(make(Source::callback));
  const auto key = event_key(delivery, 0x1234);
  BOOST_TEST(key.ordinal() == 0x1234);
  BOOST_TEST(to_hex(key.view()) == hex(delivery) + "1234");
  BOOST_TEST((event_key(delivery, 1) < event_key(delivery, 256)));
}

BOOST_AUTO_TEST_CASE(own_events_differ_in_each_part) {
  std::set<EventKey> keys;
  for (const std::int64_t call : {1, 11}) {
    for (const int attempt : {1, 11}) {
      for (const auto* name : {"attempt.sent", "attempt.accepted"}) {
        for (const std::uint16_t ordinal : {std::uint16_t{0}, std::uint16_t{1}}) {
          keys.insert(own_event_key(call, attempt, name, ordinal));
        }
      }
    }
  }
  BOOST_TEST(keys.size() == 16U);
  BOOST_TEST((own_event_key(1, 1, "reaped") == own_event_key(1, 1, "reaped")));
}

BOOST_AUTO_TEST_CASE(crc32_is_the_ieee_one) {
  BOOST_TEST(crc32("123456789") == 0xcbf43926U);
  BOOST_TEST(crc32("") == 0U);
  BOOST_TEST(crc32({}, 7) == 7U);
  BOOST_TEST(crc32("56789", crc32("1234")) == crc32("123456789"));
  BOOST_TEST(crc32("The quick brown fox jumps over the lazy dog") == 0x414FA339U);
}

BOOST_AUTO_TEST_CASE(a_call_stays_in_one_partition) {
  constexpr std::string_view id = "420d9ec4557f4eeabfb003983d5b2049";
  auto d = make(Source::callback, "one");
  d.subject.clear();
  BOOST_TEST(partition_of(d, id, 16) == crc32(id) % 16);
  d.body = "another";
  BOOST_TEST(partition_of(d, id, 16) == crc32(id) % 16);
  BOOST_TEST(partition_of(d, "", 16) == crc32("another") % 16);
  BOOST_TEST(partition_of(d, id, 1) == 0U);
  BOOST_TEST(partition_of(d, id, 0) == 0U);
}

BOOST_AUTO_TEST_CASE(polls_and_queries_go_by_their_subject) {
  for (const auto source : {Source::poll, Source::query}) {
    auto d = make(source);
    BOOST_TEST(partition_of(d, "id", 8) == crc32("1001") % 8);
    d.subject.clear();
    BOOST_TEST(partition_of(d, "id", 8) == crc32("id") % 8);
  }
}

BOOST_AUTO_TEST_SUITE_END()
