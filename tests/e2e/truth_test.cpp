// Thousands of random calls through the whole of CC: orders, repeats, losses, late truth, answers
// that never come; meanwhile ccd is killed, PostgreSQL and Redis are restarted. At the end every
// record is the oracle's, every event is stored once and nothing is left over.
//
// One minute; with CC_SOAK=long 62,000 calls, over 200,000 different callbacks. CC_SEED repeats a
// run's calls and strikes, as far as two runs can be alike.
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <sstream>

#include <boost/test/unit_test.hpp>

#include "application.hpp"
#include "oracle.hpp"
#include "recovered_calls.hpp"
#include "strikes.hpp"

using namespace cc::test;

namespace {

constexpr Oracle::Settings settings{
    .silence = 8000, .grace = 3000, .answer_timeout = 3000, .max_duration = 8};

bool long_form() {
  const char* soak = std::getenv("CC_SOAK");
  return soak != nullptr && std::string(soak) == "long";
}

std::uint64_t seed() {
  const char* given = std::getenv("CC_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
}

// ccd's configuration with the deadlines that the oracle knows, and queries without a limit.
std::string configuration(const TempDir& folder) {
  std::string yaml = read_file(CC_SOURCE_DIR "/scripts/stack.d/cc.yaml");
  const std::string kind = "    kind: e9\n";
  const std::size_t at = yaml.find(kind);
  BOOST_REQUIRE(at != std::string::npos);
  const auto seconds = [](long ms) { return std::to_string(ms / 1000) + "s\n"; };
  yaml.insert(at + kind.size(), "    answerTimeout: " + seconds(settings.answer_timeout));
  yaml += "\nreaper:\n  silence: " + seconds(settings.silence) +
          "  grace: " + seconds(settings.grace) + "  queriesPerMinute: 60000\n" +
          "calls:\n  maxDuration: " + std::to_string(settings.max_duration) + "s\n";
  const std::string file = folder.file("cc.yaml");
  std::ofstream(file) << yaml;
  return file;
}

// Nothing is under way any more, in the world or in CC; or what still is.
std::string under_way(const Stack& stack, Stories& stories) {
  stories.read_on();
  // Waits for news itself, so that it isn't asked without pause.
  const json::value news = stack.simulator("journal?limit=0&waitMs=300&since=" + stories.last());
  if (text_at(news, "last") != stories.last() || !stories.at_rest()) return "the phones";
  const json::value nginx = send({.url = stack.env("CC_NGINX") + "/cc/status"}).body();
  if (text_at(nginx.at("spool"), "files") != "0") return "NGINX's spool";
  std::istringstream last(stack.redis({"XREVRANGE", "cc:events:0", "+", "-", "COUNT", "1"}));
  std::string entry;
  last >> entry;
  return stack.sql(
      "SELECT concat((SELECT 'the stream ' FROM stream_cursor WHERE entry_id <> '" + entry +
      "'), (SELECT count(*) || ' waiting events ' FROM waiting_event HAVING count(*) > 0), "
      "(SELECT count(*) || ' open calls ' FROM call_record WHERE state <> 'close' AND merged_into "
      "IS NULL HAVING count(*) > 0), (SELECT count(*) || ' calls to be asked about' FROM "
      "call_attempt a JOIN call_record r ON r.id = a.call WHERE a.query_due IS NOT NULL AND "
      "r.close_source = 'cc' HAVING count(*) > 0))");
}

struct Figures {
  std::map<std::string, long> ends;     // records by how they ended and who says so
  std::map<std::string, long> lenient;  // records by the tolerances that they needed
  long strict = 0;                      // compared with one record only, each field with one value
  long alternatives = 0;                // more were right, the undisturbed one it was
  std::vector<Difference> different;
};

std::string joined(const std::set<std::string>& words) {
  std::string all;
  for (const std::string& word : words) all += (all.empty() ? "" : ", ") + word;
  return all;
}

// The record's differences from the nearest of the right ones.
void compare(const std::vector<Expected>& right, const json::value& record, Figures& figures) {
  std::string detail = text_at(record, "closeDetail");
  if (detail.starts_with("other:")) detail = "other";
  ++figures.ends[detail + " by " + text_at(record, "closeSource")];
  for (const Expected& one : right) {
    if (!differences(one, record).empty()) continue;
    if (!one.tolerances.empty())
      ++figures.lenient[joined(one.tolerances)];
    else if (right.size() > 1)
      ++figures.alternatives;
    else
      ++figures.strict;
    return;
  }
  std::ranges::copy(differences(right.front(), record), std::back_inserter(figures.different));
}

// A falsified field is a difference, whichever it is: otherwise the comparison proves nothing.
void falsify_each_field(const Expected& expected, const json::value& record) {
  for (const auto& [field, must] : expected.fields) {
    for (const json::value& lie : {json::value("a lie"), json::value(7), json::value(nullptr)}) {
      json::object falsified = record.as_object();
      falsified[field] = lie;
      if (must.allows(text_at(falsified, field))) continue;
      const auto found = differences(expected, falsified);
      BOOST_TEST((found.size() == 1U && found.front().field == field), field);
    }
    json::object poorer = record.as_object();
    poorer.erase(field);
    BOOST_TEST(differences(expected, poorer).size() == 1U, field);
  }
}

// Every callback that was answered 2xx is exactly one event, of its own call; of the others at most
// one. None was invented.
void check_events(const Stack& stack, const Stories& stories, long calls) {
  std::map<std::pair<std::string, std::string>, long> stored;
  std::istringstream lines(stack.sql(
      "SELECT call || ' ' || encode(sha256(substring(raw FROM position('\\x0a'::bytea IN raw) + "
      "1)), 'hex') || ' ' || count(*) FROM call_event WHERE source = 'callback' GROUP BY call, "
      "substring(raw FROM position('\\x0a'::bytea IN raw) + 1)"));
  std::string call, sha256;
  long count = 0, missing = 0, doubtful = 0, twice = 0, answered = 0;
  while (lines >> call >> sha256 >> count) {
    stored[{call, sha256}] = count;
    twice += count > 1;
  }
  for (const auto& [id, story] : stories.all()) {
    for (const Word& word : story.words) {
      if (word.from != Word::From::callback) continue;
      const auto found = stored.find({id, word.sha256});
      answered += word.answered;
      missing += word.answered && found == stored.end();
      doubtful += !word.answered && found != stored.end();
      if (found != stored.end()) stored.erase(found);
    }
  }
  BOOST_TEST_MESSAGE(stories.pushes() << " callbacks pushed; " << answered
                                      << " different ones answered 2xx, each an event; " << doubtful
                                      << " events of callbacks that were not answered");
  BOOST_TEST(answered > 3 * calls);
  BOOST_TEST(missing == 0);
  BOOST_TEST(twice == 0);
  BOOST_TEST(stored.size() == 0U, "events that nobody pushed, or of another call");
  BOOST_TEST(stack.sql("SELECT count(*) FROM (SELECT 1 FROM call_event WHERE source = 'query' "
                       "GROUP BY call HAVING count(*) > 1) AS s") == "0");
}

// A call as a simulator's journal tells it, with one line changed.
struct Tale {
  std::string reply = R"("event":"reply","statusCode":"000000","httpStatus":200,"fault":"none")";
  std::string bye_type = "0", duration = "40", talk_begins = "20260101101512";
  std::string hangup_status = "200";
};

std::string journal_of(const Tale& tale) {
  long seq = 0;
  const auto line = [&](const std::string& members) {
    return R"({"seq":)" + std::to_string(++seq) + R"(,"at":1767233700000,"callId":"c1",)" +
           R"("userData":"cc1.77.1",)" + members + "}\n";
  };
  const auto push = [&](const std::string& action, const std::string& time,
                        const std::string& status, const std::string& more) {
    return line(R"("event":"push","status":)" + status + R"(,"error":"","sentAt":1767233700000,)" +
                R"("bodySha256":")" + action + time + R"(","body":"<req><action>)" + action +
                "</action><callId>c1</callId><userData>cc1.77.1</userData><dateCreated>" + time +
                "</dateCreated>" + more + R"(</req>")");
  };
  return line(R"("event":"request","func":"Calls/callBack","checks":"passed")") +
         line(R"("event":"originate","to":"138")") + line(tale.reply) +
         push("CallInvite", "20260101101500", "200", "<userFlag>0</userFlag>") +
         push("CallInvite", "20260101101505", "200", "<userFlag>1</userFlag>") +
         push("CallEstablish", tale.talk_begins, "200", "") +
         push("Hangup", "20260101101552", tale.hangup_status,
              "<startTimeA>20260101101505</startTimeA><startTimeB>" + tale.talk_begins +
                  "</startTimeB><endTime>20260101101552</endTime><duration>" + tale.duration +
                  "</duration><recordUrl>null</recordUrl><byeType>" + tale.bye_type + "</byeType>");
}

std::vector<Difference> judge(const Tale& tale, const json::value& record,
                              std::vector<Strike> strikes = {}) {
  const TempDir folder;
  std::ofstream(folder.file("journal")) << journal_of(tale);
  Stories stories(folder.file("journal"));
  stories.read_on();
  const Oracle oracle(stories, std::move(strikes), settings);
  const Asked asked{.call = "77",
                    .tenant = "demo",
                    .body = {{"caller", "139"}, {"called", "138"}, {"maxDuration", 60}},
                    .posted = 1767233699000,
                    .answered = 1767233699900,
                    .hangup_asked = 0,
                    .created = "1767233699500"};
  std::vector<Difference> least;
  for (const Expected& one : oracle.of(asked, 1767233800000)) {
    least = differences(one, record);
    if (least.empty()) break;
  }
  return least;
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_oracle_sees_a_record_that_is_not_what_happened) {
  // 10:15:00 in Beijing is 02:15:00 UTC. Reckoned by hand.
  const json::value record = json::parse(R"({"callId":"77","tenant":"demo","mainNum":null,
    "extNum":null,"agent":"139","channelCallId":"c1","caller":"139","called":"138","bizData":null,
    "channel":"e9","chState":"Hangup","state":"close","aCallTime":1767233700000,
    "bCallTime":1767233705000,"aOffhookTime":1767233705000,"bOffhookTime":1767233712000,
    "connTime":1767233712000,"closeTime":1767233752000,"duration":40,"chAudioUrl":null,
    "audioUrl":null,"ivrUrl":null,"ivrText":null,"closeType":"0","created":1767233699500,
    "direction":"out","initiator":"agent","business":null,"bizType":null,"bizId":null,
    "userId":null,"progress":"closed","closeDetail":"normal","closedBy":null,
    "closeSource":"callback","displayRequested":"toAgent=customer toCustomer=agent",
    "maxDuration":60,"lateLife":false,"recovered":false,"truncated":false})");
  const auto wrong = [](const std::vector<Difference>& found) {
    std::set<std::string> fields;
    for (const Difference& one : found) fields.insert(one.field);
    return joined(fields);
  };
  BOOST_TEST(wrong(judge({}, record)) == "");
  // The same record, and something else had happened.
  BOOST_TEST(wrong(judge({.bye_type = "4"}, record)) == "closeDetail, closeType");
  BOOST_TEST(wrong(judge({.bye_type = "200"}, record)) == "closeDetail, closeType");
  BOOST_TEST(wrong(judge({.duration = "39"}, record)) == "duration");
  BOOST_TEST(wrong(judge({.talk_begins = "20260101101513"}, record)) == "bOffhookTime, connTime");
  const std::string refused =
      R"("event":"refused","func":"Calls/callBack","statusCode":"900201","httpStatus":200)";
  BOOST_TEST(wrong(judge({.reply = refused}, record)).find("closeType") != std::string::npos);
  // A Hangup that was not answered may be stored or not: this record holds it.
  BOOST_TEST(wrong(judge({.hangup_status = "503"}, record)) == "");

  // The same happened, and any field of the record is another.
  const json::object true_one = record.as_object();
  for (const auto& [field, value] : true_one) {
    for (const json::value& lie : {json::value("a lie"), json::value(7), json::value(nullptr)}) {
      if (lie == value) continue;
      json::object falsified = true_one;
      falsified[field] = lie;
      BOOST_TEST(wrong(judge({}, falsified)) == std::string(field));
    }
    json::object poorer = true_one;
    poorer.erase(field);
    BOOST_TEST(wrong(judge({}, poorer)) == std::string(field));
  }
  // No strike explains it either.
  const std::vector<Strike> all{{"ccd+postgres+redis", 1767233600000, 1767233800000}};
  json::object falsified = true_one;
  falsified["duration"] = 41;
  BOOST_TEST(wrong(judge({}, falsified, all)) == "duration");
}

BOOST_AUTO_TEST_CASE(every_record_is_what_happened_while_parts_die) {
  const std::uint64_t chosen = seed();
  const long calls = long_form() ? 62'000 : 1500;
  const int blows = long_form() ? 60 : 5;
  BOOST_TEST_MESSAGE("CC_SEED=" << chosen << ", " << calls << " calls");
  const TempDir folder;
  Stack stack("8", {"--cc-yaml", configuration(folder), "--query-limit", "1000000"});
  Application application(stack, {.seed = chosen,
                                  .calls = calls,
                                  .agents = long_form() ? 2000 : 800,
                                  .untold = long_form() ? 0.02 : 0.05});
  Strikes strikes(stack, application, calls, blows, chosen);
  const auto took = [begun = now_ms()] {
    return "after " + std::to_string((now_ms() - begun) / 1000) + " s: ";
  };
  application.run();
  BOOST_TEST_MESSAGE(took() << "all calls are accepted");
  const std::vector<Strike> struck = strikes.join();
  for (const Strike& strike : struck)
    BOOST_TEST_MESSAGE("  " << strike.what << " away for " << strike.to - strike.from << " ms");
  BOOST_TEST(struck.size() == static_cast<std::size_t>(blows));

  Stories stories(stack.env("CC_JOURNAL"));
  std::string left;
  BOOST_TEST(eventually([&] { return (left = under_way(stack, stories)).empty(); },
                        Millis{long_form() ? 600'000 : 180'000}),
             "still under way: " << left);

  BOOST_TEST_MESSAGE(took() << "nothing is under way");

  const Oracle oracle(stories, struck, settings);
  const Instant now = now_ms();
  Figures figures;
  long falsified = 0;
  application.each_record([&](const Asked& asked, const Answer& answer) {
    const std::vector<Expected> right = oracle.of(asked, now);
    const json::value record = answer.body();
    compare(right, record, figures);
    if (falsified < 200 && differences(right.front(), record).empty()) {
      ++falsified;
      falsify_each_field(right.front(), record);
    }
  });

  std::ostringstream posts;
  for (const auto& [status, n] : application.statuses()) posts << status << ": " << n << "  ";
  BOOST_TEST_MESSAGE("POST /v1/calls answered " << posts.str());
  BOOST_TEST_MESSAGE(figures.strict << " records compared strictly; " << figures.alternatives
                                    << " where a strike permitted others as well");
  for (const auto& [why, n] : figures.lenient)
    BOOST_TEST_MESSAGE("  " << n << " by tolerance: " << why);
  std::string ends;
  for (const auto& [end, n] : figures.ends) ends += "  " + end + ": " + std::to_string(n);
  BOOST_TEST_MESSAGE("they ended:" << ends);
  std::set<std::string> wrong;
  for (const Difference& difference : figures.different) {
    wrong.insert(difference.call);
    if (wrong.size() > 10) continue;
    BOOST_TEST_MESSAGE("  call " << difference.call << ": " << difference.field << " is \""
                                 << difference.is << "\", must be " << difference.must);
  }
  BOOST_TEST(wrong.size() == 0U, "records that are not the oracle's: " << wrong.size());
  BOOST_TEST(falsified > 100);
  BOOST_TEST(figures.strict * 20 > calls * 17);
  BOOST_TEST(stack.sql("SELECT count(*) FROM call_record WHERE merged_into IS NULL") ==
             std::to_string(calls));

  check_events(stack, stories, calls);
  BOOST_TEST(stack.sql("SELECT string_agg(reason, '; ') FROM dead_letter") == "");
  BOOST_TEST(stack.sql("SELECT count(*) FROM waiting_event") == "0");
  BOOST_TEST(stack.violations() == 0);
  long rung_twice = 0, sent_twice = 0, hung_up = 0;
  for (const auto& [call, story] : stories.all()) {
    hung_up += story.cancelled != 0;
    rung_twice += story.rings_a > 1;
    sent_twice += story.requests > 1;
  }
  BOOST_TEST_MESSAGE(hung_up << " calls ended by their application");
  BOOST_TEST(rung_twice == 0);
  BOOST_TEST(sent_twice == 0);
  BOOST_TEST(stories.bad_requests().empty(),
             stories.bad_requests().size()
                 << " wrong requests, the first "
                 << (stories.bad_requests().empty() ? "" : stories.bad_requests().front()));
  BOOST_TEST(stack.nginx_alarms() == "");
}
