// Canaries among deliveries, and how a part's standing is remembered.
#include "canary.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>
#include <prometheus/text_serializer.h>

#include "dispatch/batch.hpp"
#include "health/report.hpp"
#include "io/http_client.hpp"

using namespace cc;

namespace {

const std::string location = "http://127.0.0.1:8082/callback/e9/";
const std::string app = "feff3cbd52c041a1bd5b0492bee56423";

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
};

StreamEntry entry(std::uint64_t ms, const std::string& body, std::string channel = "e9") {
  Delivery delivery;
  delivery.received_ms = static_cast<std::int64_t>(ms);
  delivery.body = body;
  return {{ms, 0}, std::move(channel), encode_envelope(delivery), false};
}

const std::string hangup =
    "<req><action>Hangup</action><callId>0123456789abcdef0123456789abcdef</callId></req>";

/// A clock that stands where it is put.
struct SetClock final : Clock {
  std::int64_t epoch_ms() const override { return now_ms; }
  std::chrono::steady_clock::time_point steady() const override { return {}; }
  asio::awaitable<void> sleep_for(Millis) override { co_return; }
  std::int64_t now_ms = 1000;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(canaries, Fixture)

BOOST_AUTO_TEST_CASE(an_id_is_known_by_its_form) {
  const std::string id = make_canary_id(location, 0xDEADBEEF);
  BOOST_TEST(id.size() == canary_size);
  BOOST_TEST(id.ends_with("deadbeef"));
  BOOST_TEST(is_canary(id));
  BOOST_TEST(id.substr(0, canary_location_end) ==
             make_canary_id(location, 1).substr(0, canary_location_end));
  BOOST_TEST(id.substr(0, canary_location_end) !=
             make_canary_id("http://other/", 1).substr(0, canary_location_end));
  for (std::string other : {"", "0123456789abcdef0123456789abcdef"}) BOOST_TEST(!is_canary(other));
  BOOST_TEST(!is_canary(id + "0"));
  BOOST_TEST(!is_canary(id.substr(0, 31)));
  BOOST_TEST(!is_canary(id.substr(0, 31) + "x"));
  BOOST_TEST(!is_canary(id.substr(0, 31) + std::string(1, '\0')));
  BOOST_TEST(find_canary("before " + id + " behind") == id);
  BOOST_TEST(find_canary(id.substr(0, 20)).empty());
  BOOST_TEST(find_canary("").empty());
}

BOOST_AUTO_TEST_CASE(the_channel_makes_what_it_accepts_and_only_those_that_call_back_do) {
  const Channel& e9 = *find_channel("e9");
  const std::string id = make_canary_id(location, 7);
  const CanaryBody made = e9.canary(id, app);
  BOOST_TEST(made.content_type == "application/xml");
  Inbound inbound{"POST", "token", "", made.content_type, "127.0.0.1", made.body};
  const Verified ours = e9.verify(inbound, {{"token"}, {app}});
  BOOST_TEST((ours.verdict == Verdict::accepted));
  BOOST_TEST(std::string_view(ours.channel_call_id) == id);
  const Verified foreign = e9.verify(inbound, {{"token"}, {"another"}});
  BOOST_TEST((foreign.verdict == Verdict::foreign_app));
  BOOST_TEST(find_channel("hw")->canary(id, app).body.empty());
}

BOOST_AUTO_TEST_CASE(only_the_arrival_is_kept) {
  const std::string id = make_canary_id(location, 7);
  const std::string body = find_channel("e9")->canary(id, app).body;
  const Batch batch = understand_batch({entry(10, body), entry(11, hangup)}, channels, 5000);
  BOOST_REQUIRE_EQUAL(batch.canaries.size(), 1U);
  BOOST_TEST(batch.canaries[0].id == id);
  BOOST_TEST(batch.canaries[0].channel == "e9");
  BOOST_TEST(batch.canaries[0].received_ms == 10);
  BOOST_TEST(batch.events.size() == 1U);
  BOOST_TEST(batch.deliveries == 1U);
  BOOST_TEST(batch.unreadable.empty());
  BOOST_TEST(batch.ignored == 0U);
  BOOST_TEST(batch.oldest_received_ms == 10);
}

BOOST_AUTO_TEST_CASE(through_a_location_of_another_code_it_is_no_dead_letter_either) {
  const std::string id = make_canary_id(location, 7);
  const std::string body = find_channel("e9")->canary(id, app).body;
  const Batch batch =
      understand_batch({entry(10, body, "e9b"), entry(11, hangup, "e9b")}, channels, 5000);
  BOOST_REQUIRE_EQUAL(batch.canaries.size(), 1U);
  BOOST_TEST(batch.canaries[0].channel == "e9b");
  BOOST_TEST(batch.unreadable.size() == 1U);
  BOOST_TEST(batch.events.empty());
}

BOOST_AUTO_TEST_CASE(a_parts_standing_has_its_time_and_its_gauge) {
  SetClock still;
  Metrics metrics;
  HealthReport report(still, metrics);
  std::vector<PartHealth> now{{"redis", true, "well"}, {"nginx a", true, "well"}};
  report.add([&] { return now; });
  BOOST_TEST(report.parts()[0].since_ms == 1000);
  still.now_ms = 2000;
  now[0].grade = Grade::degraded;
  BOOST_TEST(report.parts()[0].since_ms == 2000);
  BOOST_TEST(report.parts()[1].since_ms == 1000);
  still.now_ms = 3000;
  now[0].says = "other words, the same grade";
  BOOST_TEST(report.parts()[0].since_ms == 2000);
  now[1].ok = false;
  BOOST_TEST((report.parts()[1].grade == Grade::failing));
  const auto figures = [&] {
    return prometheus::TextSerializer{}.Serialize(metrics.registry->Collect());
  };
  BOOST_TEST(figures().find("cc_part_health{part=\"redis\"} 1") != std::string::npos);
  BOOST_TEST(figures().find("cc_part_health{part=\"nginx a\"} 2") != std::string::npos);
  now.pop_back();
  still.now_ms = 4000;
  report.parts();
  BOOST_TEST(figures().find("nginx a") == std::string::npos);
  now.push_back({"nginx a", true, "again"});
  BOOST_TEST(report.parts()[1].since_ms == 4000);
}

BOOST_AUTO_TEST_SUITE_END()
