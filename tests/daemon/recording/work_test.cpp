// A recording's way from its channel into the store, and what may go wrong on it.
#include "recording_fixture.hpp"

using namespace cc;
using namespace cc::test;

namespace {

constexpr std::int64_t minute = 60'000, hour = 60 * minute;

std::int64_t number(const std::string& text) {
  return std::stoll(text);
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(work, RecordingFixture)

BOOST_AUTO_TEST_CASE(a_recording_is_fetched_when_the_channel_has_it_and_the_record_says_so) {
  Site& a = site();
  const std::string bytes = mp3(100'000);
  answers["/r/1.mp3"] = {http_answer("200 OK", bytes)};
  const std::int64_t call = make_call_with(1, stage.url("/r/1.mp3?x=1"), now_ms - 2 * minute);
  const std::int64_t closed = number(record(call, "close_time"));
  a.run();
  const std::int64_t due = number(row(call, "due"));
  BOOST_TEST(due >= closed + 10 * minute);
  BOOST_TEST(due <= closed + 11 * minute);
  BOOST_TEST(asked.empty());
  BOOST_TEST(record(call, "recording_state") == "expected");

  at.at_ms = due;
  a.run();
  BOOST_TEST((store.objects.at(object_of(call)) == bytes));
  BOOST_TEST(store.types.at(object_of(call)) == "audio/mpeg");
  BOOST_TEST(row(call, "state, size, crc64, content_type, owner IS NULL, upload IS NULL, stored") ==
             "stored|100000|42|audio/mpeg|t|t|" + std::to_string(due));
  BOOST_TEST(record(call, "recording_state, audio_url") == "stored|memory://" + object_of(call));
  BOOST_TEST(changes(call, "recording.ready") == "1");
  // UPPER(HEX(MD5(accountSid ":" authToken))) behind the query that is there.
  BOOST_TEST(stage.received().find("GET /r/1.mp3?x=1&auth=C63F77794EFC8C13F90B9A54C75A0037 ") !=
             std::string::npos);
  BOOST_TEST(metrics.recordings_stored.Value() == 1);
  BOOST_TEST(metrics.recording_bytes.Value() == 100'000);
  a.run();
  BOOST_TEST(asked["/r/1.mp3"] == 1);
}

BOOST_AUTO_TEST_CASE(an_ivr_file_takes_the_same_road) {
  Site& a = site();
  answers["/ivr.wav"] = {http_answer("200 OK", "RIFF1234WAVE" + std::string(100, 'i'))};
  const std::int64_t call = make_call(now_ms - hour, 1, "13812340000");
  NewEvents events;
  NewEvent told = own_event(call, 1, EventName::closed, now_ms - hour + 60'000);
  told.event.source = Source::callback;
  told.event.facts.ivr_url = stage.url("/ivr.wav");
  told.event.facts.ivr_text = "balance";
  told.event.facts.close = CloseFact{"0", "normal", "b"};
  events[call].push_back(told);
  const auto add = [&]() -> asio::awaitable<void> {
    pg::Transaction transaction = co_await pool->begin();
    co_await fold_events(transaction, events, now_ms - hour + 60'000);
    co_await transaction.commit();
  };
  wait_for(add());
  BOOST_TEST(record(call, "state, ivr_url, ivr_text") ==
             "close|" + stage.url("/ivr.wav") + "|balance");
  a.run();
  const std::string name = object_of(call, "-ivr.wav");
  BOOST_TEST(store.objects.contains(name));
  BOOST_TEST(record(call, "ivr_url, ivr_text, audio_url IS NULL, recording_state IS NULL") ==
             "memory://" + name + "|balance|t|t");
  BOOST_TEST(row(call, "state, content_type", "ivr") == "stored|audio/wav");
  a.run();
  BOOST_TEST(asked["/ivr.wav"] == 1);
}

BOOST_AUTO_TEST_CASE(trouble_is_tried_again_with_growing_pauses_until_it_is_over) {
  Site& a = site();
  answers["/1"] = {http_answer("500 Oh", ""), http_answer("503 Oh", ""),
                   http_answer("200 OK", "<html>busy</html>"),
                   // Cut short.
                   "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + mp3(4500),
                   http_answer("200 OK", mp3(9000))};
  const std::int64_t call = make_recorded_call(1, "/1");
  const char* const problems[] = {"HTTP 500", "HTTP 503", "what is no sound", "broke off"};
  for (int i = 0; i < 4; ++i) {
    a.run();
    BOOST_TEST(row(call, "state, tries, owner IS NULL") ==
               "expected|" + std::to_string(i + 1) + "|t");
    BOOST_TEST(row(call, "problem").find(problems[i]) != std::string::npos, row(call, "problem"));
    const std::int64_t pause = number(row(call, "due")) - at.at_ms, most = minute << i;
    BOOST_TEST(pause >= most / 2);
    BOOST_TEST(pause <= most);
    const int before = asked["/1"];
    at.at_ms += pause - 1;
    a.run();
    BOOST_TEST(asked["/1"] == before);
    at.at_ms += 1;
  }
  BOOST_TEST(store.objects.empty());
  a.run();
  BOOST_TEST(store.objects.at(object_of(call)).size() == 9000U);
  BOOST_TEST(store.uploads.empty());
  BOOST_TEST(record(call, "recording_state") == "stored");
}

BOOST_AUTO_TEST_CASE(what_the_channel_does_not_have_is_absent_after_a_day) {
  Site& a = site();
  const std::int64_t call = make_recorded_call(1, "/none", now_ms - 10 * minute);
  const std::int64_t closed = number(record(call, "close_time"));
  std::int64_t last = 0;
  for (int i = 0; i < 100 && row(call, "state") == "expected"; ++i) {
    a.run();
    if (row(call, "due") != "") last = number(row(call, "due"));
    if (row(call, "state") == "expected") at.at_ms = last;
  }
  BOOST_TEST(row(call, "state") == "absent");
  BOOST_TEST(at.at_ms - closed >= 24 * hour + 10 * minute);
  BOOST_TEST(at.at_ms - closed <= 26 * hour);
  BOOST_TEST(record(call, "recording_state, recording_reason") ==
             "absent|the channel has had no such file for 24 h");
  BOOST_TEST(changes(call, "recording.absent") == "1");
  BOOST_TEST(metrics.recordings_absent.Value() == 1);

  // An operator wants it tried again: what is stored then counts for more.
  answers["/none"] = {http_answer("200 OK", mp3(50))};
  sql("UPDATE recording SET state = 'expected', due = 1, tries = 0");
  a.run();
  BOOST_TEST(record(call, "recording_state, recording_reason IS NULL") == "stored|t");
  BOOST_TEST(changes(call, "recording.ready") == "1");
}

BOOST_AUTO_TEST_CASE(an_old_call_that_is_found_again_is_asked_for_more_than_once) {
  Site& a = site();
  make_months(now_ms - 40 * day_ms, now_ms);
  const std::int64_t call = make_recorded_call(1, "/none", now_ms - 20 * day_ms);
  a.run();
  BOOST_TEST(row(call, "state, tries") == "expected|1");
  answers["/none"] = {http_answer("200 OK", mp3(50))};
  at.at_ms = number(row(call, "due"));
  a.run();
  BOOST_TEST(record(call, "recording_state") == "stored");
}

BOOST_AUTO_TEST_CASE(trouble_lasts_as_long_as_the_channel_keeps_it) {
  Site& a = site();
  answers["/1"] = {http_answer("403 No", "")};
  const std::int64_t call = make_recorded_call(1, "/1");
  const std::int64_t closed = number(record(call, "close_time"));
  for (const std::int64_t age : {2 * hour, 10 * 24 * hour, 29 * 24 * hour}) {
    at.at_ms = closed + age;
    a.run();
    BOOST_TEST(row(call, "state") == "expected");
  }
  at.at_ms = closed + 30 * 24 * hour;
  sql("UPDATE recording SET due = 1");
  a.run();
  BOOST_TEST(record(call, "recording_state, recording_reason") ==
             "absent|could not be fetched before the channel deleted it: the channel answers with "
             "HTTP 403: it does not accept accountSid and authTok");
  BOOST_TEST(row(call, "problem").ends_with("accountSid and authToken of channels.e9"));
}

BOOST_AUTO_TEST_CASE(what_cannot_be_asked_for_is_absent_at_once) {
  Site& a = site();
  const std::int64_t call = make_call_with(1, "ftp://127.0.0.1/1.mp3");
  a.run();
  BOOST_TEST(record(call, "recording_state, recording_reason") ==
             "absent|the channel's address of the file is no http or https URL");
  store.problem.reset();
  config.recordings.most = 5000;
  answers["/2"] = {http_answer("200 OK", mp3(9000))};
  const std::int64_t longer = make_recorded_call(2, "/2");
  a.run();
  BOOST_TEST(record(longer, "recording_state, recording_reason") ==
             "absent|it is longer than recordings.most allows");
  BOOST_TEST(store.objects.empty());
  BOOST_TEST(store.uploads.empty());
}

BOOST_AUTO_TEST_CASE(an_address_from_outside_leads_to_public_or_listed_hosts_only) {
  hosts.clear();
  configure();
  Site& a = site();
  answers["/1"] = {http_answer("200 OK", mp3(50))};
  const std::int64_t call = make_recorded_call(1, "/1");
  a.run();
  BOOST_TEST(row(call, "state, tries") == "expected|1");
  BOOST_TEST(asked.empty());

  hosts = {"files.example.com"};
  configure();
  at.at_ms += hour;
  a.run();
  BOOST_TEST(asked.empty());
  BOOST_TEST(row(call, "problem").find("channels.e9.recordings.hosts") != std::string::npos);

  const std::string origin = stage.url("");
  hosts = {origin.substr(origin.find("//") + 2)};
  configure();
  at.at_ms += hour;
  a.run();
  BOOST_TEST(asked["/1"] == 1);
  BOOST_TEST(record(call, "recording_state") == "stored");
}

BOOST_AUTO_TEST_CASE(never_more_than_at_once_are_on_their_way) {
  Site& a = site();
  config.recordings.at_once = 3;
  bool held = true;
  store.before_end = [&](const std::string&) -> asio::awaitable<void> {
    while (held) co_await pause(1ms);
  };
  for (int i = 0; i < 10; ++i) {
    const std::string path = "/" + std::to_string(i);
    answers[path] = {http_answer("200 OK", mp3(50))};
    make_recorded_call(i, path);
  }
  for (int i = 0; i < 5; ++i) a.look();
  await([&] { return store.begun_puts == 3; });
  a.look();
  BOOST_TEST(a.work->in_hand() == 3U);
  BOOST_TEST(store.begun_puts == 3);
  held = false;
  for (int i = 0; i < 5; ++i) a.run();
  BOOST_TEST(store.objects.size() == 10U);
  BOOST_TEST(sql("SELECT count(*) FROM recording WHERE state = 'stored'") == "10");
}

BOOST_AUTO_TEST_CASE(a_channel_that_drips_holds_up_no_other) {
  Site& a = site();
  config.recordings.at_once = 3;
  for (int i = 0; i < 5; ++i) {
    const std::string path = "/" + std::to_string(i);
    answers[path] = {http_answer("200 OK", mp3(50))};
    make_recorded_call(i, path, now_ms - 5 * hour);
  }
  const std::int64_t other = make_call(now_ms - hour, 9, "13812340000");
  sql("INSERT INTO recording (call, file, tenant, channel, source, closed) VALUES (" +
      std::to_string(other) + ", 'audio', 'demo', 'hw', 'Y:/1.V3', " +
      std::to_string(now_ms - hour) + ")");
  answers["/CCFS/resource/ccfs/downloadRecord"] = {
      http_answer("200 OK", "RIFF1234WAVE" + std::string(100, 'w'))};
  bool held = true;
  store.before_end = [&](const std::string&) -> asio::awaitable<void> {
    while (held) co_await pause(1ms);
  };
  a.look();
  await([&] { return store.begun_puts == 3; });
  BOOST_TEST(row(other, "owner") == "a");
  held = false;
  for (int i = 0; i < 3; ++i) a.run();
  await([&] { return store.objects.size() == 6U; });
}

BOOST_AUTO_TEST_CASE(a_place_that_becomes_free_is_filled_at_once) {
  Site& a = site();
  config.recordings.at_once = 1;
  for (int i = 0; i < 5; ++i) {
    const std::string path = "/" + std::to_string(i);
    answers[path] = {http_answer("200 OK", mp3(50))};
    make_recorded_call(i, path);
  }
  a.look();
  await([&] { return store.objects.size() == 5U; });
  await([&] { return a.work->in_hand() == 0; });
}

BOOST_AUTO_TEST_CASE(what_is_not_configured_yet_is_not_given_up) {
  hosts = {"other.example.com"};
  configure();
  Site& a = site();
  const std::int64_t call = make_recorded_call(1, "/1");
  a.run();
  BOOST_TEST(row(call, "state, tries") == "expected|1");
  BOOST_TEST(row(call, "problem").find("channels.e9.recordings.hosts") != std::string::npos);
  BOOST_TEST(asked.empty());
}

BOOST_AUTO_TEST_CASE(all_wait_together_while_the_store_refuses_us) {
  Site& a = site();
  for (int i = 0; i < 8; ++i) {
    const std::string path = "/" + std::to_string(i);
    answers[path] = {http_answer("200 OK", mp3(50))};
    make_recorded_call(i, path);
  }
  store.problem = StoreProblem{"InvalidAccessKeyId", "request 5F", true};
  a.run();
  BOOST_TEST(store.begun_puts == 4);
  BOOST_TEST((a.work->health().grade == Grade::failing));
  BOOST_TEST(a.work->health().says.find("InvalidAccessKeyId") != std::string::npos);
  BOOST_TEST(a.work->health().ok);
  BOOST_TEST(sql("SELECT max(tries) FROM recording") == "0");
  for (int i = 0; i < 3; ++i) a.run();
  BOOST_TEST(store.begun_puts == 4);
  at.at_ms += 10 * minute;
  a.look();
  BOOST_TEST(a.work->in_hand() == 1U);
  await([&] { return a.work->in_hand() == 0; });
  BOOST_TEST(store.begun_puts == 5);
  store.problem.reset();
  for (int i = 0; i < 4; ++i) {
    at.at_ms += 10 * minute;
    a.run();
  }
  BOOST_TEST(store.objects.size() == 8U);
  BOOST_TEST((a.work->health().grade == Grade::ok));
}

BOOST_AUTO_TEST_CASE(old_ones_are_told_of_before_the_channel_deletes_them) {
  Site& a = site();
  answers["/1"] = {http_answer("500 Oh", "")};
  const std::int64_t call = make_recorded_call(1, "/1", now_ms - 12 * minute);
  a.run();
  BOOST_TEST((a.work->health().grade == Grade::ok));
  BOOST_TEST(metrics.recordings_expected.Value() == 1);
  at.at_ms = number(record(call, "close_time")) + 71 * minute;
  a.run();
  BOOST_TEST((a.work->health().grade == Grade::degraded), a.work->health().says);
  at.at_ms = number(record(call, "close_time")) + 15 * 24 * hour + 1;
  a.run();
  BOOST_TEST((a.work->health().grade == Grade::failing), a.work->health().says);
}

BOOST_AUTO_TEST_CASE(a_better_address_counts_even_while_the_old_one_is_tried) {
  Site& a = site();
  answers["/new"] = {http_answer("200 OK", mp3(50))};
  const std::int64_t call = make_recorded_call(1, "/old");
  // Between the try and its end another address comes.
  answers["/old"] = {http_answer("200 OK", mp3(60))};
  store.before_end = [&](const std::string&) -> asio::awaitable<void> {
    sql("UPDATE recording SET source = '" + stage.url("/new") + "', due = NULL, tries = 0");
    throw SourceBroken("the old one breaks");
    co_return;
  };
  a.run();
  BOOST_TEST(row(call, "state, tries, due IS NULL, owner IS NULL") == "expected|0|t|t");
  // The same where somebody has given the new one its time meanwhile.
  sql("UPDATE recording SET source = '" + stage.url("/old") + "', due = 1");
  store.before_end = [&](const std::string&) -> asio::awaitable<void> {
    sql("UPDATE recording SET source = '" + stage.url("/new") + "', due = 2, tries = 0");
    throw SourceBroken("the old one breaks");
    co_return;
  };
  a.run();
  BOOST_TEST(row(call, "state, tries, due, problem IS NULL") == "expected|0|2|t");
  store.before_end = {};
  a.run();
  BOOST_TEST(store.objects.at(object_of(call)).size() == 50U);
}

BOOST_AUTO_TEST_CASE(an_end_that_lies_about_its_time_is_fetched_all_the_same) {
  Site& a = site();
  answers["/1"] = answers["/2"] = {http_answer("200 OK", mp3(50))};
  const std::int64_t past = make_recorded_call(1, "/1"), future = make_recorded_call(2, "/2");
  sql("UPDATE recording SET closed = -9223372036854775808 WHERE call = " + std::to_string(past));
  sql("UPDATE recording SET closed = 9223372036854775807 WHERE call = " + std::to_string(future));
  a.run();
  BOOST_TEST(record(past, "recording_state") == "stored");
  at.at_ms += 11 * minute;
  a.run();
  BOOST_TEST(record(future, "recording_state") == "stored");
}

BOOST_AUTO_TEST_CASE(huawei_s_files_are_asked_for_by_the_call_and_joined) {
  Site& a = site();
  const std::int64_t call = make_call(now_ms - hour, 1, "13812340000");
  sql("UPDATE call_record SET state = 'close' WHERE id = " + std::to_string(call));
  sql("INSERT INTO recording (call, file, tenant, channel, agent, channel_call_id, source, closed) "
      "VALUES (" +
      std::to_string(call) +
      ", 'audio', 'demo', 'hw', '291', '1476070409-38', "
      "'Y:/6/0/1.V3', " +
      std::to_string(now_ms - hour) + ")");
  const std::string path = "/CCFS/resource/ccfs/downloadRecord";
  answers[path] = {
      http_answer("200 OK", R"({"resultCode":"0300012","resultDesc":"No data found"})"),
      http_answer("200 OK", "RIFF1234WAVE" + std::string(100, 'w'))};
  a.run();
  BOOST_TEST(row(call, "problem") ==
             "the file service answers with HTTP 200, code 300012 No data found");
  BOOST_TEST(stage.count("Authorization: auth-v2/ak/20") == 1);
  BOOST_TEST(
      stage.count(
          R"({"request":{"version":"2.0"},"msgBody":{"callId":"1476070409-38","ccId":"1"}})") == 1);
  at.at_ms += hour;
  a.run();
  BOOST_TEST(row(call, "state, content_type") == "stored|audio/wav");
  BOOST_TEST(store.objects.contains(object_of(call, ".wav")));
}

BOOST_AUTO_TEST_CASE(a_stop_gives_rows_back_and_begins_nothing) {
  Site& a = site();
  answers["/1"] = {http_answer("200 OK", mp3(200'000))};
  const std::int64_t call = make_recorded_call(1, "/1");
  bool held = true;
  store.before_end = [&](const std::string&) -> asio::awaitable<void> {
    while (held) co_await pause(1ms);
  };
  a.look();
  await([&] { return !store.uploads.empty(); });
  const auto stop = [&]() -> asio::awaitable<void> {
    held = false;
    co_await a.work->stop(at.steady() + std::chrono::seconds{5});
  };
  wait_for(stop());
  BOOST_TEST(a.work->in_hand() == 0U);
  BOOST_TEST(row(call, "state, tries, owner IS NULL") == "expected|0|t");
  BOOST_TEST(store.objects.empty());
  BOOST_TEST(store.uploads.empty());
  a.look();
  BOOST_TEST(a.work->in_hand() == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
