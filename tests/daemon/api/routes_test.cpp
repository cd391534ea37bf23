#include <algorithm>
#include <sstream>

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>
#include <spdlog/sinks/ostream_sink.h>

#include "log.hpp"
#include "rig.hpp"

using namespace cc;
using namespace cc::test;

namespace {

const std::string call_path = "/v1/calls/" + std::to_string(FakeCalls::first_id);

std::string text(const Reply& reply, std::string_view name) {
  const auto document = reply.json();
  const auto* value = document.as_object().if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : "";
}

/// What the daemon logs while it lives. To be made before the Rig.
struct LogCapture {
  LogCapture() { log().sinks().push_back(std::make_shared<spdlog::sinks::ostream_sink_mt>(text)); }
  ~LogCapture() { log().sinks().pop_back(); }
  LogCapture(const LogCapture&) = delete;
  LogCapture& operator=(const LogCapture&) = delete;
  std::ostringstream text;
};

Refusal refusal(Refusal::Code code) {
  return {code, "because of the test", std::nullopt};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(routes_test)

BOOST_AUTO_TEST_CASE(a_call_is_created) {
  Rig rig;
  const Reply reply = rig.post(good_body, "Request-Id: my-request.1\r\n");
  BOOST_TEST(reply.status == 202);
  BOOST_TEST(reply.header("location") == call_path);
  BOOST_TEST(reply.header("request-id") == "my-request.1");
  BOOST_TEST(reply.header("content-type") == "application/json");
  BOOST_TEST(reply.header("cache-control") == "no-store");
  BOOST_TEST(reply.header("date") == "Sun, 22 Nov 2026 10:00:00 GMT");
  BOOST_TEST(reply.header("server") == "ccd");
  BOOST_TEST(!reply.headers.contains("idempotency-replayed"));
  BOOST_TEST(text(reply, "callId") == std::to_string(FakeCalls::first_id));
  BOOST_TEST(text(reply, "called") == "13812345678");
  const auto created = rig.calls.created();
  BOOST_REQUIRE(created.size() == 1U);
  BOOST_TEST(created[0].tenant == "acme");
  BOOST_TEST(created[0].request_id == "my-request.1");
  BOOST_TEST(!created[0].idempotency_key);
  // Without the scope `numbers` the customer's number is masked here too.
  BOOST_TEST(text(rig.post(good_body, {}, "caller"), "called") == "138****5678");
}

BOOST_AUTO_TEST_CASE(an_unfit_request_id_is_replaced) {
  Rig rig;
  const Reply reply = rig.post(good_body, "Request-Id: not sane!\r\n");
  const std::string id = reply.header("request-id");
  BOOST_TEST(id.size() == 24U);
  BOOST_TEST(rig.calls.created().at(0).request_id == id);
}

BOOST_AUTO_TEST_CASE(without_a_key_nothing_is_shown) {
  Rig rig;
  rig.calls.put(make_record(FakeCalls::first_id));
  const std::vector<std::string> headers{
      "",
      "Authorization: Bearer wrong\r\n",
      "Authorization: full-key\r\n",
      "Authorization: Basic full-key\r\n",
      "Authorization: Bearer\r\n",
      "Authorization: Bearer full-key x\r\n",
      "Authorization: Bearer full-key\r\nAuthorization: Bearer full-key\r\n",
  };
  for (const std::string& header : headers) {
    for (const auto& [method, path] :
         std::vector<std::pair<std::string, std::string>>{{"GET", call_path},
                                                          {"GET", call_path + "/events"},
                                                          {"POST", call_path + "/hangup"},
                                                          {"POST", "/v1/calls"}}) {
      const Reply reply = rig.ask(method, path, "", method == "POST" ? good_body : "", header);
      BOOST_TEST(reply.status == 401, header << path);
      BOOST_TEST(reply.header("www-authenticate") == "Bearer");
      BOOST_TEST(reply.problem() == "unauthorized");
    }
  }
  BOOST_TEST(rig.calls.created().empty());
  BOOST_TEST(rig.ask("GET", call_path, "", {}, "Authorization: bearer full-key\r\n").status == 200);
}

BOOST_AUTO_TEST_CASE(a_missing_scope_is_named) {
  Rig rig;
  rig.calls.put(make_record(FakeCalls::first_id));
  const auto forbidden = [&](const Reply& reply, const std::string& scope) {
    BOOST_TEST(reply.status == 403);
    BOOST_TEST(reply.problem() == "missing-scope");
    BOOST_TEST(text(reply, "scope") == scope);
    BOOST_TEST(text(reply, "detail").find(scope) != std::string::npos);
  };
  forbidden(rig.post(good_body, {}, "reader"), "call");
  forbidden(rig.ask("POST", call_path + "/hangup", "reader"), "call");
  forbidden(rig.ask("POST", call_path + "/hangup", "admin"), "call");
  forbidden(rig.ask("GET", call_path, "caller"), "read");
  forbidden(rig.ask("GET", call_path + "/events", "caller"), "read");
  BOOST_TEST(rig.calls.created().empty());
}

BOOST_AUTO_TEST_CASE(what_is_not_there_is_404_and_so_is_anothers) {
  Rig rig;
  rig.calls.put(make_record(FakeCalls::first_id));
  for (const char* path : {"/", "/v1", "/v1/", "/v1/calls/", "/v1/calls//events", "/v2/calls",
                           "/v1/calls/1/2/3", "/metrics/", "/V1/calls"}) {
    const Reply reply = rig.ask("GET", path);
    BOOST_TEST(reply.status == 404, path);
    BOOST_TEST(reply.problem() == "not-found");
  }
  for (const std::string& id :
       {std::string("1"), std::string("abc"), std::string("0"), std::string("-5"),
        std::string("99999999999999999999"), std::string("%31%32"), std::string("13812345678")}) {
    for (const std::string& path : {"/v1/calls/" + id, "/v1/calls/" + id + "/events"}) {
      const Reply reply = rig.ask("GET", path);
      BOOST_TEST(reply.status == 404, path);
      BOOST_TEST(reply.problem() == "call-not-found");
    }
    BOOST_TEST(rig.ask("POST", "/v1/calls/" + id + "/hangup").problem() == "call-not-found");
  }
  for (const std::string& path : {call_path, call_path + "/events"}) {
    BOOST_TEST(rig.ask("GET", path, "stranger").problem() == "call-not-found");
  }
  BOOST_TEST(rig.ask("POST", call_path + "/hangup", "stranger").status == 404);
  BOOST_TEST(rig.ask("GET", "/%zz").problem() == "malformed-request");
}

BOOST_AUTO_TEST_CASE(a_wrong_method_hears_the_right_ones) {
  Rig rig;
  const auto refused = [&](const std::string& method, const std::string& path) {
    const Reply reply = rig.ask(method, path, "");
    BOOST_TEST(reply.status == 405, method << " " << path);
    BOOST_TEST((method == "HEAD" || reply.problem() == "method-not-allowed"));
    return reply.header("allow");
  };
  BOOST_TEST(refused("GET", "/v1/calls") == "POST, OPTIONS");
  BOOST_TEST(refused("HEAD", "/v1/calls") == "POST, OPTIONS");
  BOOST_TEST(refused("DELETE", call_path) == "GET, HEAD, OPTIONS");
  BOOST_TEST(refused("PURGE", call_path) == "GET, HEAD, OPTIONS");
  BOOST_TEST(refused("get", call_path) == "GET, HEAD, OPTIONS");
  BOOST_TEST(refused("POST", call_path + "/events") == "GET, HEAD, OPTIONS");
  BOOST_TEST(refused("GET", call_path + "/hangup") == "POST, OPTIONS");
  BOOST_TEST(refused("POST", "/healthz") == "GET, HEAD, OPTIONS");
}

BOOST_AUTO_TEST_CASE(only_json_is_read) {
  Rig rig;
  for (const char* type : {"Content-Type: text/plain\r\n", "Content-Type: application/xml\r\n",
                           "Content-Type: application/json; charset=gbk\r\n",
                           "Content-Type: application/json\r\nContent-Encoding: gzip\r\n"}) {
    const Reply reply = rig.post(good_body, type);
    BOOST_TEST(reply.status == 415);
    BOOST_TEST(reply.problem() == "unsupported-media-type");
  }
  BOOST_TEST(rig.ask("POST", "/v1/calls", "full").status == 415);  // no body, no type
  BOOST_TEST(rig.post(good_body, "Content-Type: application/json;charset=utf-8\r\n").status == 202);
}

BOOST_AUTO_TEST_CASE(bad_bodies_are_told_what_is_wrong) {
  Rig rig;
  Reply reply = rig.post("{\"called\":");
  BOOST_TEST(reply.status == 400);
  BOOST_TEST(reply.problem() == "malformed-request");
  reply = rig.post(R"({"called":"13812345678x","agents":[],"maxDuration":0})");
  BOOST_TEST(reply.status == 400);
  BOOST_TEST(reply.problem() == "invalid-request");
  const auto document = reply.json();
  const auto& params = document.as_object().at("invalidParams").as_array();
  BOOST_REQUIRE(params.size() == 3U);
  for (const auto& param : params) {
    BOOST_TEST(param.as_object().contains("name"));
    BOOST_TEST(param.as_object().contains("reason"));
  }
  BOOST_TEST(reply.body.find("13812345678") == std::string::npos);
  reply = rig.ask("POST", "/v1/calls?x=1", "full", good_body);
  BOOST_TEST(reply.problem() == "invalid-request");
  BOOST_TEST(rig.calls.created().empty());
}

BOOST_AUTO_TEST_CASE(idempotency_keys_are_passed_on_and_repeats_marked) {
  Rig rig;
  rig.post(good_body, "Idempotency-Key: order-1/a+b=\r\n");
  Script script;
  script.replayed = true;
  rig.calls.set(script);
  Reply reply = rig.post(" " + good_body, "Idempotency-Key: order-1/a+b=\r\n");
  BOOST_TEST(reply.status == 202);
  BOOST_TEST(reply.header("idempotency-replayed") == "true");
  const auto created = rig.calls.created();
  BOOST_REQUIRE(created.size() == 2U);
  BOOST_TEST(created[0].idempotency_key.value() == "order-1/a+b=");
  BOOST_TEST((created[0].body_hash == created[1].body_hash));
  for (const std::string& header :
       {std::string("Idempotency-Key:\r\n"), std::string("Idempotency-Key: a b\r\n"),
        std::string("Idempotency-Key: \xc3\xa9\r\n"),
        "Idempotency-Key: " + std::string(129, 'k') + "\r\n",
        std::string("Idempotency-Key: a\r\nIdempotency-Key: b\r\n")}) {
    reply = rig.post(good_body, header);
    BOOST_TEST(reply.status == 400, header);
    BOOST_TEST(reply.problem() == "invalid-request");
  }
  BOOST_TEST(rig.post(good_body, "Idempotency-Key: " + std::string(128, 'k') + "\r\n").status ==
             202);
}

BOOST_AUTO_TEST_CASE(each_refusal_has_its_problem) {
  Rig rig;
  const auto refused = [&](Refusal::Code code, const std::string& key = "full") {
    Script script;
    script.refusal = refusal(code);
    script.refusal->busy_call = 42;
    rig.calls.set(script);
    return rig.post(good_body, {}, key);
  };
  Reply reply = refused(Refusal::Code::no_line);
  BOOST_TEST(reply.status == 400);
  BOOST_TEST(reply.problem() == "no-line");
  reply = refused(Refusal::Code::unknown_channel);
  BOOST_TEST(reply.status == 400);
  BOOST_TEST(reply.problem() == "unknown-channel");
  BOOST_TEST(reply.body.find("\"channel\"") != std::string::npos);
  reply = refused(Refusal::Code::no_channel);
  BOOST_TEST(reply.status == 503);
  BOOST_TEST(reply.problem() == "no-channel");
  BOOST_TEST(reply.headers.contains("retry-after"));
  reply = refused(Refusal::Code::line_busy);
  BOOST_TEST(reply.status == 409);
  BOOST_TEST(reply.problem() == "line-busy");
  BOOST_TEST(text(reply, "callId") == "42");
  BOOST_TEST(text(refused(Refusal::Code::line_busy, "caller"), "callId") == "");
  reply = refused(Refusal::Code::unknown_call);
  BOOST_TEST(reply.status == 400);
  BOOST_TEST(reply.problem() == "invalid-request");
  BOOST_TEST(reply.body.find("called.callId") != std::string::npos);
  reply = refused(Refusal::Code::key_reused);
  BOOST_TEST(reply.status == 422);
  BOOST_TEST(reply.problem() == "idempotency-key-reused");
  BOOST_TEST(text(reply, "detail") == "because of the test");
}

BOOST_AUTO_TEST_CASE(storage_away_is_503_and_tells_when_a_repeat_is_safe) {
  Rig rig;
  rig.calls.put(make_record(FakeCalls::first_id));
  Script script;
  script.failure = "";
  rig.calls.set(script);
  for (const Reply& reply :
       {rig.ask("GET", call_path), rig.ask("GET", call_path + "/events"),
        rig.ask("POST", call_path + "/hangup"), rig.post(good_body, "Idempotency-Key: k\r\n")}) {
    BOOST_TEST(reply.status == 503);
    BOOST_TEST(reply.problem() == "storage-unavailable");
    BOOST_TEST(reply.headers.contains("retry-after"));
    BOOST_TEST(reply.json().as_object().at("retryable").as_bool());
    BOOST_TEST(reply.body.find("13812345678") == std::string::npos);
  }
  Reply reply = rig.post(good_body);  // a repeat might be a second call
  BOOST_TEST(reply.problem() == "storage-unavailable");
  BOOST_TEST(!reply.json().as_object().at("retryable").as_bool());
  BOOST_TEST(!reply.headers.contains("retry-after"));
  script.failure = "53300";
  rig.calls.set(script);
  reply = rig.post(good_body);
  BOOST_TEST(reply.json().as_object().at("retryable").as_bool());
}

BOOST_AUTO_TEST_CASE(no_number_reaches_the_log) {
  LogCapture capture;
  {
    Rig rig;
    Script script;
    script.failure = "";
    for (const bool bug : {false, true}) {
      script.bug = bug;
      rig.calls.set(script);
      rig.ask("GET", call_path);
      rig.post(good_body);
    }
    script.bug = false;
    script.failure_after_create = true;
    rig.calls.set(script);
    rig.post(good_body, "Prefer: wait=1\r\n");
  }
  const std::string text = capture.text.str();
  BOOST_TEST(std::count(text.begin(), text.end(), '\n') == 6);
  BOOST_TEST(text.find("138****5678") != std::string::npos);
  BOOST_TEST(text.find("13812345678") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_bug_is_a_problem_too) {
  Rig rig;
  Script script;
  script.bug = true;
  rig.calls.set(script);
  for (const Reply& reply : {rig.ask("GET", call_path), rig.post(good_body)}) {
    BOOST_TEST(reply.status == 500);
    BOOST_TEST(reply.problem() == "internal-error");
    BOOST_TEST(reply.body.find("bug") == std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(a_record_is_shown_to_each_key_as_it_may_see_it) {
  Rig rig;
  rig.calls.put(make_record(FakeCalls::first_id));
  const auto shown = [&](const std::string& key) {
    const Reply reply = rig.ask("GET", call_path, key);
    BOOST_TEST(reply.status == 200);
    const bool audio = reply.json().as_object().contains("chAudioUrl");
    return text(reply, "called") + (audio ? "+audio" : "");
  };
  BOOST_TEST(shown("reader") == "138****5678");
  BOOST_TEST(shown("full") == "13812345678");
  BOOST_TEST(shown("admin") == "138****5678+audio");
  BOOST_TEST(shown("root") == "13812345678+audio");
  BOOST_TEST(rig.ask("GET", call_path, "reader").body.find("13812345678") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(events_are_shown_to_each_key_as_it_may_see_them) {
  Rig rig;
  rig.calls.put(make_record(FakeCalls::first_id));
  Timeline timeline;
  TimelineEvent event;
  event.event.name = EventName::a_calling;
  event.event.facts.called = "13812345678";
  event.raw = "v1 …";
  timeline.events.push_back(event);
  rig.calls.put(FakeCalls::first_id, timeline);
  for (const char* key : {"reader", "full", "admin", "root"}) {
    const Reply reply = rig.ask("GET", call_path + "/events", key);
    BOOST_TEST(reply.status == 200);
    const std::string name = key;
    const bool whole = reply.body.find("13812345678") != std::string::npos;
    BOOST_TEST(whole == (name == "full" || name == "root"));
    BOOST_TEST((reply.body.find("\"raw\"") != std::string::npos) == (name == "root"));
  }
}

BOOST_AUTO_TEST_CASE(hanging_up_is_accepted_once) {
  Rig rig;
  auto record = make_record(FakeCalls::first_id);
  rig.calls.put(record);
  BOOST_TEST(rig.ask("POST", call_path + "/hangup").status == 202);
  record.folded.state = "close";
  rig.calls.put(record);
  const Reply reply = rig.ask("POST", call_path + "/hangup");
  BOOST_TEST(reply.status == 200);
  BOOST_TEST(text(reply, "state") == "close");
}

BOOST_AUTO_TEST_CASE(head_is_get_without_a_body) {
  Rig rig;
  rig.calls.put(make_record(FakeCalls::first_id));
  const Reply get = rig.ask("GET", call_path);
  const Reply head = rig.ask("HEAD", call_path);
  BOOST_TEST(head.status == 200);
  BOOST_TEST(head.header("content-length") == std::to_string(get.body.size()));
  Client client(rig.address);  // and the next answer on the connection is in its place
  client.send(request_text("HEAD", "/nowhere", "") + request_text("GET", "/healthz", ""));
  BOOST_TEST(client.receive(true).status == 404);
  BOOST_TEST(client.receive().status == 200);
}

BOOST_AUTO_TEST_CASE(live_ready_and_figures_need_no_key) {
  Rig rig;
  BOOST_TEST(rig.ask("GET", "/healthz", "").status == 200);
  BOOST_TEST(rig.ask("GET", "/readyz", "").status == 200);
  {
    const std::lock_guard lock(rig.health.mutex);
    rig.health.list.push_back({"redis", false, "connection refused"});
  }
  Reply reply = rig.ask("GET", "/readyz", "");
  BOOST_TEST(reply.status == 503);
  BOOST_TEST(reply.problem() == "not-ready");
  BOOST_TEST(text(reply, "detail") == "redis: connection refused");
  {
    const std::lock_guard lock(rig.health.mutex);
    rig.health.list.pop_back();
    rig.health.ends = true;
  }
  BOOST_TEST(rig.ask("GET", "/readyz", "").status == 503);
  BOOST_TEST(rig.ask("GET", "/healthz", "").status == 200);
  rig.ask("GET", "/v1/calls/13812345678");
  rig.ask("GET", "/13812345678");
  reply = rig.ask("GET", "/metrics", "");
  BOOST_TEST(reply.status == 200);
  BOOST_TEST(reply.header("content-type").starts_with("text/plain; version=0.0.4"));
  BOOST_TEST(reply.body.find("cc_http_requests_total{") != std::string::npos);
  BOOST_TEST(reply.body.find("route=\"/v1/calls/{callId}\"") != std::string::npos);
  BOOST_TEST(reply.body.find("cc_drained_milliseconds") != std::string::npos);
  BOOST_TEST(reply.body.find("13812345678") == std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
