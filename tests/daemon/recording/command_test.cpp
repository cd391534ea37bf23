// `ccd recording`: its words, what it prints, and what a retry does.
#include "../agent/capture.hpp"
#include "recording_command.hpp"
#include "recording_fixture.hpp"

using namespace cc;
using namespace cc::test;

namespace {

struct Fixture : RecordingFixture {
  Told recording(std::vector<std::string> words) {
    Config own;
    own.postgres.conninfo = server.conninfo(database);
    ChannelConfig e9 = channels.find("e9")->config;
    own.channels = {{"e9", e9}};
    return run_told(recording_command, std::move(words), own);
  }
  static void wrong(const Told& told, const std::string& says) {
    BOOST_TEST(told.code == exit_usage);
    BOOST_TEST(holds(told.err, says), told.err);
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(command, Fixture)

BOOST_AUTO_TEST_CASE(its_words) {
  const Told help = recording({"--help"});
  BOOST_TEST(help.code == exit_right);
  BOOST_TEST(holds(help.out, "usage: ccd [--config FILE] recording list"));
  wrong(recording({}), "say what to do: list, show or retry; see ccd recording --help");
  wrong(recording({"play"}), "unknown action \"play\"");
  wrong(recording({"list", "1"}), "list takes options only");
  wrong(recording({"list", "--state", "lost"}), "--state must be expected");
  wrong(recording({"list", "--state", "stored", "--overdue"}), "--overdue is of expected ones");
  wrong(recording({"list", "--limit", "0"}), "--limit must be 1 to 100000");
  wrong(recording({"show"}), "show needs one call's id");
  wrong(recording({"show", "x"}), "\"x\" is no call's id");
  wrong(recording({"retry"}), "retry needs calls, or --absent-since TIME");
  wrong(recording({"retry", "1", "--absent-since", "2026-01-01"}), "not both");
  wrong(recording({"retry", "--absent-since", "soon"}), "--absent-since must be like");
  wrong(recording({"retry", "1", "--tenant", "x"}), "are of list");
}

BOOST_AUTO_TEST_CASE(it_shows_what_is_wrong_and_has_it_tried_again) {
  Site& a = site();
  at.at_ms = clock.epoch_ms();  // the command has the system's
  make_months(at.at_ms - 2 * day_ms, at.at_ms + day_ms);
  const std::int64_t call = make_recorded_call(1, "/1", at.at_ms - 2 * 3'600'000);
  const std::string id = std::to_string(call);
  answers["/1"] = {http_answer("403 No", "")};
  a.run();
  Told told = recording({"list", "--overdue"});
  BOOST_TEST(told.code == exit_right);
  BOOST_TEST(holds(told.out, id + "  audio  demo"), told.out);
  BOOST_TEST(holds(told.out, "expected"));
  BOOST_TEST(holds(told.out, "1x  the channel answers with HTTP 403"));
  BOOST_TEST(holds(recording({"list", "--state", "stored"}).out, "no recordings"));
  BOOST_TEST(holds(recording({"list", "--tenant", "other"}).out, "no recordings"));

  sql("UPDATE recording SET closed = closed - 40 * 86400000::bigint, due = 1");
  a.run();
  BOOST_TEST(record(call, "recording_state") == "absent");
  told = recording({"show", id});
  BOOST_TEST(holds(told.out, "state        absent"), told.out);
  BOOST_TEST(holds(told.out, "deleted it: the channel answers with HTTP 403"), told.out);
  BOOST_TEST(!holds(told.out, stage.url("/1")));
  BOOST_TEST(recording({"show", "5"}).code == exit_wrong);
  BOOST_TEST(recording({"retry", "5"}).code == exit_wrong);

  told = recording({"retry", id});
  BOOST_TEST(told.out == "1 will be fetched as soon as may be\n");
  BOOST_TEST(row(call, "state, tries") == "expected|0");
  BOOST_TEST(sql("SELECT action, tenant, calls, count, key LIKE 'command:%' FROM audit") ==
             "recording.retried|demo|{" + id + "}|1|t");
  sql("UPDATE recording SET state = 'absent'");
  BOOST_TEST(recording({"retry", "--absent-since", "2020-01-01", "--channel", "hw"}).out ==
             "0 will be fetched as soon as may be\n");
  BOOST_TEST(recording({"retry", "--absent-since", "2020-01-01T00:00:00Z"}).out ==
             "1 will be fetched as soon as may be\n");
  answers["/1"] = {http_answer("200 OK", mp3(50))};
  at.at_ms = clock.epoch_ms() + 1000;
  a.run();
  BOOST_TEST(record(call, "recording_state") == "stored");
  BOOST_TEST(holds(recording({"show", id}).out, "bytes        50"));
}

BOOST_AUTO_TEST_SUITE_END()
