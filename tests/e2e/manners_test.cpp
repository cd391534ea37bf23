// What applications meet before and around ccd: NGINX with TLS, its own refusals, whose request it
// was, and a daemon that goes away.
#include <fstream>
#include <thread>

#include <boost/test/unit_test.hpp>

#include "process.hpp"
#include "stack.hpp"

using namespace cc::test;

namespace {

Stack& stack() {
  static Stack one("20");
  return one;
}

Answer by_nginx(const std::string& method, const std::string& path, const std::string& body = "",
                std::vector<std::string> headers = {}) {
  headers.push_back("Authorization: Bearer " + stack().env("CC_KEY"));
  return send(
      {.method = method, .url = stack().env("CC_NGINX") + path, .body = body, .headers = headers});
}

void check_problem(const Answer& answer, long status, const std::string& name) {
  BOOST_TEST(answer.status == status, answer.text);
  BOOST_TEST(answer.headers.at("content-type") == "application/problem+json");
  BOOST_TEST(answer.at("type") == "/problems/" + name);
  BOOST_TEST(answer.at("status") == std::to_string(status));
  BOOST_TEST(!answer.at("titleZh").empty());
  BOOST_TEST(!answer.at("detail").empty());
  BOOST_TEST(answer.at("instance") == answer.headers.at("request-id"));
}

bool log_has(const std::string& part, const std::string& text) {
  return eventually([&] { return stack().log(part).find(text) != std::string::npos; });
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_api_is_served_with_tls) {
  const Outcome fine = run(
      {.command = {"/usr/bin/curl", "-sS", "--cacert", stack().env("CC_NGINX_CA"), "-H",
                   "Authorization: Bearer " + stack().env("CC_KEY"), "-o", "/dev/null", "-w",
                   "%{http_code} %{http_version}", stack().env("CC_NGINX_TLS") + "/v1/calls/1"}});
  BOOST_TEST(fine.output == "404 2");
  const Outcome plain = run({.command = {"/usr/bin/curl", "-sS", "-o", "/dev/null",
                                         stack().env("CC_NGINX_TLS") + "/v1/calls/1"}});
  BOOST_TEST(plain.status == 60);  // nobody vouches for it
}

BOOST_AUTO_TEST_CASE(what_nginx_refuses_looks_as_if_ccd_had) {
  check_problem(by_nginx("POST", "/v1/calls", std::string(70'000, ' ')), 413, "body-too-large");
  check_problem(by_nginx("GET", "/v1/calls?x=" + std::string(9'000, 'x')), 414, "target-too-long");
  check_problem(by_nginx("GET", "/v1/calls/1", "", {"X-Long: " + std::string(9'000, 'x')}), 431,
                "header-too-large");
  // Below NGINX's limits, above ccd's.
  const std::string half = std::string(6'000, 'x');
  check_problem(by_nginx("GET", "/v1/calls/1", "", {"A: " + half, "B: " + half, "C: " + half}), 431,
                "header-too-large");
  // What ccd answers passes as it is.
  const Answer missing = by_nginx("GET", "/v1/calls/1");
  check_problem(missing, 404, "call-not-found");
  BOOST_TEST(by_nginx("GET", "/metrics").status == 404);
}

BOOST_AUTO_TEST_CASE(a_daemon_that_is_away_is_told_of_with_what_to_do) {
  stack().part("stop", "ccd");
  const Answer get = by_nginx("GET", "/v1/calls/1");
  check_problem(get, 503, "not-ready");
  BOOST_TEST(get.at("retryable") == "true");
  BOOST_TEST(get.headers.contains("retry-after"));
  const std::string body = call_body("13911120001", "13812348001");
  BOOST_TEST(by_nginx("POST", "/v1/calls", body).at("retryable") == "false");
  BOOST_TEST(by_nginx("POST", "/v1/calls", body, {"Idempotency-Key: a"}).at("retryable") == "true");
  stack().part("start", "ccd");
  BOOST_TEST(by_nginx("GET", "/v1/calls/1").status == 404);
}

BOOST_AUTO_TEST_CASE(a_request_is_followed_by_its_id) {
  const Answer made = by_nginx("POST", "/v1/calls", call_body("13911120002", "13812348001"),
                               {"Request-Id: followed-1"});
  BOOST_REQUIRE_EQUAL(made.status, 202);
  BOOST_TEST(made.headers.at("request-id") == "followed-1");
  const std::string call = made.at("callId");
  stack().await_state(call);
  BOOST_TEST(log_has("nginx.api", "id=followed-1"));
  BOOST_TEST(log_has("ccd", "access request=followed-1 POST /v1/calls status=202 problem=- "));
  BOOST_TEST(log_has("ccd", "request followed-1: call " + call + ": attempt 1 accepted by e9"));
  BOOST_TEST(stack().sql("SELECT request_id FROM call_attempt WHERE call = " + call) ==
             "followed-1");
  const std::string history = stack().get("/v1/calls/" + call + "/events").text;
  BOOST_TEST(history.find("followed-1") != std::string::npos);

  const Answer long_call = by_nginx("POST", "/v1/calls", call_body("13911120003", "13812348010"));
  BOOST_REQUIRE_EQUAL(long_call.status, 202);
  const std::string own = long_call.headers.at("request-id");
  BOOST_TEST(log_has("nginx.api", "id=" + own));
  BOOST_TEST(log_has("ccd", "request " + own + ": call "));
  stack().await_state(long_call.at("callId"), "conn");
  BOOST_TEST(by_nginx("POST", "/v1/calls/" + long_call.at("callId") + "/hangup", "",
                      {"Request-Id: followed-2"})
                 .status == 202);
  BOOST_TEST(log_has("ccd", "request followed-2: call " + long_call.at("callId") +
                                ": channel e9 took the hang-up"));
}

BOOST_AUTO_TEST_CASE(who_asked_is_known_behind_nginx) {
  const auto address_of = [](const std::string& id, const std::string& by) {
    const Answer made =
        stack().post("/v1/calls", call_body("139111200" + id.substr(id.size() - 2), "13812348001"));
    BOOST_REQUIRE_MESSAGE(made.status == 202, made.text);
    const Answer shown = send({.url = stack().env(by) + "/v1/calls/" + made.at("callId"),
                               .headers = {"Authorization: Bearer " + stack().env("CC_KEY"),
                                           "Request-Id: " + id, "X-Forwarded-For: 6.6.6.6"}});
    BOOST_TEST(shown.status == 200);
    return stack().sql("SELECT address FROM audit WHERE request_id = '" + id + "'");
  };
  BOOST_TEST(address_of("address-11", "CC_NGINX") == "127.0.0.1");
  // Nor is whoever asks ccd itself believed.
  BOOST_TEST(address_of("address-12", "CC_API") == "127.0.0.1");
}

BOOST_AUTO_TEST_CASE(a_stop_answers_whoever_polls) {
  const Answer made = by_nginx("POST", "/v1/calls", call_body("13911120006", "13812348010"));
  const std::string call = made.at("callId");
  const json::value record = stack().await_state(call, "conn");
  const std::string path =
      "/v1/calls/" + call + "?version=" + text_at(record, "version") + "&wait=30";
  Answer polled;
  std::thread poll([&] { polled = by_nginx("GET", path); });
  BOOST_TEST(eventually([&] {
    return stack().log("ccd").find("listening") != std::string::npos &&
           send({.url = stack().env("CC_API") + "/metrics"}).status == 200;
  }));
  std::this_thread::sleep_for(Millis{300});  // nothing tells that a poll has begun to wait
  stack().part("stop", "ccd");
  poll.join();
  BOOST_TEST(polled.status == 200, polled.text);
  BOOST_TEST(polled.at("version") == text_at(record, "version"));
  stack().part("start", "ccd");
  stack().post("/v1/calls/" + call + "/hangup");
}
