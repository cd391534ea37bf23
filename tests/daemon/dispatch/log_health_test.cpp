// Figures in, grades and words out.
#include "health/log_health.hpp"

#include <boost/test/unit_test.hpp>

using namespace cc;

namespace {

constexpr std::int64_t now_ms = 1'800'000'000'000;

bool is(const Judgement& judgement, Grade grade, const std::string& part = {}) {
  if (judgement.grade == grade && judgement.says.find(part) != std::string::npos) return true;
  BOOST_TEST_MESSAGE(to_text(judgement.grade) << ": " << judgement.says);
  return false;
}

NginxState whole() {
  NginxState state;
  state.workers = state.linked = 2;
  return state;
}

CanaryState arriving() {
  CanaryState state;
  state.channel = "e9";
  state.sent = true;
  state.sent_ago_ms = 3'000;
  state.arrived_ago_ms = 2'990;
  state.delay_ms = 10;
  state.watched_ms = 3'600'000;
  return state;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(log_health)

BOOST_AUTO_TEST_CASE(a_status_page_is_read) {
  const auto state = read_nginx_state(
      R"({"accepted":9,"failed":{"redis_down":2,"full":3},"pending":4,
          "spool":{"readable":true,"files":1,"bytes":1234,"oldest_received_ms":17,"damaged_files":1},
          "workers":[{"pid":1,"link":"up","oldest_pending_ms":7},
                     {"pid":2,"link":"connecting","oldest_pending_ms":9}]})");
  BOOST_REQUIRE(state);
  BOOST_TEST(state->workers == 2U);
  BOOST_TEST(state->linked == 1U);
  BOOST_TEST(state->pending == 4);
  BOOST_TEST(state->oldest_pending_ms == 9);
  BOOST_TEST(state->failed == 5);
  BOOST_TEST(state->spool_bytes == 1234);
  BOOST_TEST(state->spool_oldest_ms == 17);
  BOOST_TEST(state->spool_damaged == 1);
  BOOST_TEST(!read_nginx_state(R"({"spool":null})")->spooling);
  BOOST_TEST(!read_nginx_state(R"({"spool":{"readable":false}})")->spool_readable);
  for (const char* text : {"", "[]", "{}", "<html>", R"({"spool":1})", R"({"spool":{}})"}) {
    const auto wrong = read_nginx_state(text);
    BOOST_REQUIRE_MESSAGE(!wrong, text);
    BOOST_TEST(wrong.error().message.find("cc_status") != std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(an_nginx_is_judged) {
  BOOST_TEST(is(judge_nginx(whole(), {}, now_ms), Grade::ok, "2 workers, linked to Redis"));
  NginxState state = whole();
  state.linked = 1;
  BOOST_TEST(is(judge_nginx(state, {}, now_ms), Grade::degraded, "1 of 2 workers have no link"));
  state.spooling = false;
  BOOST_TEST(is(judge_nginx(state, {}, now_ms), Grade::failing, "no spool"));
  state = whole();
  state.spool_bytes = 2'500'000;
  state.spool_oldest_ms = now_ms - 3'000;  // a replay's last moments
  BOOST_TEST(is(judge_nginx(state, {}, now_ms), Grade::ok));
  state.spool_oldest_ms = now_ms - 90'000;
  BOOST_TEST(is(judge_nginx(state, {}, now_ms), Grade::degraded,
                "its spool holds 2.5 MB, the oldest of 90 s ago"));
  state.spool_oldest_ms = now_ms - 3'700'000;
  BOOST_TEST(is(judge_nginx(state, {}, now_ms), Grade::failing, "61 min ago"));
  state = whole();
  state.spool_readable = false;
  BOOST_TEST(is(judge_nginx(state, {}, now_ms), Grade::failing, "spool directory"));
  state = whole();
  BOOST_TEST(is(judge_nginx(state, 10'000, now_ms), Grade::failing, "refused 10 s ago"));
  BOOST_TEST(is(judge_nginx(state, 61'000, now_ms), Grade::ok));
  state.pending = 3;
  state.oldest_pending_ms = 1'500;
  BOOST_TEST(is(judge_nginx(state, {}, now_ms), Grade::degraded, "3 callbacks wait"));
  state = whole();
  state.spool_damaged = 1;
  BOOST_TEST(is(judge_nginx(state, {}, now_ms), Grade::degraded, "unreadable"));
  BOOST_TEST(is(judge_nginx(NginxState{}, {}, now_ms), Grade::failing, "no worker"));
}

BOOST_AUTO_TEST_CASE(redis_is_judged) {
  RedisState state;
  state.took_ms = 1;
  state.used_bytes = 50;
  BOOST_TEST(is(judge_redis(state), Grade::ok, "answers within 1 ms; 50 bytes in use"));
  state.most_bytes = 100;
  BOOST_TEST(is(judge_redis(state), Grade::ok));
  state.used_bytes = 81;
  BOOST_TEST(is(judge_redis(state), Grade::degraded, "81 bytes of its 100 bytes"));
  state.used_bytes = 96;
  BOOST_TEST(is(judge_redis(state), Grade::failing));
  state.used_bytes = 1;
  state.took_ms = 201;
  BOOST_TEST(is(judge_redis(state), Grade::degraded, "201 ms"));
  state.append_failed = true;
  BOOST_TEST(is(judge_redis(state), Grade::failing, "append-only"));
  state.problem = "connection refused";
  BOOST_TEST(is(judge_redis(state), Grade::failing, "connection refused"));
}

BOOST_AUTO_TEST_CASE(what_waits_is_judged_by_its_age) {
  BOOST_TEST(is(judge_spool(0, 0, now_ms), Grade::ok, "empty"));
  BOOST_TEST(is(judge_spool(1, 0, now_ms), Grade::degraded, "cannot be read"));
  BOOST_TEST(is(judge_spool(now_ms - 4'000, 10, now_ms), Grade::ok));
  BOOST_TEST(is(judge_spool(now_ms - 60'000, 1'500, now_ms), Grade::degraded, "1.5 kB"));
  BOOST_TEST(is(judge_spool(now_ms - 4'000'000, 10, now_ms), Grade::failing));

  std::vector<StreamBacklog> streams{{"cc:events:0", 0, 0}, {"cc:events:1", 0, {}}};
  BOOST_TEST(is(judge_backlog(streams, now_ms), Grade::ok, "2 streams, all read to the end"));
  streams[0] = {"cc:events:0", now_ms - 6'000, 42};
  BOOST_TEST(is(judge_backlog(streams, now_ms), Grade::degraded,
                "cc:events:0: 42 entries not drained yet, the oldest of 6 s ago"));
  streams[1] = {"cc:events:1", now_ms - 61'000, {}};
  BOOST_TEST(
      is(judge_backlog(streams, now_ms), Grade::failing, "cc:events:1: entries not drained"));

  BOOST_TEST(is(judge_drained(now_ms - 700, now_ms), Grade::ok, "700 ms behind"));
  BOOST_TEST(is(judge_drained(now_ms + 5, now_ms), Grade::ok, "0 ms behind"));
  BOOST_TEST(is(judge_drained(now_ms - 5'001, now_ms), Grade::degraded));
  BOOST_TEST(is(judge_drained(now_ms - 60'001, now_ms), Grade::failing));
  BOOST_TEST(is(judge_drained(0, now_ms), Grade::degraded));
}

BOOST_AUTO_TEST_CASE(postgresql_and_its_partitions_are_judged) {
  BOOST_TEST(is(judge_pool(true, 8, 8, 8, ""), Grade::ok, "8 connections"));
  BOOST_TEST(is(judge_pool(true, 8, 9, 8, ""), Grade::degraded, "9 statements wait"));
  BOOST_TEST(is(judge_pool(false, 0, 0, 8, "no route"), Grade::failing, "no route"));
  BOOST_TEST(is(judge_partitions(60, 31), Grade::ok, "60 days ahead"));
  BOOST_TEST(is(judge_partitions(30, 31), Grade::degraded, "fewer than a month"));
  BOOST_TEST(is(judge_partitions(0, 31), Grade::failing));
}

BOOST_AUTO_TEST_CASE(a_canary_is_judged) {
  constexpr std::int64_t every = 10'000;
  BOOST_TEST(is(judge_canary(arriving(), every), Grade::ok, "came after 10 ms, 2 s ago"));
  CanaryState state = arriving();
  state.delay_ms = 5'001;
  BOOST_TEST(is(judge_canary(state, every), Grade::degraded, "came after 5 s"));
  state.arrived_ago_ms = 15'001;
  BOOST_TEST(is(judge_canary(state, every), Grade::failing, "for 15 s"));
  state.watched_ms = 1'000;  // the others may have been away for as long as we were
  BOOST_TEST(is(judge_canary(state, every), Grade::degraded));
  state = arriving();
  state.arrived_ago_ms.reset();
  BOOST_TEST(is(judge_canary(state, every), Grade::failing, "ever"));
  state.watched_ms = 14'999;
  BOOST_TEST(is(judge_canary(state, every), Grade::ok, "under way"));
  state = arriving();
  state.problem = canary_problem(403, "", "e9");
  BOOST_TEST(is(judge_canary(state, every), Grade::failing, "token"));
  state = arriving();
  state.sent_ago_ms = 35'001;
  BOOST_TEST(is(judge_canary(state, every), Grade::degraded, "no daemon"));
  BOOST_TEST(is(judge_canary(CanaryState{}, every), Grade::ok));
  state = CanaryState{};
  state.watched_ms = 20'000;
  BOOST_TEST(is(judge_canary(state, every), Grade::degraded, "none has been sent"));
}

BOOST_AUTO_TEST_CASE(each_refusal_of_a_canary_has_its_remedy) {
  BOOST_TEST(canary_problem(200, "", "e9").empty());
  const auto says = [](unsigned status, const std::string& part) {
    return canary_problem(status, "connection refused", "e9").find(part) != std::string::npos;
  };
  BOOST_TEST(says(0, "(connection refused): is NGINX running"));
  BOOST_TEST(says(403, "(403): the URL's token"));
  BOOST_TEST(says(403, "addresses="));
  BOOST_TEST(says(404, "cc_channel e9"));
  BOOST_TEST(says(503, "spool"));
  BOOST_TEST(says(301, "answered 301"));
  for (const unsigned status : {0U, 403U, 404U, 503U, 301U, 204U}) {
    BOOST_TEST(canary_problem(status, "x", "12345678").size() <= 256U);  // the column's width
  }
}

BOOST_AUTO_TEST_CASE(the_worst_part_counts_and_is_named_first) {
  std::vector<PartHealth> parts{{"postgresql", true, "8 connections"}, {"redis", true, "well"}};
  BOOST_TEST((worst(parts) == Grade::ok));
  BOOST_TEST(summary(parts, false) == "Everything works.");
  BOOST_TEST(summary(parts, true) == "This daemon is shutting down. Everything works.");
  parts[1].grade = Grade::degraded;
  parts[1].says = "slow";
  BOOST_TEST((worst(parts) == Grade::degraded));
  BOOST_TEST(summary(parts, false) == "Degraded: redis. redis says: slow");
  parts.push_back({"dispatcher", false, "no connection"});  // not ready counts as failing
  BOOST_TEST((worst(parts) == Grade::failing));
  BOOST_TEST(summary(parts, false) ==
             "Failing: dispatcher; degraded: redis. dispatcher says: no connection");
}

BOOST_AUTO_TEST_CASE(spans_and_sizes_read_well) {
  BOOST_TEST(span_text(999) == "999 ms");
  BOOST_TEST(span_text(119'999) == "119 s");
  BOOST_TEST(span_text(120'000) == "2 min");
  BOOST_TEST(span_text(7'200'000) == "2 h");
  BOOST_TEST(span_text(172'800'000) == "2 days");
  BOOST_TEST(bytes_text(999) == "999 bytes");
  BOOST_TEST(bytes_text(1'500) == "1.5 kB");
  BOOST_TEST(bytes_text(2'000'000'000) == "2.0 GB");
}

BOOST_AUTO_TEST_SUITE_END()
