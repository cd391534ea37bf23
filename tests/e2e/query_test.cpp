// Finding calls through the API and `ccd call`: each filter, pages under insertion, search by
// number, exports of any length, what was refused and why.
#include <algorithm>
#include <ctime>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <thread>

#include <boost/test/unit_test.hpp>

#include "commands.hpp"

using namespace cc::test;

namespace {

Stack& stack() {
  static Stack one("20");
  return one;
}

std::string customer(const std::string& digits) {
  static int number = 1000;
  return "138" + std::to_string(number++) + digits;
}

/// Made and ended.
std::string closed_call(const std::string& caller, const std::string& called,
                        const std::string& more = "") {
  const Answer made = stack().post("/v1/calls", call_body(caller, called, more));
  BOOST_REQUIRE_MESSAGE(made.status == 202, made.text);
  stack().await_state(made.at("callId"));
  return made.at("callId");
}

std::vector<std::string> ids_of(const Answer& answer) {
  std::vector<std::string> ids;
  BOOST_REQUIRE_MESSAGE(answer.status == 200, answer.text);
  const json::value body = answer.body();
  for (const json::value& item : body.at("items").as_array())
    ids.push_back(text_at(item, "callId"));
  return ids;
}

using Ids = std::vector<std::string>;

/// So many calls of the tenant that end at `until_ms`, a millisecond apart. Their bizType is
/// `type`.
void plant(const std::string& type, int count, std::int64_t until_ms) {
  const std::string until = std::to_string(until_ms), number = std::to_string(count);
  stack().sql("SELECT cc_make_partitions(" + until + " - 86400000, " + until + ")");
  stack().sql(
      "INSERT INTO call_record (id, tenant, direction, initiator, max_duration, created, updated, "
      "state, version, biz_type, biz_data, caller, called, agent, channel, close_type, "
      "close_detail) SELECT ((at - 1577836800000) << 22) + nextval('call_id_sequence'), 'demo', "
      "'out', 'agent', 3600, at, at, 'close', 1, '" +
      type +
      "', '=1+1, \"' || n || '\"', '13911110001', '138' || lpad(n::text, 8, '0'), "
      "'13911110001', 'e9', '0', 'normal' FROM (SELECT n, " +
      until + " - n AS at FROM generate_series(1, " + number + ") AS n) AS x");
}

std::set<std::string> planted(const std::string& type) {
  std::istringstream lines(
      stack().sql("SELECT id FROM call_record WHERE biz_type = '" + type + "'"));
  std::set<std::string> ids;
  for (std::string line; std::getline(lines, line);) ids.insert(line);
  return ids;
}

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

/// KiB that ccd has in memory.
long resident() {
  std::ifstream status("/proc/" + std::to_string(stack().pid("ccd")) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return std::stol(line.substr(6));
  }
  return 0;
}

/// "14:03", in UTC+8, of a call's creation.
std::string local_minute(const std::string& call, int add = 0) {
  const std::time_t seconds =
      std::stoll(stack().get("/v1/calls/" + call).at("created")) / 1000 + 8 * 3600 + add * 60;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  std::array<char, 16> text{};
  std::strftime(text.data(), text.size(), "%H:%M", &utc);
  return text.data();
}

std::string local_day(const std::string& call) {
  const std::time_t seconds =
      std::stoll(stack().get("/v1/calls/" + call).at("created")) / 1000 + 8 * 3600;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  std::array<char, 16> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%d", &utc);
  return text.data();
}

}  // namespace

BOOST_AUTO_TEST_CASE(each_filter_finds_its_calls) {
  const std::string caller = "13922220001", called = customer("8001");
  const std::string wanted =
      closed_call(caller, called, R"("user":"u-1","business":"b-1","bizType":"t-1","bizId":"i-1")");
  const std::string busy = closed_call(
      caller, customer("8003"), R"("user":"u-1","business":"b-2","bizType":"t-1","bizId":"i-2")");
  const std::string channel_call = stack().get("/v1/calls/" + wanted).at("channelCallId");
  BOOST_REQUIRE(!channel_call.empty());
  const std::map<std::string, Ids> cases{
      {"user=u-1", {busy, wanted}},
      {"agent=" + caller, {busy, wanted}},
      {"user=u-1&channel=e9", {busy, wanted}},
      {"user=u-1&channel=hw", {}},
      {"user=u-1&closeType=0", {wanted}},
      {"user=u-1&closeType=4", {busy}},
      {"user=u-1&business=b-1", {wanted}},
      {"bizType=t-1", {busy, wanted}},
      {"bizType=t-1&bizId=i-2", {busy}},
      {"bizId=i-1", {wanted}},
      {"user=u-1&state=close", {busy, wanted}},
      {"user=u-1&state=open", {}},
      {"channelCallId=" + channel_call, {wanted}},
      {"ids=" + wanted + "," + busy, {busy, wanted}},
      {"ids=" + wanted + "&user=u-2", {}},
      {"user=u-1&limit=1", {busy}},
      {"user=u-1&from=" + std::to_string(now_ms() + 60'000), {}},
      {"user=u-1&to=2020-01-01T00:00:00Z", {}},
      {"user=u-1&from=2020-01-01T00:00:00%2B08:00", {busy, wanted}},
  };
  for (const auto& [filter, ids] : cases) {
    BOOST_TEST(ids_of(stack().get("/v1/calls?" + filter)) == ids, filter);
  }
  const Answer open = stack().post("/v1/calls", call_body("13922220002", customer("8010")));
  BOOST_REQUIRE(open.status == 202);
  stack().await_state(open.at("callId"), "conn");
  BOOST_TEST(ids_of(stack().get("/v1/calls?state=open")) == Ids{open.at("callId")});
  BOOST_TEST(ids_of(stack().get("/v1/calls?state=conn")) == Ids{open.at("callId")});
  stack().post("/v1/calls/" + open.at("callId") + "/hangup");
  stack().await_state(open.at("callId"));

  // By number: in a body, by whoever may see it; written as people write it.
  const std::string spaced = "+86 " + called.substr(0, 3) + " " + called.substr(3);
  BOOST_TEST(ids_of(stack().post("/v1/calls/search", R"({"called":")" + spaced + "\"}")) ==
             Ids{wanted});
  BOOST_TEST(ids_of(stack().post("/v1/calls/search", R"({"caller":")" + caller +
                                                         R"(","closeType":"4"})")) == Ids{busy});
  const Answer refused = send(with_key(stack(), stack().env("CC_KEY_PLAIN"), "POST",
                                       "/v1/calls/search", R"({"called":")" + called + "\"}"));
  BOOST_TEST(refused.status == 403);
  const Answer in_url = stack().get("/v1/calls?called=" + called);
  BOOST_TEST(in_url.status == 400);
  BOOST_TEST(in_url.text.find("/v1/calls/search") != std::string::npos, in_url.text);
  const Answer masked =
      send(with_key(stack(), stack().env("CC_KEY_PLAIN"), "GET", "/v1/calls?ids=" + wanted));
  BOOST_TEST(ids_of(masked) == Ids{wanted});
  BOOST_TEST(masked.text.find(called) == std::string::npos);
  const Answer foreign =
      send(with_key(stack(), stack().env("CC_KEY_OTHER"), "GET", "/v1/calls?ids=" + wanted));
  BOOST_TEST(ids_of(foreign).empty());
}

BOOST_AUTO_TEST_CASE(pages_hold_each_call_once_while_calls_are_made) {
  plant("paged", 2000, now_ms() - 60'000);
  const std::set<std::string> before = planted("paged");
  BOOST_REQUIRE(before.size() == 2000U);
  std::map<std::string, int> seen;
  std::string cursor;
  for (int page = 0; page < 100; ++page) {
    const Answer answer = stack().get("/v1/calls?bizType=paged&channel=e9&limit=97" +
                                      (cursor.empty() ? "" : "&cursor=" + cursor));
    for (const std::string& id : ids_of(answer)) ++seen[id];
    plant("paged", 20, now_ms());
    cursor = answer.at("next");
    if (cursor.empty()) break;
  }
  BOOST_TEST(cursor.empty());
  for (const std::string& id : before) {
    if (seen[id] != 1) BOOST_ERROR("call " << id << " was seen " << seen[id] << " times");
  }
}

BOOST_AUTO_TEST_CASE(an_export_of_fifty_thousand_calls_takes_no_memory) {
  plant("exported", 50'000, now_ms() - 60'000);
  const std::set<std::string> before = planted("exported");
  BOOST_REQUIRE(before.size() == 50'000U);
  // What a first export takes for good.
  BOOST_REQUIRE(stack().get("/v1/export.csv?bizType=paged").status == 200);
  const long at_first = resident();
  long most = at_first;
  bool over = false;
  std::thread watch([&] {
    while (!over) {
      most = std::max(most, resident());
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  });
  const Answer answer = stack().get("/v1/export.csv?bizType=exported&bom=true");
  over = true;
  watch.join();
  BOOST_REQUIRE_MESSAGE(answer.status == 200, answer.text);
  BOOST_TEST_MESSAGE("export of " << answer.text.size() / 1024 << " KiB: ccd had " << at_first
                                  << " KiB, at most " << most << " KiB");
  BOOST_TEST(most - at_first < static_cast<long>(answer.text.size() / 1024 / 2));
  BOOST_TEST(answer.headers.at("content-disposition").find("calls.csv") != std::string::npos);
  std::map<std::string, int> seen;
  std::size_t lines = 0;
  for (std::size_t at = 0, end = 0; (end = answer.text.find("\r\n", at)) != std::string::npos;
       at = end + 2, ++lines) {
    if (lines > 0) ++seen[answer.text.substr(at, answer.text.find(',', at) - at)];
  }
  BOOST_TEST(lines == 50'001U);
  BOOST_TEST(seen.size() == 50'000U);
  for (const std::string& id : before) {
    if (seen[id] != 1) BOOST_ERROR("call " << id << " is there " << seen[id] << " times");
  }
  BOOST_TEST(
      answer.text.starts_with("\xEF\xBB\xBF"
                              "callId,"));
  BOOST_TEST(answer.text.find(R"(,"'=1+1, ""7""",)") != std::string::npos);  // no formula any more
  BOOST_TEST(stack().sql("SELECT count FROM audit WHERE action = 'calls.exported' AND "
                         "detail->>'event' = 'end' ORDER BY id DESC LIMIT 1") == "50000");
}

BOOST_AUTO_TEST_CASE(each_refused_request_is_kept_with_its_reason) {
  const std::string seat = "13933330001";
  const Answer long_call = stack().post("/v1/calls", call_body(seat, customer("8010")));
  BOOST_REQUIRE(long_call.status == 202);
  const std::string planted_number = "13877776666";
  const auto refuse = [&](const std::string& biz, const std::string& more,
                          const std::vector<std::string>& headers = {}) {
    return stack()
        .post("/v1/calls",
              R"({"called":")" + planted_number + R"(","bizId":")" + biz + "\"," + more + "}",
              headers)
        .status;
  };
  BOOST_TEST(refuse("busy", R"("caller":")" + seat + "\"") == 409);
  BOOST_TEST(refuse("nobody", R"("user":"stranger")") >= 400);
  BOOST_TEST(refuse("unknown", R"("channel":"zz")") == 400);
  BOOST_TEST(refuse("wrong", R"("maxDuration":0,"record":"maybe","colour":1)") == 400);
  BOOST_TEST(refuse("text", R"("caller":"13933330002")", {"Content-Type: text/plain"}) == 415);
  BOOST_TEST(
      stack()
          .post("/v1/calls", R"({"called":{"callId":"77"},"caller":"13933330003","bizId":"gone"})")
          .status == 400);
  BOOST_TEST(stack().post("/v1/calls", "{\"called\":").status == 400);
  BOOST_TEST(refuse("once", R"("caller":"13933330004")", {"Idempotency-Key: k-1"}) == 202);
  BOOST_TEST(refuse("twice", R"("caller":"13933330004")", {"Idempotency-Key: k-1"}) == 422);
  const std::map<std::string, std::string> codes{
      {"busy", "line-busy"},        {"unknown", "unknown-channel"},
      {"wrong", "invalid-request"}, {"text", "unsupported-media-type"},
      {"gone", "invalid-request"},  {"twice", "idempotency-key-reused"}};
  for (const auto& [biz, code] : codes) {
    const Answer answer = stack().get("/v1/rejections?bizId=" + biz);
    BOOST_REQUIRE_MESSAGE(answer.status == 200, answer.text);
    const json::value body = answer.body();
    const json::array& items = body.at("items").as_array();
    BOOST_REQUIRE_MESSAGE(items.size() == 1U, biz << ": " << answer.text);
    BOOST_TEST(text_at(items[0], "code") == code, biz);
    BOOST_TEST(text_at(items[0], "key") == "demo-all");
    BOOST_TEST(!text_at(items[0], "requestId").empty());
    if (biz != "gone") BOOST_TEST(text_at(items[0], "called") == "138****6666", biz);
    if (biz == "busy") BOOST_TEST(text_at(items[0], "callId") == long_call.at("callId"));
    if (biz == "wrong") {
      for (const char* name : {"maxDuration", "record", "colour"}) {
        BOOST_TEST(text_at(items[0], "detail").find(name) != std::string::npos, name);
      }
    }
  }
  BOOST_TEST(stack().get("/v1/rejections?bizId=nobody").body().at("items").as_array().size() == 1U);
  BOOST_TEST(
      stack().get("/v1/rejections?code=malformed-request").body().at("items").as_array().size() ==
      1U);
  const Answer all = stack().get("/v1/rejections?limit=200");
  BOOST_TEST(all.text.find(planted_number) == std::string::npos);
  const Answer foreign =
      send(with_key(stack(), stack().env("CC_KEY_OTHER"), "GET", "/v1/rejections"));
  BOOST_TEST(foreign.body().at("items").as_array().empty());
  stack().post("/v1/calls/" + long_call.at("callId") + "/hangup");
  stack().await_state(long_call.at("callId"));
}

BOOST_AUTO_TEST_CASE(the_timeline_tells_of_requests_and_both_times) {
  const Answer made = stack().post("/v1/calls", call_body("13944440001", customer("8001")),
                                   {"Request-Id: story-1"});
  BOOST_REQUIRE(made.status == 202);
  const std::string call = made.at("callId");
  stack().await_state(call);
  const json::value timeline = stack().get("/v1/calls/" + call + "/events").body();
  BOOST_TEST(text_at(timeline.at("attempts").at(0), "requestId") == "story-1");
  BOOST_TEST(timeline.at("recording").is_object());
  std::set<std::string> sources;
  for (const json::value& event : timeline.at("events").as_array()) {
    sources.insert(text_at(event, "source"));
    BOOST_TEST(!text_at(event, "at").empty());
  }
  BOOST_TEST(sources.contains("cc"));
  BOOST_TEST(sources.contains("callback"));
}

BOOST_AUTO_TEST_CASE(ccd_call_shows_a_call_and_what_happened) {
  const std::string caller = "13955558877", called = customer("8008");
  const std::string unanswered = closed_call(caller, called, R"("user":"asker")");
  const Outcome shown = ccd_command(stack(), {"call", "show", unanswered});
  BOOST_TEST(shown.status == 0, shown.output);
  // This channel never tells of ringing.
  BOOST_TEST(
      shown.output.find(" and not reached (the channel does not say whether the phone rang); "
                        "the customer was never called.\n") != std::string::npos,
      shown.output);
  BOOST_TEST(shown.output.find("attempt.planned") != std::string::npos, shown.output);
  BOOST_TEST(shown.output.find(called) == std::string::npos, shown.output);
  BOOST_TEST(shown.output.find(caller) == std::string::npos, shown.output);

  const std::string before = stack().sql("SELECT count(*) FROM audit WHERE key LIKE 'command:%'");
  const Outcome whole = ccd_command(stack(), {"call", "show", unanswered, "--numbers", "--zh"});
  BOOST_TEST(whole.output.find(called) != std::string::npos, whole.output);
  BOOST_TEST(whole.output.find("未接通（渠道未说明是否振铃），未呼叫客户。\n") != std::string::npos,
             whole.output);
  BOOST_TEST(
      stack().sql("SELECT count(*) - " + before + " FROM audit WHERE key LIKE 'command:%'") == "1");
  BOOST_TEST(stack().sql("SELECT calls[1] FROM audit WHERE key LIKE 'command:%' ORDER BY id DESC "
                         "LIMIT 1") == unanswered);

  const std::vector<std::string> find{
      "call",   "find", "--at", local_minute(unanswered), "--on", local_day(unanswered),
      "--user", "asker"};
  const Outcome found = ccd_command(stack(), find);
  BOOST_TEST(found.status == 0, found.output);
  BOOST_TEST(found.output.find("call       " + unanswered) != std::string::npos, found.output);
  std::vector<std::string> as_json = find;
  as_json.emplace_back("--json");
  const Outcome line = ccd_command(stack(), as_json);
  const json::value document = json::parse(line.output);
  BOOST_TEST(text_at(document.at("record"), "callId") == unanswered);
  BOOST_TEST(text_at(document, "story").ends_with("never called."));

  const std::string second = closed_call(caller, customer("8003"), R"("user":"asker")");
  std::vector<std::string> by_phone{
      "call", "find",      "--at", local_minute(second), "--on", local_day(second), "--phone",
      caller, "--minutes", "60"};
  const Outcome both = ccd_command(stack(), by_phone);
  BOOST_TEST(both.status == 0, both.output);
  for (const std::string& part :
       {unanswered + "  ", second + "  ", std::string("the customer's phone was busy.")}) {
    BOOST_TEST(both.output.find(part) != std::string::npos, part << " is not in\n" << both.output);
  }
  // A refused request is told of too.
  BOOST_TEST(stack().post("/v1/calls", call_body(caller, "12")).status == 400);
  const Outcome refused = ccd_command(stack(), by_phone);
  BOOST_TEST(refused.output.find("400 invalid-request: ") != std::string::npos, refused.output);
  // Behind more than a page of others, and of a request that named its line as `caller`.
  const std::string others = std::to_string(now_ms());
  stack().sql(
      "INSERT INTO rejection (tenant, at, code, detail, request_id, key, status, caller, user_id) "
      "SELECT 'demo', " +
      others +
      ", 'line-busy', 'planted', 'r-' || n, 'demo-all', 409, '137****0000', 'flood' FROM "
      "generate_series(1, 2500) AS n");
  const Outcome behind = ccd_command(stack(), by_phone);
  BOOST_TEST(behind.output.find("400 invalid-request: ") != std::string::npos, behind.output);
  BOOST_TEST(behind.output.find("planted") == std::string::npos, behind.output);
  std::vector<std::string> by_line = by_phone;
  by_line[6] = "--agent";
  const Outcome of_line = ccd_command(stack(), by_line);
  BOOST_TEST(of_line.output.find("400 invalid-request: ") != std::string::npos, of_line.output);
  BOOST_TEST(of_line.output.find("planted") == std::string::npos, of_line.output);
  by_line.emplace_back("--json");
  std::istringstream lines(ccd_command(stack(), by_line).output);
  int rejections = 0;
  for (std::string text; std::getline(lines, text);) {
    const json::value object = json::parse(text);
    const json::value* const rejection = object.as_object().if_contains("rejection");
    if (rejection == nullptr) continue;
    ++rejections;
    BOOST_TEST(text_at(*rejection, "code") == "invalid-request");
    BOOST_TEST(text_at(*rejection, "caller") == "139****8877");
  }
  BOOST_TEST(rejections == 1);
  std::vector<std::string> flood = by_phone;
  flood[6] = "--user";
  flood[7] = "flood";
  const Outcome many = ccd_command(stack(), flood);
  BOOST_TEST(many.output.find("planted") != std::string::npos, many.output);
  BOOST_TEST(many.output.find("more than 200") != std::string::npos);
  by_phone[7] = "13955559999";
  const Outcome none = ccd_command(stack(), by_phone);
  BOOST_TEST(none.status == 1);
  BOOST_TEST(none.output.find("no call was asked for") != std::string::npos, none.output);

  BOOST_TEST(ccd_command(stack(), {"call", "show", "77"}).status == 1);
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"call"},
                                             {"call", "show"},
                                             {"call", "show", "x"},
                                             {"call", "show", unanswered, "--agent", "a"},
                                             {"call", "find"},
                                             {"call", "find", "--at", "25:00"},
                                             {"call", "find", "--at", "14:03", "--on", "never"},
                                             {"call", "find", "--at", "14:03", "--minutes", "0"},
                                             {"call", "find", "--at", "14:03", "--phone", "x"}}) {
    BOOST_TEST(ccd_command(stack(), words).status == 2);
  }
}
