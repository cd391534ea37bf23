// From stream entries to events, dead letters and nothing else.
#include "dispatch/batch.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include "io/clock.hpp"
#include "io/http_client.hpp"

using namespace cc;

namespace {

struct Fixture {
  asio::io_context loop;
  HttpClient http{loop.get_executor()};
  SystemClock clock;
  Channels channels{http, clock};

  Fixture() {
    ChannelConfig e9;
    e9.code = e9.kind = "e9";
    channels.configure({{"e9", e9}});
  }

  Batch understand(const std::vector<StreamEntry>& entries) {
    return understand_batch(entries, channels, 5000);
  }
};

StreamEntry entry(std::uint64_t ms, std::int64_t received_ms, const std::string& body,
                  std::string channel = "e9") {
  Delivery delivery;
  delivery.received_ms = received_ms;
  delivery.body = body;
  return {{ms, 0}, std::move(channel), encode_envelope(delivery), false};
}

const std::string invite =
    "<req><action>CallInvite</action><appId>a</appId><callId>0123456789abcdef0123456789abcdef</"
    "callId>"
    "<userFlag>0</userFlag><dateCreated>20260324175622</dateCreated><userData>cc1.77.1</userData></"
    "req>";

}  // namespace

BOOST_FIXTURE_TEST_SUITE(batch, Fixture)

BOOST_AUTO_TEST_CASE(a_callback_becomes_an_event_of_the_call_that_it_echoes) {
  const Batch batch = understand({entry(1, 1000, invite)});
  BOOST_REQUIRE_EQUAL(batch.events.size(), 1U);
  BOOST_TEST(batch.events[0].found.call.value() == 77);
  BOOST_TEST(batch.events[0].found.event.attempt == 1);
  BOOST_TEST((batch.events[0].found.event.name == EventName::a_calling));
  BOOST_TEST(batch.unreadable.empty());
  BOOST_TEST(batch.oldest_received_ms == 1000);
}

BOOST_AUTO_TEST_CASE(copies_of_a_delivery_are_one_event_with_the_earliest_time) {
  const Batch batch =
      understand({entry(1, 3000, invite), entry(2, 1000, invite), entry(3, 2000, invite)});
  BOOST_REQUIRE_EQUAL(batch.events.size(), 1U);
  BOOST_TEST(batch.events[0].found.event.received_ms == 1000);
  BOOST_TEST(batch.deliveries == 3U);
}

BOOST_AUTO_TEST_CASE(what_nobody_can_read_is_kept_whole_with_the_reason) {
  StreamEntry two_fields = entry(1, 1, invite);
  two_fields.malformed = true;
  StreamEntry no_envelope{{2, 0}, "e9", "hello", false};
  StreamEntry future = entry(3, 1, invite);
  future.value.replace(0, 2, "v9");
  const Batch batch = understand({two_fields, no_envelope, future, entry(4, 1, "GET OUT"),
                                  entry(5, 1, invite, "nobody"), entry(6, 1000, invite)});
  BOOST_TEST(batch.events.size() == 1U);  // one bad value never stops the rest
  BOOST_REQUIRE_EQUAL(batch.unreadable.size(), 5U);
  for (const Unreadable& letter : batch.unreadable) {
    BOOST_TEST(!letter.reason.empty());
    BOOST_TEST(!letter.raw.empty());
    BOOST_TEST(letter.key.size() == 16U);
  }
  BOOST_TEST(batch.unreadable[2].reason.find("v9") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_delivery_that_postgresql_refused_becomes_a_dead_letter_under_its_own_key) {
  const StreamEntry one = entry(1, 1234, invite);
  const Batch batch = give_up_on(one, "value too long", 9000);
  BOOST_TEST(batch.events.empty());
  BOOST_REQUIRE_EQUAL(batch.unreadable.size(), 1U);
  BOOST_TEST(batch.unreadable[0].received_ms == 1234);
  BOOST_TEST(batch.unreadable[0].raw == one.value);
}

BOOST_AUTO_TEST_CASE(a_time_that_arithmetic_does_not_survive_is_no_time) {
  const std::int64_t latest = 100'000'000'000'000;
  const Batch batch = understand(
      {entry(1, INT64_MAX, invite), entry(2, latest + 1, "x"), entry(3, latest, invite)});
  BOOST_TEST(batch.events.size() == 1U);
  BOOST_REQUIRE_EQUAL(batch.unreadable.size(), 2U);
  BOOST_TEST(batch.unreadable[0].reason.starts_with("received-ms"));
  BOOST_TEST(batch.oldest_received_ms == latest);
}

BOOST_AUTO_TEST_CASE(a_letter_of_several_fields_stays_one_when_it_is_read_again) {
  StreamEntry again = entry(1, 1, invite);
  again.value = std::string(many_fields_mark) + "2\n...";
  const Batch batch = understand({again});
  BOOST_REQUIRE_EQUAL(batch.unreadable.size(), 1U);
  BOOST_TEST(batch.unreadable[0].reason.find("exactly one field") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
