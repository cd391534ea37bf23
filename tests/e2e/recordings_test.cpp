// Recordings as their listeners have them: fetched from the channel, kept, given out by signed
// links, deleted when their time is over.
#include <boost/test/unit_test.hpp>

#include "commands.hpp"
#include "recordings.hpp"
#include "several_channels.hpp"

using namespace cc::test;

namespace {

/// Recordings in a directory; the tenant demo keeps them for ten days.
Stack& stack() {
  static const Configuration::Changes changes{
      {"  demo:\n    channels:", "  demo:\n    recordingDays: 10\n    channels:"}};
  static const Configuration configuration(changes);
  static Stack one("20", configuration.options({"--recordings", "100ms", "--gateway",
                                                "--gateway-options", "--poll-ms 2000"}));
  return one;
}

const Bucket& bucket() {
  static const Bucket one;
  return one;
}

/// Recordings in a bucket of OSS.
Stack& oss_stack() {
  static Stack one("20", [] {
    std::vector<std::string> options{"--simulator", "--recordings", "100ms"};
    for (const std::string& option : bucket().options()) options.push_back(option);
    return options;
  }());
  return one;
}

std::string recording_of(const std::string& call) {
  return "/v1/calls/" + call + "/recording";
}

std::string problem_of(const Answer& answer) {
  const std::string type = answer.at("type");
  return type.substr(type.rfind('/') + 1);
}

Answer as(const Stack& one, const std::string& key, const std::string& path) {
  return send({.url = one.env("CC_API") + path,
               .headers = {"Authorization: Bearer " + one.env(key)}});
}

Answer ask_head(const Stack& one, const std::string& path) {
  return send({.method = "HEAD",
               .url = one.env("CC_API") + path,
               .headers = {"Authorization: Bearer " + one.env("CC_KEY")}});
}

long given(const Stack& one, const std::string& call) {
  return std::stol(one.sql("SELECT count(*) FROM audit WHERE action = 'recording.given' AND " +
                           call + " = ANY(calls)"));
}

}  // namespace

BOOST_AUTO_TEST_CASE(from_the_channel_to_the_ear) {
  const std::string call = make_call(stack(), R"({"bytes":100000})");
  const json::value record = await_recording(stack(), call);
  const json::value had = truth(stack(), record);
  BOOST_TEST(text_at(record, "audioUrl").find(call) != std::string::npos);
  BOOST_TEST(text_at(had, "whole") == "1");
  BOOST_TEST(stack().sql("SELECT kind FROM change WHERE call = " + call +
                         " ORDER BY version DESC LIMIT 1") == "recording.ready");

  const Answer head = ask_head(stack(), recording_of(call));
  BOOST_TEST(head.status == 200);
  BOOST_TEST(head.headers.at("content-type") == "audio/mpeg");
  BOOST_TEST(head.headers.at("content-length") == "100000");
  BOOST_TEST(given(stack(), call) == 0);

  const Answer redirect = stack().get(recording_of(call));
  BOOST_REQUIRE(redirect.status == 302);
  const std::string link = redirect.headers.at("location");
  BOOST_TEST(given(stack(), call) == 1);
  const Answer heard = follow(stack(), link);
  BOOST_TEST(heard.status == 200);
  BOOST_TEST(heard.headers.at("content-type") == "audio/mpeg");
  BOOST_TEST(heard.headers.at("content-length") == "100000");
  BOOST_TEST(md5_of(heard.text) == text_at(had, "md5"));
  const Answer looked = follow(stack(), link, {}, "HEAD");
  BOOST_TEST(looked.status == 200);
  BOOST_TEST(looked.headers.at("content-length") == "100000");

  const Answer part = follow(stack(), link, {"Range: bytes=1000-1999"});
  BOOST_TEST(part.status == 206);
  BOOST_TEST(part.headers.at("content-range") == "bytes 1000-1999/100000");
  BOOST_TEST((part.text == heard.text.substr(1000, 1000)));
  const Answer tail = follow(stack(), link, {"Range: bytes=-10"});
  BOOST_TEST((tail.text == heard.text.substr(99'990)));
  BOOST_TEST(follow(stack(), link, {"Range: bytes=100000-"}).status == 416);

  // Through NGINX, as browsers come.
  const Answer url = stack().post(recording_of(call) + "/url", R"({"viewer":"qa-desk","ttl":60})");
  BOOST_REQUIRE_MESSAGE(url.status == 200, url.text);
  BOOST_TEST(given(stack(), call) == 2);
  BOOST_TEST(md5_of(follow(stack(), url.at("url")).text) == text_at(had, "md5"));
  const std::string path = url.at("url").substr(url.at("url").find("/v1/"));
  const Answer by_nginx = follow(stack(), stack().env("CC_NGINX") + path);
  BOOST_TEST(by_nginx.status == 200);
  BOOST_TEST(md5_of(by_nginx.text) == text_at(had, "md5"));
  const std::string signature = path.substr(path.rfind('=') + 1);
  BOOST_TEST(stack().log("nginx").find(signature) == std::string::npos);
  BOOST_TEST(stack().log("ccd").find(signature) == std::string::npos);

  // Another tenant's key, and a link that somebody has changed.
  const Answer other = as(stack(), "CC_KEY_OTHER", recording_of(call));
  BOOST_TEST(other.status == 404);
  BOOST_TEST(problem_of(other) == "call-not-found");
  std::string forged = link;
  forged.back() = forged.back() == 'A' ? 'B' : 'A';
  BOOST_TEST(follow(stack(), forged).status == 403);
}

BOOST_AUTO_TEST_CASE(a_recording_of_huaweis_file_service) {
  stack().make_agents(1000, 1003);
  stack().await_agent("1000");
  const Answer made =
      stack().post("/v1/calls", R"({"agent":"1000","channel":"hw","called":"13700017014"})");
  BOOST_REQUIRE_MESSAGE(made.status == 202, made.text);
  const std::string call = made.at("callId");
  await_recording(stack(), call);
  const Answer redirect = stack().get(recording_of(call));
  BOOST_REQUIRE(redirect.status == 302);
  const Answer heard = follow(stack(), redirect.headers.at("location"));
  BOOST_TEST(heard.text.substr(0, 4) == "RIFF");
  BOOST_TEST(heard.text.substr(8, 4) == "WAVE");
}

BOOST_AUTO_TEST_CASE(what_is_not_there_says_why) {
  const Answer not_asked =
      stack().post("/v1/calls", call_body("13980009001", "13700098042", R"("record":false)"));
  BOOST_REQUIRE(not_asked.status == 202);
  stack().await_state(not_asked.at("callId"));
  const Answer none = stack().get(recording_of(not_asked.at("callId")));
  BOOST_TEST(none.status == 404);
  BOOST_TEST(problem_of(none) == "recording-none");

  const std::string late = make_call(stack(), R"({"statusTimes":1000,"status":404})");
  await_recording(stack(), late, "expected");
  const Answer later = stack().get(recording_of(late));
  BOOST_TEST(later.status == 404);
  BOOST_TEST(problem_of(later) == "recording-not-ready");
  BOOST_TEST(!later.headers.at("retry-after").empty());

  BOOST_REQUIRE(eventually([&] {
    return stack().sql("SELECT tries > 0 FROM recording WHERE call = " + late) == "t";
  }));
  // The fleet's clock is PostgreSQL's: not the clock moves, but the call into the past.
  stack().sql("UPDATE recording SET closed = closed - 25 * 3600000 WHERE call = " + late);
  const json::value given_up = await_recording(stack(), late, "absent");
  BOOST_TEST(!text_at(given_up.at("recording"), "reason").empty());
  const Answer gone = stack().get(recording_of(late));
  BOOST_TEST(gone.status == 404);
  BOOST_TEST(problem_of(gone) == "recording-none");
}

BOOST_AUTO_TEST_CASE(when_its_time_is_over_it_is_deleted_and_the_record_says_so) {
  const std::string call = make_call(stack(), R"({"bytes":5000})");
  await_recording(stack(), call);
  const Answer redirect = stack().get(recording_of(call));
  BOOST_REQUIRE(redirect.status == 302);
  stack().sql("UPDATE recording SET stored = stored - 11 * 86400000 WHERE call = " + call);
  const json::value record = await_recording(stack(), call, "deleted", Millis{150'000});
  BOOST_TEST(text_at(record, "audioUrl").empty());
  BOOST_TEST(stack().get(recording_of(call)).status == 410);
  // Its link is no way to it any more, whether or not it has run out.
  BOOST_TEST(follow(stack(), redirect.headers.at("location")).status >= 403);
}

BOOST_AUTO_TEST_CASE(to_aliyun_oss_and_from_there_to_the_ear) {
  const std::string small = make_call(oss_stack(), R"({"bytes":5000})");
  const std::string parts = make_call(oss_stack(), R"({"bytes":3500000})");
  for (const std::string& call : {small, parts}) {
    const json::value record = await_recording(oss_stack(), call);
    const Answer redirect = oss_stack().get(recording_of(call));
    BOOST_REQUIRE(redirect.status == 302);
    const Answer heard = follow(oss_stack(), redirect.headers.at("location"));
    BOOST_TEST(heard.status == 200);
    BOOST_TEST(md5_of(heard.text) == text_at(truth(oss_stack(), record), "md5"));
    const Answer part = follow(oss_stack(), redirect.headers.at("location"), {"Range: bytes=10-19"});
    BOOST_TEST(part.status == 206);
    BOOST_TEST((part.text == heard.text.substr(10, 10)));
    BOOST_TEST(ask_head(oss_stack(), recording_of(call)).headers.at("content-length") ==
               text_at(truth(oss_stack(), record), "size"));
    BOOST_TEST(text_at(record, "audioUrl").ends_with("/" + call + ".mp3"));
  }
  BOOST_TEST(bucket().objects().size() == 2U);
  BOOST_TEST(bucket().uploads().empty());
  for (const json::value& object : bucket().objects()) {
    BOOST_TEST(text_at(object, "name").starts_with("cc/demo/"));
    BOOST_TEST(text_at(object, "puts") == "1");
  }
}

// Wherever ccd dies: one object, whole, and nothing left half-done.
BOOST_AUTO_TEST_CASE(ccd_may_die_between_any_two_steps) {
  for (const char* point : {"recording.taken", "recording.begun", "recording.uploaded",
                            "recording.stored"}) {
    BOOST_TEST_CONTEXT(point) {
      oss_stack().part("stop", "ccd");
      oss_stack().part("start", "ccd", {"--fault", point});
      const std::string call = make_call(oss_stack(), R"({"bytes":2500000})");
      BOOST_REQUIRE(eventually([] { return !oss_stack().running("ccd"); }, Millis{30'000}));
      oss_stack().part("start", "ccd");
      const json::value record = await_recording(oss_stack(), call, "stored", Millis{60'000});
      long copies = 0;
      for (const json::value& object : bucket().objects()) {
        if (text_at(object, "name").find(call) == std::string::npos) continue;
        ++copies;
        BOOST_TEST(text_at(object, "md5") == text_at(truth(oss_stack(), record), "md5"));
      }
      BOOST_TEST(copies == 1);
      BOOST_TEST(eventually([] { return bucket().uploads().empty(); }));
    }
  }
}

BOOST_AUTO_TEST_CASE(operators_see_what_is_overdue_and_try_again) {
  bucket().fault(R"({"kind":"status","status":403,"code":"AccessDenied","probability":1})");
  const std::string call = make_call(oss_stack(), R"({"bytes":5000})");
  const auto row = [&] {
    return oss_stack().sql("SELECT problem, state, due FROM recording WHERE call = " + call);
  };
  BOOST_REQUIRE_MESSAGE(eventually([&] { return row().starts_with("store: "); }), row());
  const Outcome list = ccd_command(oss_stack(), {"recording", "list", "--state", "expected"});
  BOOST_TEST(list.status == 0, list.output);
  BOOST_TEST(list.output.find(call) != std::string::npos, list.output);
  BOOST_TEST(list.output.find("AccessDenied") != std::string::npos, list.output);
  const auto health = [] {
    const json::value parts = oss_stack().get("/v1/health").body().at("parts");
    for (const json::value& part : parts.as_array()) {
      if (text_at(part, "part") == "recordings") return text_at(part, "grade");
    }
    return std::string("none");
  };
  BOOST_TEST(eventually([&] { return health().find("failing") != std::string::npos; }), health());
  bucket().no_faults();
  const Outcome retried = ccd_command(oss_stack(), {"recording", "retry", call});
  BOOST_TEST(retried.status == 0, retried.output);
  await_recording(oss_stack(), call);
  BOOST_TEST(eventually([&] { return health().find("ok") != std::string::npos; }), health());
}
