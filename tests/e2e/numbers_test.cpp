// Customers' numbers are put into everything that takes text, and looked for in everything that CC
// writes, names or answers. Agents' own phones (139…) are no customers'. CC_SOAK=long: thousands.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>

#include <boost/test/unit_test.hpp>

#include "numbers_scene.hpp"
#include "process.hpp"

using namespace cc::test;

namespace {

const bool is_long = std::getenv("CC_SOAK") != nullptr;
const int e9_calls = is_long ? 4000 : 300, hw_calls = is_long ? 1500 : 60;

std::string handset() {
  static int next = 30'000'000;
  return "139" + std::to_string(next++);
}

std::string quoted(const std::string& text) {
  return '"' + text + '"';
}

/// What one case plants is looked for by the next ones too.
Scene& scene() {
  static Scene one;
  return one;
}

std::vector<std::string> e9_made;  // ids of calls

std::string callback_xml(const std::string& action, const std::string& called,
                         const std::string& id, const std::string& more = "") {
  return "<?xml version='1.0'?><req><action>" + action + "</action><type>1</type><appId>" +
         scene().stack.env("CC_E9_APP_ID") + "</appId><caller>" + handset() + "</caller><called>" +
         called + "</called><userFlag>0</userFlag><subType>0</subType><callId>" + id + "</callId>" +
         more + "</req>";
}

/// Fifty at a time; each has a phone of its own.
void make_e9_calls() {
  constexpr std::array presets{"8001", "8001", "8002", "8003", "8004", "8006", "8014",
                               "8016", "8019", "8021", "8022", "8023", "8024", "8031",
                               "8033", "8036", "8038", "9117", "9200", "9220"};
  Scene& s = scene();
  std::map<long, int> statuses;
  for (int made = 0; made < e9_calls; made += 50) {
    std::vector<Call> posts;
    for (int i = 0; i < 50; ++i) {
      const std::string digits = presets.at(static_cast<std::size_t>(made + i) % presets.size());
      const std::string number = i % 7 == 0 ? s.planted.landline(digits) : s.planted.mobile(digits);
      std::vector<std::string> headers;
      if (i % 3 == 0) headers.push_back("Prefer: wait=2");
      if (i % 5 == 0) headers.push_back("Idempotency-Key: " + s.planted.mobile());
      if (i % 4 == 0) headers.push_back("Request-Id: " + s.planted.mobile());
      posts.push_back(
          s.request("POST", "/v1/calls", call_body(handset(), s.planted.written(number)), headers));
    }
    for (const Answer& answer : send_together(posts)) {
      ++statuses[answer.status];
      s.hear("POST /v1/calls", answer);
      if (!answer.at("callId").empty()) e9_made.push_back(answer.at("callId"));
    }
  }
  BOOST_TEST(static_cast<int>(e9_made.size()) == e9_calls);
  BOOST_TEST(statuses[502] > 0);  // refused by the channel
}

void make_hw_calls() {
  Scene& s = scene();
  int made = 0;
  for (int round = 0; made < hw_calls; ++round) {
    BOOST_REQUIRE(round < 60 * hw_calls);
    for (int agent = first_agent; agent <= last_agent; ++agent) {
      const std::string number = s.planted.mobile();
      const Answer answer = s.ask("POST", "/v1/calls",
                                  R"({"channel":"hw","agent":")" + std::to_string(agent) +
                                      R"(","called":")" + s.planted.written(number) + "\"}");
      made += answer.status == 202 ? 1 : 0;
    }
  }
}

/// The channel's own words repeat the number, in one form or another.
void make_refusals_that_repeat_the_number() {
  Scene& s = scene();
  for (int i = 0; i < 20; ++i) {
    const std::string number = s.planted.mobile();
    const std::string words = "no call to " + s.planted.written(number) + ", sorry";
    const std::string answer = i % 2 == 0 ? R"({"resp":{"statusCode":"900777","statusMsg":")" +
                                                words + R"(","represent":")" + words + "\"}}"
                                          : "<html>" + words + "</html>";
    json::object script{{"originate", json::object{{"rawBody", answer}}}};
    BOOST_REQUIRE_EQUAL(
        s.stack.simulator("PUT", "scripts/" + number, json::serialize(script)).status, 200);
    const Answer refused =
        s.ask("POST", "/v1/calls", call_body(handset(), number), {"Prefer: wait=5"});
    BOOST_TEST((refused.status == 502 || refused.status == 504), refused.text);
  }
}

void make_mistakes(const std::string& by) {
  Scene& s = scene();
  const auto number = [&] { return s.planted.written(s.planted.mobile()); };
  const auto bare = [&] { return s.planted.mobile(); };
  std::vector<std::string> bodies{
      "{",
      bare(),
      quoted(number()),
      "[" + bare() + "]",
      "{\"called\":" + bare() + "}",
      "{\"called\":\"" + number(),
      "{\"called\":\"" + number() + "x\"}",
      call_body(handset(), "tel:" + bare()),
      call_body(handset(), number(), quoted(number()) + ":1"),
      call_body(handset(), bare(), "\"maxDuration\":" + quoted(number())),
      call_body(handset(), bare(), "\"maxDuration\":" + bare()),
      call_body(handset(), bare(), "\"initiator\":" + quoted(number())),
      call_body(handset(), bare(), "\"channel\":" + quoted(number())),
      call_body(handset(), bare(), "\"channel\":\"zz\""),
      call_body(handset(), bare(), "\"record\":" + quoted(number())),
      call_body(handset(), bare(), "\"mainNum\":" + quoted("x" + number())),
      call_body(handset(), bare(), "\"called\":" + quoted(number())),
      "{\"called\":{\"callId\":" + quoted(bare()) + "},\"caller\":\"13900000001\"}",
      "{\"called\":{" + quoted(number()) + ":1},\"caller\":\"13900000001\"}",
      "{\"called\":" + quoted(number()) + "}",  // nothing says which line
      R"({"channel":"hw","agent":"99","called":)" + quoted(number()) + "}",
      R"({"user":"nobody","called":)" + quoted(number()) + "}"};
  for (const std::string& body : bodies) s.ask("POST", "/v1/calls", body, {}, by);
  const std::string good = call_body("13900000001", "1");
  for (const char* name : {"Idempotency-Key: ", "Prefer: wait=", "Content-Type: ", "X-Phone: ",
                           "Expect: ", "If-None-Match: ", "User-Agent: ", "Referer: http://x/?n=",
                           "X-Forwarded-For: ", "Cookie: n=", "Accept: ", "Request-Id: tel-"}) {
    s.ask("POST", "/v1/calls", good, {name + bare()}, by);
    s.ask("GET", "/v1/calls/1", "", {name + number()}, by);
  }
  s.hear("a number as key", send({.url = s.stack.env(by) + "/v1/calls/1",
                                  .headers = {"Authorization: Bearer " + bare()}}));
  for (const std::string& path : {"/" + bare(),
                                  "/v1/" + bare(),
                                  "/v1/calls/" + bare(),
                                  "/v1/calls/%2B86" + bare(),
                                  "/v1/calls/" + bare() + "/events",
                                  "/v1/calls/" + bare() + "/" + bare(),
                                  "/v1/calls?called=" + bare(),
                                  "/v1/calls?" + bare() + "=1",
                                  "/v1/calls?limit=" + bare(),
                                  "/v1/calls?state=" + bare(),
                                  "/v1/calls?cursor=" + bare(),
                                  "/v1/calls?ids=" + bare() + ",x",
                                  "/v1/calls?from=" + bare() + "x",
                                  "/v1/calls?closeType=x" + bare(),
                                  "/v1/calls/1?version=" + bare() + "x",
                                  "/v1/export.csv?called=" + bare(),
                                  "/v1/export.csv?bom=" + bare(),
                                  "/v1/rejections?code=" + bare(),
                                  "/v1/rejections?called=" + bare(),
                                  "/v1/audit?callId=" + bare(),
                                  "/v1/audit?key=" + bare(),
                                  "/v1/agents/hw/" + bare(),
                                  "/v1/agents/" + bare() + "/1",
                                  "/v1/agents?actual=" + bare(),
                                  "/v1/bindings/" + bare(),
                                  "/v1/channels/" + bare(),
                                  "/v1/dead-letters/" + bare(),
                                  "/v1/dead-letters?reason=" + bare(),
                                  "/v1/reconciliation/" + bare(),
                                  "/v1/health?" + bare() + "=" + bare(),
                                  "/callback/" + bare(),
                                  "/docs/" + bare(),
                                  "/problems/" + bare(),
                                  "/v1/calls/" + bare() + "%zz",
                                  "/v1/calls/%31%35%37" + bare()}) {
    s.ask("GET", path, "", {}, by);
    s.ask("DELETE", path, "", {}, by);
  }
  for (const std::string& path :
       {std::string("/v1/calls/search"), "/v1/agents/hw/" + bare(), "/v1/bindings/" + bare(),
        "/v1/channels/" + bare(), std::string("/v1/channels/e9"), "/v1/calls/" + bare() + "/hangup",
        "/v1/agents/hw/" + bare() + "/release", "/v1/dead-letters/" + bare() + "/replay"}) {
    for (const char* method : {"POST", "PUT", "PATCH"}) {
      s.ask(method, path, "{\"called\":" + quoted(number()) + "," + quoted(number()) + ":1}", {},
            by);
      s.ask(method, path, "{\"x\":" + quoted(number()), {}, by);
    }
  }
  s.ask("POST", "/v1/agents/hw/1000/release", "{\"reason\":" + quoted("for " + number()) + "}", {},
        by);
  s.ask("POST", "/v1/calls", std::string(70'000, ' ') + bare(), {}, by);
  s.ask("GET", "/v1/calls/" + bare() + "?x=" + std::string(9'000, 'x'), "", {}, by);
  s.ask("GET", "/v1/calls/" + bare(), "", {"X-Long: " + bare() + std::string(9'000, 'x')}, by);
}

/// With the key that sees numbers: its errors hold none either.
void search_by_number() {
  Scene& s = scene();
  for (const char* by : {"CC_NGINX", "CC_API"}) {
    const auto search = [&](const std::string& body) {
      Call call = s.stack.post_later("/v1/calls/search", body);
      call.url = s.stack.env(by) + "/v1/calls/search";
      const Answer answer = send(call);
      if (answer.status >= 400) s.hear("POST /v1/calls/search", answer);
      return answer.status;
    };
    const std::string number = s.planted.mobile();
    BOOST_TEST(search("{\"called\":" + quoted(number) + "}") == 200);
    BOOST_TEST(search("{\"called\":" + quoted(number) + ",\"" + number + "\":1}") == 400);
    BOOST_TEST(search("{\"called\":" + quoted(number + "x") + "}") == 400);
    BOOST_TEST(search("{\"caller\":" + quoted(number) + ",\"limit\":\"" + number + "\"}") == 400);
  }
}

void make_callbacks() {
  Scene& s = scene();
  const auto bare = [&] { return s.planted.mobile(); };
  auto id = [n = 0]() mutable { return std::string(24, 'a') + std::to_string(10'000'000 + n++); };
  for (int i = 0; i < 10; ++i) {
    const std::string query = "?called=" + bare() + "&%2B86" + bare() + "=1";
    s.call_back(callback_xml("CallInvite", bare(), id()), query);
    s.call_back(callback_xml("Hangup", bare(), id(),
                             "<duration>0</duration><byeType>" + bare() + "</byeType>"),
                query);
    s.call_back(
        callback_xml("Hangup", "+86 " + bare(), id(), "<n" + bare() + ">1</n" + bare() + ">"));
    s.call_back(callback_xml(bare(), bare(), id()));
    s.call_back(callback_xml("CallEstablish", bare(), bare()));
    s.call_back("<req><called>" + bare(), query);
    s.call_back("called=" + bare(), query, "application/x-www-form-urlencoded");
    s.call_back("{\"called\":\"" + bare() + "\"", query, "application/json");
    s.call_back("{\"action\":\"Hangup\",\"called\":" + bare() + "}", query,
                "application/" + bare());
    s.call_back("<req><appId>" + bare() + "</appId><called>" + bare() + "</called></req>", query);
    s.call_back(bare(), query, "text/plain", "/callback/e9/" + bare());
    s.call_back(bare(), query, "text/plain", "/callback/" + bare() + "/x");
    s.call_back(std::string(300'000, 'x') + bare(), query);
  }
  // A recording's address names the number; so does the channel's echo of our own words.
  BOOST_REQUIRE(!e9_made.empty());
  for (std::size_t i = 0; i < std::min<std::size_t>(e9_made.size(), 20); ++i) {
    const std::string channel_id = s.ask("GET", "/v1/calls/" + e9_made[i]).at("channelCallId");
    if (channel_id.empty()) continue;
    const std::string number = bare();
    s.call_back(callback_xml("Hangup", number, channel_id,
                             "<duration>5</duration><byeType>1</byeType><recordUrl>http://x/" +
                                 number + ".mp3?n=%2B86" + number + "</recordUrl><userData>cc1." +
                                 e9_made[i] + ".1</userData>"));
  }
}

/// Parts are away while numbers come: what is logged then is seldom seen.
void make_outages() {
  Scene& s = scene();
  const auto all = [&] {
    for (const char* by : {"CC_NGINX", "CC_API"}) {
      s.ask("POST", "/v1/calls", call_body(handset(), s.planted.mobile()), {}, by);
      s.ask("GET", "/v1/calls/" + s.planted.mobile() + "?x=" + s.planted.mobile(), "", {}, by);
      s.ask("GET", "/v1/agents/hw/" + s.planted.mobile(), "", {}, by);
      s.ask("GET", "/v1/calls?agent=" + s.planted.mobile(), "", {}, by);
    }
    s.call_back(callback_xml("CallInvite", s.planted.mobile(), std::string(32, 'b')),
                "?n=" + s.planted.mobile());
  };
  for (const char* part : {"redis", "postgres", "ccd"}) {
    s.stack.part("stop", part);
    all();
    s.stack.part("start", part);
  }
  const Answer away = s.ask("GET", "/v1/health");
  BOOST_TEST(away.status == 200);
}

/// One request with the key that sees numbers: whether it showed some, and what the trail says.
struct Told {
  bool shows = false;
  std::string rows;
};
Told tell(const std::string& method, const std::string& path, const std::string& body,
          const std::string& key) {
  static int number = 0;
  Scene& s = scene();
  const std::string id = "told-" + std::to_string(++number);
  const Answer answer = send({.method = method,
                              .url = s.stack.env("CC_NGINX") + path,
                              .body = body,
                              .headers = {"Authorization: Bearer " + key, "Request-Id: " + id}});
  BOOST_TEST(answer.status < 300, method << " " << path << ": " << answer.text);
  return {!s.planted.found_in(answer.text).empty(),
          s.stack.sql("SELECT string_agg(action || ' ' || count, ',' ORDER BY id) FROM audit WHERE "
                      "request_id = '" +
                      id + "'")};
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_search_finds_what_is_there) {
  Planted planted;
  const std::string number = planted.mobile(), landline = planted.landline();
  for (const std::string& text :
       {number, "+86" + number, "0086" + number, "x" + number + "y", "9" + number + "9",
        number.substr(0, 3) + " " + number.substr(3, 4) + "-" + number.substr(7),
        number.substr(0, 3) + "%20" + number.substr(3), "86 " + number}) {
    BOOST_TEST(planted.found_in(text) == std::vector{number}, text);
  }
  BOOST_TEST(planted.found_in(landline + "," + number).size() == 2U);
  BOOST_TEST(planted.found_in(number.substr(0, 3) + "****" + number.substr(7)).empty());
  BOOST_TEST(planted.found_in(number.substr(1)).empty());
  for (int i = 0; i < 10; ++i) {
    BOOST_TEST(planted.found_in(planted.written(number)) == std::vector{number});
  }
}

BOOST_AUTO_TEST_CASE(no_planted_number_comes_out_whole) {
  Scene& s = scene();
  make_e9_calls();
  make_hw_calls();
  make_refusals_that_repeat_the_number();
  for (const char* by : {"CC_NGINX", "CC_API"}) make_mistakes(by);
  search_by_number();
  make_callbacks();
  make_outages();
  BOOST_TEST(
      eventually([&] { return std::stol(s.stack.sql("SELECT count(*) FROM dead_letter")) >= 20; },
                 Millis{30'000}));
  s.look_at_answers(static_cast<std::size_t>(e9_calls + hw_calls));
  s.look_at_files();
  for (const std::string& problem : s.found) BOOST_ERROR(problem);
  BOOST_TEST_MESSAGE(s.planted.size() << " numbers planted");

  // The logs were really looked at: what is put there is found.
  std::set<std::string> names;
  for (const std::string& log : s.own_logs()) {
    if (!read_file(log).empty()) names.insert(log.substr(log.rfind('/') + 1));
  }
  for (const char* name : {"ccd.log", "nginx.log", "nginx.api.log", "nginx.callback.log"}) {
    BOOST_TEST(names.contains(name), name);
  }
  s.found.clear();
  const std::string control = s.planted.mobile();
  std::ofstream(s.stack.env("CC_DIR") + "/log/nginx.log", std::ios::app)
      << "upstream: \"http://x/+86 " << control << "\"\n";
  std::ofstream(s.stack.env("CC_DIR") + "/ccd/" + control + ".txt") << "x";
  s.look_at_files();
  for (const std::string& there : s.found) BOOST_TEST_MESSAGE(there);
  BOOST_TEST(s.found.size() == 2U);
}

BOOST_AUTO_TEST_CASE(whoever_sees_a_whole_number_is_in_the_audit_trail) {
  Scene& s = scene();
  const std::string all = s.stack.env("CC_KEY");
  // Each time a call that nobody was shown yet. ID and NUMBER stand for its own.
  const auto check = [&](const std::string& method, std::string path, std::string body = "") {
    const std::string number = s.planted.mobile();
    const Answer made = send(s.request("POST", "/v1/calls", call_body(handset(), number)));
    BOOST_REQUIRE_MESSAGE(made.status == 202, made.text);
    if (const auto at = path.find("ID"); at != std::string::npos) {
      path.replace(at, 2, made.at("callId"));
    }
    if (const auto at = body.find("NUMBER"); at != std::string::npos) body.replace(at, 6, number);
    if (body.empty()) {
      const Told hidden = tell(method, path, body, s.key());
      BOOST_TEST(!hidden.shows, path);
      BOOST_TEST(hidden.rows == "", path);
    }
    const Told told = tell(method, path, body, all);
    BOOST_TEST(told.shows, path);
    BOOST_TEST(told.rows.starts_with("numbers.shown "), path << ": " << told.rows);
  };
  check("GET", "/v1/calls/ID");
  check("GET", "/v1/calls/ID?version=0&wait=1");
  check("POST", "/v1/calls/ID/hangup");
  check("GET", "/v1/calls?ids=ID");
  check("POST", "/v1/calls/search", R"({"called":"NUMBER"})");
  const std::string exported = tell("GET", "/v1/export.csv", "", all).rows;
  BOOST_TEST(exported.starts_with("calls.exported 0,calls.exported "), exported);
  // Who makes a call knows the number; but not who calls somebody's customer again.
  const Told created = tell("POST", "/v1/calls", call_body(handset(), s.planted.mobile()), all);
  BOOST_TEST(created.shows);
  BOOST_TEST(created.rows == "");
  const Answer first =
      send(s.request("POST", "/v1/calls", call_body(handset(), s.planted.mobile())));
  const std::string again =
      R"({"called":{"callId":")" + first.at("callId") + R"("},"caller":")" + handset() + "\"}";
  BOOST_TEST(tell("POST", "/v1/calls", again, all).rows == "numbers.shown 1");
  // Raw bytes of a letter.
  const std::string letter = s.stack.sql("SELECT max(id) FROM dead_letter");
  BOOST_TEST(tell("GET", "/v1/dead-letters/" + letter, "", all).rows == "letter.shown 1");
}
