// What nobody could read: it stops nothing, it is listed and shown, and it gets a second chance.
#include <cstdarg>
#include <memory>
#include <set>

#include <boost/test/unit_test.hpp>
#include <hiredis/hiredis.h>

#include "envelope.hpp"
#include "stack.hpp"

using namespace cc::test;

namespace {

Stack& stack() {
  static Stack one("20");
  return one;
}

/// Entries written past NGINX, straight into ccd's stream, bytes as they are.
class Stream {
 public:
  Stream() : redis_(redisConnectUnix(stack().env("REDIS_SOCK").c_str()), redisFree) {
    if (redis_ == nullptr || redis_->err != 0) throw std::runtime_error("no Redis");
  }

  void add(const std::vector<std::string>& fields) {
    std::vector<std::string> words{"XADD", "cc:events:0", "*"};
    words.insert(words.end(), fields.begin(), fields.end());
    std::vector<const char*> texts;
    std::vector<std::size_t> sizes;
    for (const std::string& word : words) {
      texts.push_back(word.data());
      sizes.push_back(word.size());
    }
    const std::unique_ptr<redisReply, decltype(&freeReplyObject)> reply(
        static_cast<redisReply*>(redisCommandArgv(redis_.get(), static_cast<int>(texts.size()),
                                                  texts.data(), sizes.data())),
        freeReplyObject);
    BOOST_REQUIRE(reply != nullptr);
    BOOST_REQUIRE_EQUAL(reply->type, REDIS_REPLY_STRING);
  }

 private:
  std::unique_ptr<redisContext, decltype(&redisFree)> redis_;
};

std::string envelope(const std::string& body) {
  cc::Delivery delivery;
  delivery.received_ms =
      std::stoll(stack().sql("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint"));
  delivery.address = "127.0.0.1";
  delivery.content_type = "text/xml";
  delivery.body = body;
  return cc::encode_envelope(delivery);
}

std::string callback(const std::string& action, char digit, const std::string& more = {}) {
  return "<?xml version='1.0'?><req><action>" + action + "</action><type>1</type><appId>" +
         stack().env("CC_E9_APP_ID") + "</appId><caller>13900000011</caller><called>13800001234" +
         "</called><userFlag>0</userFlag><subType>0</subType><callId>" + std::string(32, digit) +
         "</callId>" + more + "</req>";
}

const std::string hangup = "<duration>0</duration><byeType>2</byeType>";

/// A key that may do nothing but administer: it sees no number.
Answer get_as(const std::string& key, const std::string& path) {
  return send({.url = stack().env("CC_API") + path, .headers = {"Authorization: Bearer " + key}});
}

json::array items(const std::string& query = "") {
  const Answer answer = stack().get("/v1/dead-letters" + query);
  BOOST_REQUIRE_MESSAGE(answer.status == 200, answer.text);
  return answer.body().at("items").as_array();
}

Outcome command(const std::vector<std::string>& words) {
  std::vector<std::string> all{stack().env("CC_CCD"), "--config",
                               stack().env("CC_DIR") + "/conf/cc.yaml"};
  all.insert(all.end(), words.begin(), words.end());
  return run({.command = all});
}

/// The id of the letter whose reason begins so, as soon as there is one.
std::string letter(const std::string& reason) {
  std::string id, quoted;
  for (const char c : reason) quoted += c == '\'' ? std::string("''") : std::string(1, c);
  BOOST_REQUIRE_MESSAGE(
      eventually(
          [&] {
            id = stack().sql("SELECT max(id) FROM dead_letter WHERE starts_with(reason, '" +
                             quoted + "')");
            return !id.empty();
          },
          Millis{30'000}),
      "no letter: " << reason << "; there are: " << stack().sql("SELECT reason FROM dead_letter")
                    << "\n"
                    << stack().log("ccd"));
  return id;
}

/// The partition goes on: a call made after the poison comes to its end.
void check_that_calls_go_on(const std::string& caller) {
  const std::string call = stack().post("/v1/calls", call_body(caller, "13812348001")).at("callId");
  stack().await_state(call);
  BOOST_TEST(stack().get("/readyz").status == 200);
}

/// Listed, shown and replayed, by API and by command, and still unreadable.
void check_letter(const std::string& id, const std::string& reason) {
  bool listed = false;
  for (const json::value& item : items("?limit=200")) listed |= text_at(item, "id") == id;
  BOOST_TEST(listed);
  const Answer shown = stack().get("/v1/dead-letters/" + id);
  BOOST_REQUIRE_MESSAGE(shown.status == 200, shown.text);
  BOOST_TEST(shown.at("reason").starts_with(reason), shown.at("reason"));
  BOOST_TEST(shown.at("replayed") == "");
  const Answer replayed = stack().post("/v1/dead-letters/" + id + "/replay");
  BOOST_REQUIRE_MESSAGE(replayed.status == 200, replayed.text);
  BOOST_TEST(replayed.at("outcome") == "still_unreadable");
  BOOST_TEST(replayed.at("reason") != "");

  const Outcome list = command({"dead-letter", "list", "--reason", reason});
  BOOST_TEST(list.status == 0);
  BOOST_TEST(list.output.starts_with(id + " "), list.output);
  const Outcome show = command({"dead-letter", "show", id});
  BOOST_TEST(show.status == 0);
  BOOST_TEST(show.output.find(reason) != std::string::npos, show.output);
  const Outcome replay = command({"dead-letter", "replay", id});
  BOOST_TEST(replay.status == 3);
  BOOST_TEST(replay.output.find(id + ": still unreadable: ") != std::string::npos, replay.output);
  BOOST_TEST(stack().sql("SELECT count(*) FROM dead_letter WHERE replayed IS NOT NULL AND id = " +
                         id) == "0");
}

}  // namespace

BOOST_AUTO_TEST_CASE(poison_never_blocks_its_partition) {
  Stream stream;
  // What is wrong with the entry around the delivery.
  stream.add({"e9", "hello"});
  stream.add({"e9", "v7 1 callback - - - -\n<req/>"});
  stream.add({"e9", envelope(callback("CallInvite", 'a')), "extra", "field"});
  stream.add({std::string("\xd5\xe3\xbd\xad\0", 5), envelope("x")});  // a code in GBK, and a NUL
  stream.add({std::string(500, 'c'), envelope("long code")});
  stream.add({"e9", "v1 9223372036854775807 callback - - - -\n" + callback("CallInvite", 'b')});
  // What is wrong with the delivery.
  stream.add({"e9", envelope(std::string("<req>\0</req>", 12))});
  stream.add({"e9", envelope("<req><action>\xd6\xd0\xce\xc4</action></req>")});
  stream.add({"e9", envelope(std::string(8 << 20, ' '))});
  stream.add({"e9", envelope("")});
  stream.add(
      {"e9", envelope(callback("Hangup", 'c', "<userData>cc1.9223372036854775807.1</userData>"))});
  // Values that are too long or no text are stored as far as they go.
  stream.add(
      {"e9", envelope(callback("CallInvite", 'd',
                               "<recordUrl>http://" + std::string(9000, 'u') + "</recordUrl>"))});
  check_that_calls_go_on("13944450001");
  check_letter(letter("envelope version 'hello'"), "envelope version 'hello'");
  check_letter(letter("envelope version 'v7'"), "envelope version 'v7'");
  check_letter(letter("the stream"), "the stream's entry has not exactly one field");
  check_letter(letter("received-ms"), "received-ms is no time that can be");
  check_letter(letter("no channel of this code"), "no channel of this code");
  const std::string large =
      stack().sql("SELECT id FROM dead_letter WHERE octet_length(raw) > 8 << 20");
  BOOST_REQUIRE(!large.empty());
  const Answer shown = stack().get("/v1/dead-letters/" + large);
  BOOST_TEST(shown.status == 200);
  BOOST_TEST(shown.at("raw").size() > (8U << 20) / 3 * 4);
  BOOST_TEST(command({"dead-letter", "replay", large}).status == 3);
  BOOST_TEST(command({"dead-letter", "show", large}).output.size() < 10'000U);
  const Outcome raw = command({"dead-letter", "show", large, "--raw"});
  BOOST_TEST(raw.output.size() > (8U << 20));
  // An echo that no call of ours can have had.
  BOOST_TEST(stack().sql("SELECT count(*) FROM dead_letter WHERE position('cc1.92233' IN "
                         "encode(raw, 'escape')) > 0 AND starts_with(reason, 'expired')") == "1");
  // Nothing keeps the sweep of waiting events from its work either.
  BOOST_TEST(eventually([] { return stack().sql("SELECT count(*) FROM waiting_event") == "0"; }));
  BOOST_TEST(stack().log("ccd").find("waiting events:") == std::string::npos);
  BOOST_TEST(stack().violations() == 0);
}

BOOST_AUTO_TEST_CASE(large_deliveries_are_taken_in_bites) {
  Stream stream;
  for (int i = 0; i < 40; ++i) {
    stream.add({"large", envelope(std::string(1 << 20, 'x') + std::to_string(i))});
  }
  check_that_calls_go_on("13944450003");
  BOOST_TEST(stack().sql("SELECT count(*) FROM dead_letter WHERE channel = 'large'") == "40");
}

BOOST_AUTO_TEST_CASE(an_entry_of_several_fields_is_kept_whole) {
  Stream stream;
  stream.add({"e9", "one", "zwei", "two"});
  const std::string id = letter("the stream");
  BOOST_TEST(eventually([] {
    return stack().sql(
               "SELECT count(*) FROM dead_letter WHERE raw = 'cc-fields 2\n2 3\ne9one4 "
               "3\nzweitwo'") == "1";
  }));
}

BOOST_AUTO_TEST_CASE(a_channel_that_is_configured_later_gets_its_deliveries_after_all) {
  Stream stream;
  stream.add({"e9x", envelope(callback("CallInvite", '1'))});
  stream.add({"e9x", envelope(callback("Hangup", '1', hangup))});
  BOOST_REQUIRE(eventually([] { return items("?channel=e9x").size() == 2; }));
  check_that_calls_go_on("13944450002");
  const std::string second = text_at(items("?channel=e9x")[0], "id");
  const std::string first = text_at(items("?channel=e9x")[1], "id");
  BOOST_TEST(std::stoll(first) < std::stoll(second));  // newest first
  check_letter(second, "no channel of this code");
  stack().reconfigure("  e9:\n",
                      "  e9x:\n    kind: e9\n    enabled: false\n    accountSid: " +
                          stack().env("CC_E9_ACCOUNT_SID") +
                          "\n    authToken: \"file:" + stack().env("CC_DIR") +
                          "/secrets/e9.auth-token\"\n    appId: " + stack().env("CC_E9_APP_ID") +
                          "\n    defaultTenant: demo\n  e9:\n");
  // Seen by its own tenants only, now that it is somebody's: demo's list of channels names e9
  // alone.
  BOOST_REQUIRE(eventually([] { return items("?channel=e9x").empty(); }));
  BOOST_TEST(stack().get("/v1/dead-letters/" + first).status == 404);
  BOOST_TEST(stack().post("/v1/dead-letters/" + first + "/replay").status == 404);
  stack().reconfigure("  demo:\n    channels: [e9, e9b, hw]",
                      "  demo:\n    channels: [e9, e9b, hw, e9x]");
  BOOST_REQUIRE(eventually([] { return items("?channel=e9x").size() == 2; }));

  const Answer one = stack().post("/v1/dead-letters/" + first + "/replay");
  BOOST_TEST(one.at("outcome") == "replayed", one.text);
  BOOST_TEST(one.at("waiting") == "1");
  const Outcome two = command({"dead-letter", "replay", second});
  BOOST_TEST(two.status == 0, two.output);
  std::string call;
  BOOST_REQUIRE(eventually([&] {
    call = stack().sql("SELECT call FROM call_attempt WHERE channel = 'e9x'");
    return !call.empty();
  }));
  const json::value record = stack().await_state(call);
  BOOST_TEST(text_at(record, "closeType") == "2");
  BOOST_TEST(text_at(record, "channel") == "e9x");

  // A second time there is nothing left to do.
  const std::string counts =
      "SELECT (SELECT count(*) FROM call_event), (SELECT count(*) FROM change), (SELECT "
      "sum(version) FROM call_record)";
  BOOST_REQUIRE(
      eventually([] { return stack().sql("SELECT count(*) FROM waiting_event") == "0"; }));
  const std::string before = stack().sql(counts);
  const Answer again = stack().post("/v1/dead-letters/" + first + "/replay");
  BOOST_TEST(again.at("outcome") == "replayed");
  BOOST_TEST(again.at("before") == "true", again.text);
  BOOST_TEST(command({"dead-letter", "replay", second}).status == 0);
  // Nor has it an effect where somebody forces it.
  stack().sql("UPDATE dead_letter SET replayed = NULL WHERE channel = 'e9x'");
  const Outcome forced = command({"dead-letter", "replay", "--all", "--channel", "e9x"});
  BOOST_TEST(forced.status == 0, forced.output);
  BOOST_TEST(forced.output.find("2 replayed, 0 still unreadable") != std::string::npos,
             forced.output);
  BOOST_TEST(stack().sql(counts) == before);
  BOOST_TEST(items("?channel=e9x&replayed=true").size() == 2U);
  BOOST_TEST(items("?channel=e9x&replayed=false").empty());
  // Dead once more if it comes back.
  stack().sql("UPDATE dead_letter SET last_seen = replayed + 1 WHERE channel = 'e9x'");
  BOOST_TEST(items("?channel=e9x&replayed=false").size() == 2U);
}

BOOST_AUTO_TEST_CASE(numbers_are_masked_and_pages_follow_each_other) {
  Stream stream;
  for (int i = 0; i < 5; ++i) {
    stream.add({"page", envelope("number 13812345678 " + std::to_string(i))});
  }
  BOOST_REQUIRE(eventually([] { return items("?channel=page").size() == 5; }));
  std::set<std::string> seen;
  std::string cursor;
  for (int page = 0; page < 3; ++page) {
    const Answer answer = stack().get("/v1/dead-letters?channel=page&reason=no%20channel&limit=2" +
                                      (cursor.empty() ? "" : "&cursor=" + cursor));
    const json::value body = answer.body();
    for (const json::value& item : body.at("items").as_array()) {
      seen.insert(text_at(item, "id"));
    }
    cursor = answer.at("next");
    BOOST_TEST(cursor.empty() == (page == 2));
  }
  BOOST_TEST(seen.size() == 5U);
  BOOST_TEST(items("?reason=nothing%20begins%20so").empty());

  const std::string id = *seen.begin();
  const Answer whole = stack().get("/v1/dead-letters/" + id);
  BOOST_TEST(whole.at("raw") != "");
  BOOST_TEST(whole.body().at("envelope").at("address").as_string() == "127.0.0.1");
  BOOST_TEST(stack().sql("SELECT count(*) FROM audit WHERE action = 'letter.shown' AND "
                         "detail->>'letter' = '" +
                         id + "'") == "1");
  const Outcome shown = command({"dead-letter", "show", id});
  BOOST_TEST(shown.output.find("138****5678") != std::string::npos, shown.output);
  BOOST_TEST(shown.output.find("13812345678") == std::string::npos);
  BOOST_TEST(command({"dead-letter", "show", id, "--numbers"}).output.find("13812345678") !=
             std::string::npos);

  stack().reconfigure("scopes: [call, read]", "scopes: [admin]");
  const std::string plain = stack().env("CC_KEY_PLAIN");
  Answer masked;
  BOOST_REQUIRE(eventually([&] {
    masked = get_as(plain, "/v1/dead-letters/" + id);
    return masked.status == 200;
  }));
  BOOST_TEST(!masked.body().as_object().contains("raw"));
  stack().reconfigure("scopes: [admin]", "scopes: [call, read]");
  BOOST_REQUIRE(eventually([&] { return get_as(plain, "/v1/dead-letters").status == 403; }));
}

BOOST_AUTO_TEST_CASE(wrong_requests_and_commands_are_told_what_is_wrong) {
  BOOST_TEST(stack().get("/v1/dead-letters/999999999").status == 404);
  BOOST_TEST(stack().get("/v1/dead-letters/abc").at("type") == "/problems/dead-letter-not-found");
  BOOST_TEST(stack().post("/v1/dead-letters/999999999/replay").status == 404);
  for (const char* query : {"?limit=0", "?limit=201", "?cursor=x", "?channel=", "?replayed=2",
                            "?what=1", "?reason=%00"}) {
    BOOST_TEST(stack().get(std::string("/v1/dead-letters") + query).status == 400, query);
  }
  BOOST_TEST(command({"dead-letter", "--help"}).status == 0);
  BOOST_TEST(command({"dead-letter", "show", "999999999"}).status == 1);
  BOOST_TEST(command({"dead-letter", "replay", "999999999"}).status == 1);
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{},
                                             {"show"},
                                             {"show", "x"},
                                             {"replay"},
                                             {"replay", "1", "--all"},
                                             {"list", "--limit"},
                                             {"list", "--limit", "0"},
                                             {"list", "--what"},
                                             {"bury", "1"}}) {
    std::vector<std::string> all{"dead-letter"};
    all.insert(all.end(), words.begin(), words.end());
    const Outcome outcome = command(all);
    BOOST_TEST(outcome.status == 2, outcome.output);
    BOOST_TEST(outcome.output.find("--help") != std::string::npos);
  }
}
