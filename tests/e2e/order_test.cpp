// The same deliveries of a call, in a thousand random orders and with random repeats, through the
// real stream and the real dispatcher: one and the same record.
#include <algorithm>
#include <random>

#include <boost/test/unit_test.hpp>
#include <hiredis/hiredis.h>

#include "stack.hpp"

using namespace cc::test;

namespace {

constexpr int calls = 1000;

struct Delivery {
  long long received;
  std::string body;
};

std::string hex32(int number) {
  std::string text = std::to_string(number);
  return std::string(32 - text.size(), '0') + text;
}

// A whole call as Jiuyun tells it, by an instant (in Beijing) that the test chooses.
std::vector<Delivery> story(const std::string& id, int number, const std::string& day,
                            long long received) {
  const std::string common =
      "<type>1</type><appId>a</appId><caller>13900000001</caller><called>13800000002</"
      "called><subType>0</subType><callId>" +
      hex32(number) + "</callId><userData>cc1." + id + ".1</userData>";
  const auto req = [&](const std::string& action, const std::string& time,
                       const std::string& more) {
    return "<?xml version='1.0'?><req><action>" + action + "</action>" + common + "<dateCreated>" +
           day + time + "</dateCreated>" + more + "</req>";
  };
  return {
      {received, req("CallInvite", "101500", "<userFlag>0</userFlag>")},
      {received + 5000, req("CallInvite", "101505", "<userFlag>1</userFlag>")},
      {received + 12'000, req("CallEstablish", "101512", "")},
      {received + 52'000, req("Hangup", "101552",
                              "<startTimeA>" + day + "101505</startTimeA><startTimeB>" + day +
                                  "101512</startTimeB><endTime>" + day +
                                  "101552</endTime><duration>40</duration><recordUrl>http://"
                                  "127.0.0.1/r.mp3</recordUrl><byeType>0</byeType>")},
  };
}

void add(redisContext* redis, const Delivery& delivery) {
  const std::string value = "v1 " + std::to_string(delivery.received) +
                            " callback - 127.0.0.1 - application/xml\n" + delivery.body;
  BOOST_REQUIRE_EQUAL(
      redisAppendCommand(redis, "XADD cc:events:0 * e9 %b", value.data(), value.size()), REDIS_OK);
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_thousand_orders_with_repeats_make_one_record) {
  Stack stack;
  // Calls as a POST makes them, in one statement.
  const std::string base = stack.sql(
      "SELECT ((extract(epoch FROM clock_timestamp()) * 1000)::bigint - 1577836800000) << 22");
  stack.sql(
      "INSERT INTO call_record (id, tenant, direction, initiator, caller, called, max_duration, "
      "created, updated, version) "
      "SELECT " +
      base +
      " + n, 'demo', 'out', 'agent', '13900000001', '13800000002', 3600, 1, 1, 1 FROM "
      "generate_series(0, 999) n");
  stack.sql(
      "INSERT INTO call_attempt (call, attempt, tenant, channel, agent, handset, state, created, "
      "sent) "
      "SELECT " +
      base +
      " + n, 1, 'demo', 'e9', '13900000001', '13900000001', 'accepted', 1, 1 FROM "
      "generate_series(0, 999) n");
  const std::string day = stack.sql(
      "SELECT to_char(now() AT TIME ZONE 'Asia/Shanghai' - interval '1 day', 'YYYYMMDD')");
  const long long received =
      std::stoll(stack.sql("SELECT (extract(epoch FROM ('" + day +
                           " 10:15:00')::timestamp AT TIME ZONE 'Asia/Shanghai') * 1000)::bigint"));

  std::mt19937 random(20260101);
  std::vector<Delivery> all;
  for (int n = 0; n < calls; ++n) {
    std::vector<Delivery> one = story(std::to_string(std::stoll(base) + n), n + 1, day, received);
    for (std::size_t i = 0; i < 4; ++i) {
      for (auto copies = random() % 3; copies > 0; --copies) {
        one.push_back(one[i]);
        one.back().received += static_cast<long long>(random() % 100'000);
      }
    }
    all.insert(all.end(), one.begin(), one.end());
  }
  std::shuffle(all.begin(), all.end(), random);

  redisContext* redis = redisConnectUnix(stack.env("REDIS_SOCK").c_str());
  BOOST_REQUIRE(redis != nullptr && redis->err == 0);
  for (const Delivery& delivery : all) add(redis, delivery);
  std::string last;
  for (std::size_t i = 0; i < all.size(); ++i) {
    void* reply = nullptr;
    BOOST_REQUIRE_EQUAL(redisGetReply(redis, &reply), REDIS_OK);
    last = static_cast<redisReply*>(reply)->str;
    freeReplyObject(reply);
  }
  redisFree(redis);

  BOOST_REQUIRE(eventually([&] { return stack.sql("SELECT entry_id FROM stream_cursor") == last; },
                           Millis{60'000}));
  BOOST_TEST(stack.sql("SELECT count(*) FROM call_event WHERE source = 'callback'") == "4000");
  BOOST_TEST(stack.sql("SELECT count(*) FROM dead_letter") == "0");
  BOOST_TEST(stack.sql("SELECT count(*) FROM waiting_event") == "0");
  // Every column but the ids, the place in time and the version.
  const std::string distinct =
      "SELECT DISTINCT to_jsonb(r) - 'id' - 'call_id' - 'updated' - 'version' FROM call_record r "
      "ORDER BY 1";
  const std::string records = stack.sql(distinct);
  BOOST_TEST(std::count(records.begin(), records.end(), '\n') == 0, records);
  BOOST_TEST(stack.sql("SELECT DISTINCT state || ' ' || close_type || ' ' || duration || ' ' || "
                       "(close_time - conn_time) FROM call_record") == "close 0 40 40000");
  BOOST_TEST(stack.sql("SELECT count(*) FROM call_record WHERE call_id IS NULL") == "0");
}
