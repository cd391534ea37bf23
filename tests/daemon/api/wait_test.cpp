#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

#include "rig.hpp"

using namespace cc;
using namespace cc::test;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

const std::string call_path = "/v1/calls/" + std::to_string(FakeCalls::first_id);

Script outcome(Outcome what) {
  Script script;
  script.outcome = {what, "900207", "display number of 13812345678 not approved"};
  return script;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(wait_test)

BOOST_AUTO_TEST_CASE(prefer_wait_answers_with_the_channels_word) {
  Rig rig;
  rig.calls.set(outcome(Outcome::accepted));
  Reply reply = rig.post(good_body, "Prefer: wait=5\r\n");
  BOOST_TEST(reply.status == 201);
  BOOST_TEST(reply.header("preference-applied") == "wait=5");
  BOOST_TEST(reply.header("location") == call_path);

  rig.calls.set(outcome(Outcome::refused));
  reply = rig.post(good_body, "Prefer: wait=5\r\n");
  BOOST_TEST(reply.status == 502);
  BOOST_TEST(reply.problem() == "channel-refused");
  auto document = reply.json();
  BOOST_TEST(std::string(document.as_object().at("callId").as_string()) ==
             std::to_string(FakeCalls::first_id + 1));
  BOOST_TEST(std::string(document.as_object().at("channelCode").as_string()) == "900207");
  BOOST_TEST(reply.headers.contains("location"));
  BOOST_TEST(reply.body.find("13812345678") != std::string::npos);
  reply = rig.post(good_body, "Prefer: wait=5\r\n", "caller");
  BOOST_TEST(reply.body.find("13812345678") == std::string::npos);

  rig.calls.set(outcome(Outcome::unknown));
  reply = rig.post(good_body, "Prefer: wait=5\r\n");
  BOOST_TEST(reply.status == 504);
  BOOST_TEST(reply.problem() == "outcome-unknown");
  document = reply.json();
  BOOST_TEST(!document.as_object().at("retryable").as_bool());
  BOOST_TEST(document.as_object().contains("callId"));

  rig.calls.set(outcome(Outcome::withdrawn));  // by CC: no channel was asked
  reply = rig.post(good_body, "Prefer: wait=5\r\n");
  BOOST_TEST(reply.status == 202);
  BOOST_TEST(reply.json().as_object().contains("state"));

  rig.calls.set(Script{});
  reply = rig.post(good_body, "Prefer: wait=1\r\n");
  BOOST_TEST(reply.status == 202);
  BOOST_TEST(rig.calls.waits().back() == 1000);
}

BOOST_AUTO_TEST_CASE(a_wait_has_a_limit_and_nonsense_is_ignored) {
  Rig rig;
  rig.calls.set(outcome(Outcome::accepted));
  const Reply reply = rig.post(good_body, "Prefer: respond-async\r\nPrefer: wait=3000\r\n");
  BOOST_TEST(reply.header("preference-applied") == "wait=30");
  BOOST_TEST(rig.calls.waits().back() == 30'000);
  for (const char* header : {"Prefer: wait=x\r\n", "Prefer: handling=strict\r\n", ""}) {
    const Reply plain = rig.post(good_body, header);
    BOOST_TEST(plain.status == 202);
    BOOST_TEST(!plain.headers.contains("preference-applied"));
  }
  BOOST_TEST(rig.calls.waits().size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_repeat_gets_the_same_kind_of_answer) {
  Rig rig;
  Script script = outcome(Outcome::accepted);
  script.replayed = true;
  rig.calls.set(script);
  Reply reply = rig.post(good_body, "Prefer: wait=5\r\nIdempotency-Key: k\r\n");
  BOOST_TEST(reply.status == 201);
  BOOST_TEST(reply.header("idempotency-replayed") == "true");
  script.outcome.outcome = Outcome::refused;
  rig.calls.set(script);
  reply = rig.post(good_body, "Prefer: wait=5\r\nIdempotency-Key: k\r\n");
  BOOST_TEST(reply.status == 502);
  BOOST_TEST(reply.header("idempotency-replayed") == "true");
}

BOOST_AUTO_TEST_CASE(a_stored_call_never_looks_as_if_it_were_not) {
  Rig rig;
  Script script;
  script.failure = "";
  script.failure_after_create = true;  // PostgreSQL goes away right after the commit
  rig.calls.set(script);
  const Reply reply = rig.post(good_body, "Prefer: wait=5\r\n");
  BOOST_TEST(reply.status == 202);
  BOOST_TEST(reply.header("location") == call_path);
}

BOOST_AUTO_TEST_CASE(a_long_poll_answers_when_the_version_rises) {
  Rig rig;
  auto record = make_record(FakeCalls::first_id);
  rig.calls.put(record);
  BOOST_TEST(rig.ask("GET", call_path + "?version=0&wait=30").status == 200);  // is above already
  Client client(rig.address);
  client.send(
      request_text("GET", call_path + "?version=1&wait=30", "Authorization: Bearer full-key\r\n"));
  BOOST_TEST(!client.readable_within(milliseconds(100)));
  record.version = 2;
  rig.calls.put(record);
  const Reply reply = client.receive();
  BOOST_TEST(reply.status == 200);
  BOOST_TEST(reply.json().as_object().at("version").as_int64() == 2);
  const auto begun = std::chrono::steady_clock::now();
  BOOST_TEST(rig.ask("GET", call_path + "?version=2&wait=1").status == 200);
  BOOST_TEST((std::chrono::steady_clock::now() - begun >= milliseconds(900)));
  BOOST_TEST(rig.ask("GET", call_path + "?version=2").status == 200);
}

BOOST_AUTO_TEST_CASE(a_long_polls_parameters_are_checked) {
  Rig rig;
  rig.calls.put(make_record(FakeCalls::first_id));
  for (const char* query :
       {"version=x", "version=-1", "wait=3", "version=1&wait=61", "version=1&wait=", "vresion=1",
        "version=1&version=2", "version=1&wait=1&x=13812345678", "=1"}) {
    const Reply reply = rig.ask("GET", call_path + "?" + query);
    BOOST_TEST(reply.status == 400, query);
    BOOST_TEST(reply.problem() == "invalid-request");
    BOOST_TEST(reply.body.find("13812345678") == std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(a_client_that_leaves_harms_nobody) {
  Rig rig;
  auto record = make_record(FakeCalls::first_id);
  rig.calls.put(record);
  {
    Client client(rig.address);
    client.send(request_text("GET", call_path + "?version=1&wait=30",
                             "Authorization: Bearer full-key\r\n"));
    BOOST_TEST(!client.readable_within(milliseconds(50)));
  }
  record.version = 2;
  rig.calls.put(record);
  BOOST_TEST(rig.ask("GET", call_path).status == 200);
  for (int i = 0; i < 200 && rig.connections() > 0; ++i) {
    std::this_thread::sleep_for(milliseconds(10));
  }
  BOOST_TEST(rig.connections() == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
