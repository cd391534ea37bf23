// /v1/calls/{callId}/recording over fakes: what leads to a recording, and who is told of it.
#include <boost/test/unit_test.hpp>

#include "api/viewer.hpp"
#include "noun_rig.hpp"
#include "query_fakes.hpp"
#include "recording_fakes.hpp"

using namespace cc;
using namespace cc::test;
using State = RecordingStatus::State;

namespace {

struct RecordingRig : NounRig {
  RecordingRig() {
    nouns.recordings = &recordings;
    nouns.audit = &audit;
    build();
  }

  api::Response get(const std::string& more = {}, const std::string& key = "reader") {
    return ask("GET", path + more, "", key);
  }

  /// From a client that knows this API by a host's name.
  api::Response post(const std::string& body, const std::string& origin = "https://cc.example.com",
                     const std::string& more = {}) {
    request = {};
    request.id = "request-1";
    request.method = "POST";
    request.target = path + "/url" + more;
    request.headers = {{"authorization", "Bearer reader-key"},
                       {"content-type", "application/json"}};
    request.body = body;
    request.origin = origin;
    api::Answer answer;
    asio::io_context loop;
    const auto all = [&]() -> asio::awaitable<void> { answer = co_await router->answer(request); };
    asio::co_spawn(loop, all(), asio::detached);
    loop.run();
    trace = answer.trace;
    return answer.response;
  }

  std::string detail() const { return audit.entries.empty() ? "" : audit.entries.back().detail; }

  FakeRecordings recordings;
  FakeAudit audit;
  std::string path = "/v1/calls/720000000000000001/recording";
};

std::string header(const api::Response& response, std::string_view wanted) {
  std::string all;
  for (const auto& [name, value] : response.headers) {
    if (name == wanted) all += (all.empty() ? "" : "|") + value;
  }
  return all;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(recording_routes_test, RecordingRig)

BOOST_AUTO_TEST_CASE(a_stored_one_is_led_to_and_told_of) {
  const api::Response response = get();
  BOOST_TEST(response.status == 302U);
  BOOST_TEST(header(response, "Location") == recordings.url);
  BOOST_TEST(header(response, "Cache-Control") == "no-store");
  BOOST_TEST(header(response, "Referrer-Policy") == "no-referrer");
  BOOST_TEST(response.body.empty());
  BOOST_TEST(response.content_type == "");
  BOOST_TEST(!recordings.ttl.has_value());
  BOOST_REQUIRE(audit.entries.size() == 1U);
  const AuditEntry& entry = audit.entries[0];
  BOOST_TEST(entry.action == "recording.given");
  BOOST_TEST(entry.tenant == "acme");
  BOOST_TEST(entry.key == "reader");
  BOOST_TEST(entry.request_id == "request-1");
  BOOST_TEST((entry.calls == std::vector<std::int64_t>{FakeRecordings::call}));
  BOOST_TEST(entry.detail == R"({"viewer":null,"ttl":300,"file":"audio","by":"redirect"})");
  BOOST_TEST(trace.call == "720000000000000001");
  BOOST_TEST(trace.route == "/v1/calls/{callId}/recording");
  BOOST_TEST(!holds(logged.str(), "secret"));
}

BOOST_AUTO_TEST_CASE(the_ivrs_file_is_asked_for_by_its_name) {
  BOOST_TEST(get("?file=ivr").status == 302U);
  BOOST_TEST(recordings.ivr);
  BOOST_TEST(holds(detail(), R"("file":"ivr")"));
  BOOST_TEST(get("?file=audio").status == 302U);
  BOOST_TEST(!recordings.ivr);
  BOOST_TEST(invalid(get("?file=video")) == "query file");
  BOOST_TEST(invalid(get("?file=")) == "query file");
  BOOST_TEST(invalid(get("?ttl=5")) == "query ttl");
}

BOOST_AUTO_TEST_CASE(nothing_leaves_that_nobody_could_be_told_of) {
  audit.away = true;
  for (const api::Response& response : {get(), post(R"({"viewer":"li.wei"})")}) {
    BOOST_TEST(response.status == 503U);
    BOOST_TEST(problem(response) == "storage-unavailable");
    BOOST_TEST(header(response, "Location") == "");
    BOOST_TEST(!holds(response.body, "secret"));
  }
  BOOST_TEST(!holds(logged.str(), "secret"));
  audit.away = false;
  recordings.away = true;
  BOOST_TEST(problem(get()) == "storage-unavailable");
}

BOOST_AUTO_TEST_CASE(where_the_store_makes_no_link_one_may_ask_again) {
  recordings.store_away = true;
  for (const api::Response& response : {get(), post(R"({"viewer":"li.wei"})")}) {
    BOOST_TEST(response.status == 503U);
    BOOST_TEST(problem(response) == "storage-unavailable");
    BOOST_TEST(document(response).at("retryable").as_bool());
    BOOST_TEST(header(response, "Retry-After") == "60");
    BOOST_TEST(!holds(response.body, "sts.json"));
  }
  BOOST_TEST(holds(logged.str(), "request-1: no link to a recording can be made: no credentials: "
                                 "mend /etc/cc/sts.json"));
  BOOST_TEST(audit.entries.empty());
  recordings.away = true;  // PostgreSQL's word stays its own
  BOOST_TEST(problem(get()) == "storage-unavailable");
}

BOOST_AUTO_TEST_CASE(one_that_is_not_there_yet_says_when_to_ask_again) {
  recordings.answer.state = State::expected;
  const auto after = [&](OptMs expected_at) {
    recordings.answer.expected_at = expected_at;
    const api::Response response = get();
    BOOST_TEST(response.status == 404U);
    BOOST_TEST(problem(response) == "recording-not-ready");
    const boost::json::object told = document(response);
    BOOST_TEST(told.at("retryable").as_bool());
    BOOST_TEST(told.contains("expectedAt") == expected_at.has_value());
    if (expected_at) BOOST_TEST(told.at("expectedAt").as_int64() == *expected_at);
    return header(response, "Retry-After");
  };
  const std::int64_t now = clock.epoch_ms();
  BOOST_TEST(after(now + 90'000) == "90");
  BOOST_TEST(after(now + 89'001) == "90");
  BOOST_TEST(after(now + 1) == "5");
  BOOST_TEST(after(now) == "5");
  BOOST_TEST(after(now - 60'000) == "5");
  BOOST_TEST(after(now + 7'200'000) == "3600");
  BOOST_TEST(after(std::nullopt) == "60");
  BOOST_TEST(audit.entries.empty());
  BOOST_TEST(recordings.links == 0);
}

BOOST_AUTO_TEST_CASE(one_that_there_is_none_of_says_why) {
  recordings.answer.state = State::none;
  recordings.answer.reason = "The call was never connected.";
  api::Response response = get();
  BOOST_TEST(response.status == 404U);
  BOOST_TEST(problem(response) == "recording-none");
  BOOST_TEST(document(response).at("detail").as_string() == "The call was never connected.");
  BOOST_TEST(!document(response).at("retryable").as_bool());
  BOOST_TEST(header(response, "Retry-After") == "");
  recordings.answer.later = true;
  response = get();
  BOOST_TEST(document(response).at("retryable").as_bool());
  BOOST_TEST(header(response, "Retry-After") == "60");
  recordings.answer.reason = "no file for 13812345678";  // a channel's words
  BOOST_TEST(!holds(get().body, "13812345678"));
}

BOOST_AUTO_TEST_CASE(one_whose_time_was_over_is_gone) {
  recordings.answer.state = State::deleted;
  BOOST_TEST(get().status == 410U);
  BOOST_TEST(problem(get()) == "recording-gone");
  recordings.answer.state = State::stored;
  recordings.gone = true;  // just then
  BOOST_TEST(problem(get()) == "recording-gone");
  BOOST_TEST(audit.entries.empty());
}

BOOST_AUTO_TEST_CASE(anothers_call_is_not_there) {
  BOOST_TEST(problem(get("", "stranger")) == "call-not-found");
  path = "/v1/calls/720000000000000002/recording";
  BOOST_TEST(problem(get()) == "call-not-found");
  BOOST_TEST(problem(ask("HEAD", path, "", "reader")) == "call-not-found");
  path = "/v1/calls/13812345678/recording";
  BOOST_TEST(problem(get()) == "call-not-found");
  BOOST_TEST(trace.call == "");
  path = "/v1/calls/x/recording";
  BOOST_TEST(problem(get()) == "call-not-found");
  BOOST_TEST(problem(post(R"({"viewer":"li.wei"})")) == "call-not-found");
  BOOST_TEST(audit.entries.empty());
}

BOOST_AUTO_TEST_CASE(only_who_may_read_hears_of_it) {
  BOOST_TEST(problem(get("", "caller")) == "missing-scope");
  BOOST_TEST(problem(get("", "nobody")) == "unauthorized");
  BOOST_TEST(ask("POST", path, "{}", "root").status == 405U);
  BOOST_TEST(ask("GET", path + "/url", "", "root").status == 405U);
}

BOOST_AUTO_TEST_CASE(head_is_answered_here_and_is_no_hand_out) {
  const auto head = [&] { return ask("HEAD", path, "", "reader"); };
  const api::Response response = head();
  BOOST_TEST(response.status == 200U);
  BOOST_TEST(response.content_type == "audio/mpeg");
  BOOST_TEST(response.length.value() == 146'515U);
  BOOST_TEST(!response.more);
  BOOST_TEST(header(response, "Accept-Ranges") == "bytes");
  BOOST_TEST(header(response, "Location") == "");
  recordings.answer.content_type = "text/html";
  BOOST_TEST(head().content_type == "application/octet-stream");
  recordings.answer.state = State::expected;
  BOOST_TEST(problem(head()) == "recording-not-ready");
  recordings.answer.state = State::deleted;
  BOOST_TEST(head().status == 410U);
  BOOST_TEST(recordings.links == 0);
  BOOST_TEST(audit.entries.empty());
}

BOOST_AUTO_TEST_CASE(a_player_gets_a_url_in_its_viewers_name) {
  const api::Response response = post(R"j({"viewer":"李伟 (QA)","ttl":600})j");
  BOOST_TEST(response.status == 200U);
  BOOST_TEST(document(response).at("url").as_string() == "https://cc.example.com" + recordings.url);
  BOOST_TEST(document(response).at("expiresAt").as_int64() == clock.epoch_ms() + 600'000);
  BOOST_TEST(header(response, "Cache-Control") == "no-store");
  BOOST_TEST(recordings.ttl.value() == 600);
  BOOST_TEST(detail() == R"j({"viewer":"李伟 (QA)","ttl":600,"file":"audio","by":"url"})j");
  BOOST_TEST(trace.route == "/v1/calls/{callId}/recording/url");
  post(R"({"viewer":"x","ttl":null})", "http://127.0.0.1:8180", "?file=ivr");
  BOOST_TEST(detail() == R"({"viewer":"x","ttl":300,"file":"ivr","by":"url"})");
}

BOOST_AUTO_TEST_CASE(one_that_ends_sooner_than_wished_is_told_of_as_it_is) {
  recordings.longest = 120;
  const api::Response response = post(R"({"viewer":"x","ttl":600})");
  BOOST_TEST(document(response).at("expiresAt").as_int64() == clock.epoch_ms() + 120'000);
  BOOST_TEST(holds(detail(), R"("ttl":120)"));
}

BOOST_AUTO_TEST_CASE(a_stores_own_url_stays_as_it_is) {
  recordings.url = "https://bucket.oss.example/acme/1.mp3?x-oss-signature=s";
  const api::Response response = post(R"({"viewer":"x"})", "");
  BOOST_TEST(document(response).at("url").as_string() == recordings.url);
  BOOST_TEST(header(get(), "Location") == recordings.url);
}

BOOST_AUTO_TEST_CASE(behind_a_configured_url_every_way_begins_with_it) {
  api::Nouns served;
  served.recordings = &recordings;
  served.audit = &audit;
  Config public_config = make_config();
  public_config.http.public_url = "https://cc.example.com/cc";
  {
    Rig rig(public_config, served);
    const std::string expected = "https://cc.example.com/cc" + recordings.url;
    BOOST_TEST(rig.ask("GET", path, "reader").header("location") == expected);
    recordings.url = "https://bucket.oss.example/acme/1.mp3?x-oss-signature=s";
    BOOST_TEST(rig.ask("GET", path, "reader").header("location") == recordings.url);
  }
  recordings.url = "/v1/files/x";
  Rig rig(make_config(), served);
  BOOST_TEST(rig.ask("GET", path, "reader").header("location") == recordings.url);
}

BOOST_AUTO_TEST_CASE(who_does_not_say_where_we_are_gets_no_absolute_url) {
  const api::Response response = post(R"({"viewer":"x"})", "");
  BOOST_TEST(response.status == 400U);
  BOOST_TEST(invalid(response) == "header Host");
  BOOST_TEST(audit.entries.empty());
}

BOOST_AUTO_TEST_CASE(what_is_wrong_with_a_wish_is_named) {
  const auto wrong = [&](const std::string& body) { return invalid(post(body)); };
  BOOST_TEST(wrong("{}") == "viewer");
  BOOST_TEST(wrong(R"({"viewer":null})") == "viewer");
  BOOST_TEST(wrong(R"({"viewer":""})") == "viewer");
  BOOST_TEST(wrong(R"({"viewer":7})") == "viewer");
  BOOST_TEST(wrong("{\"viewer\":\"" + std::string(65, 'x') + "\"}") == "viewer");
  BOOST_TEST(wrong(R"({"viewer":"a\u0007b"})") == "viewer");
  BOOST_TEST(wrong(R"({"viewer":"x","ttl":9})") == "ttl");
  BOOST_TEST(wrong(R"({"viewer":"x","ttl":3601})") == "ttl");
  BOOST_TEST(wrong(R"({"viewer":"x","ttl":"60"})") == "ttl");
  BOOST_TEST(wrong(R"({"viewer":"x","forever":true})") == "forever");
  BOOST_TEST(wrong("[]") == "body");
  BOOST_TEST(post("{\"viewer\":\"" + std::string(64, 'x') + "\",\"ttl\":10}").status == 200U);
  const api::Response number = post(R"({"viewer":"shop 138 1234 5678"})");
  BOOST_TEST(invalid(number) == "viewer");
  BOOST_TEST(!holds(number.body, "1234"));
  BOOST_TEST(audit.entries.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_viewer_is_no_phone) {
  for (const char* name :
       {"13812345678", "1381234567", "+86 138 1234 5678", "shop13812345678", "shop7 13812345678",
        "user(138)1234-5678", "010-66554433", "tel 010 6655 4433", "０1381234567",
        "１３８１２３４５６７８", "Bob +1 415 555 0123", "1 3 8 1 2 3 4 5 6 7 8", "8613812345678",
        "6655443", "a/13812345678"}) {
    BOOST_TEST(api::may_hold_number(name), name);
  }
  for (const char* name : {"li.wei", "李伟", "user-17", "E20231234", "shop 17 desk 4",
                           "qa@example.com", "123456", "550e8400-e29b-41d4-a716-446655440000",
                           "2026-11-22 duty", "720000000000000001", "", "+7"}) {
    BOOST_TEST(!api::may_hold_number(name), name);
  }
}

BOOST_AUTO_TEST_SUITE_END()
