// Many agents from a file, by the function and by the command.
#include "agent/agent_import.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <unistd.h>

#include "agent_command.hpp"
#include "agent_fixture.hpp"
#include "capture.hpp"

using namespace cc;
using namespace cc::test;

namespace {

const std::string head = "channel,agent,tenant,handset,password,desired\n";

struct Fixture : AgentFixture {
  ImportResult run(const std::string& csv, bool dry = false) {
    std::istringstream in(csv);
    moved.at_ms += 1000;
    return wait_for(import_agents(*pool, config, vault, read_agent_file(in), moved.at_ms, dry, {}));
  }
  std::string count() { return sql("SELECT count(*) FROM agent"); }

  Told command(std::vector<std::string> words) {
    Config own = config;
    own.channels.erase("hw");  // nothing is sent: what can send is not of interest
    own.postgres.conninfo = server.conninfo(database);
    return run_told(agent_command, std::move(words), own);
  }
};

std::string complaints(const ImportResult& result) {
  std::string all;
  for (const FileComplaint& one : result.complaints) {
    all += (all.empty() ? "" : " ") + std::to_string(one.line) + ":" + one.column;
  }
  return all;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(agent_import, Fixture)

BOOST_AUTO_TEST_CASE(new_changed_and_as_they_were) {
  ImportResult result = run(head +
                            "hw,291,acme,40038,a,\n"
                            "hw,292,acme,40039,b,offline\n"
                            "e9,+86 13900000001,other,,,\n");
  BOOST_TEST(complaints(result) == "");
  BOOST_TEST(result.created == 3U);
  sql("UPDATE agent SET actual = 'online', owner = 'ccd-1'");
  const std::string before = row("291", "*");
  result = run(head +
               "hw,291,acme,40038,a,online\n"
               "hw,292,acme,40039,c,\n"
               "hw,293,acme,40040,d,\n");
  BOOST_TEST(result.created == 1U);
  BOOST_TEST(result.changed == 1U);
  BOOST_TEST(result.same == 1U);
  BOOST_TEST(row("291", "*") == before);
  BOOST_TEST(row("292", "desired || ' ' || generation || ' ' || actual") == "offline 2 online");
  BOOST_TEST(count() == "4");
}

BOOST_AUTO_TEST_CASE(nothing_is_imported_if_anything_is_wrong) {
  run(head + "hw,400,other,1234,x,\nhw,401,acme,1234,x,\n");
  occupy("hw/401", 5);
  const std::string before = sql("SELECT * FROM agent ORDER BY agent");
  const ImportResult result = run(head +
                                  "hw,291,acme,40038,a,\n"
                                  "hw,400,acme,40038,a,\n"  // another tenant's
                                  "hw,401,acme,40038,a,\n"  // in a call
                                  "hw,291,acme,40038,a,\n"  // twice
                                  "hw,292,acme,,a,\n"       // new, without a handset
                                  "hw,293,acme,40038,,\n"   // new, without a password
                                  "hw,29x,nobody,40038,a,\n"
                                  "hw,294,acme,x,\xE5,maybe\n"
                                  "sip,294,acme,40038,a,\n");
  BOOST_TEST(complaints(result) ==
             "3:agent 4:handset 5:agent 6:handset 7:password 8:tenant 9:desired 10:channel");
  BOOST_TEST(sql("SELECT * FROM agent ORDER BY agent") == before);
}

BOOST_AUTO_TEST_CASE(a_dry_run_only_tells) {
  const ImportResult result = run(head + "hw,291,acme,40038,a,\n", true);
  BOOST_TEST(result.created == 1U);
  BOOST_TEST(count() == "0");
}

BOOST_AUTO_TEST_CASE(five_thousand_take_no_time) {
  std::string csv = head;
  for (int i = 0; i < 5000; ++i) {
    const std::string number = std::to_string(1000 + i);
    csv += "hw," + number + ",acme," + number + ",password" + number + ",\n";
  }
  const auto begun = std::chrono::steady_clock::now();
  BOOST_TEST(run(csv).created == 5000U);
  const auto made = std::chrono::steady_clock::now();
  BOOST_TEST(run(csv).same == 5000U);
  const auto again = std::chrono::steady_clock::now();
  BOOST_TEST_MESSAGE("made in " << std::chrono::duration<double>(made - begun).count()
                                << " s, again in "
                                << std::chrono::duration<double>(again - made).count() << " s");
  BOOST_TEST(std::chrono::duration<double>(again - begun).count() < 20.0);
  BOOST_TEST(count() == "5000");
  BOOST_TEST(sql("SELECT count(*) FROM agent WHERE generation > 1") == "0");
}

BOOST_AUTO_TEST_CASE(the_command_imports_lists_and_retries) {
  const auto path =
      std::filesystem::temp_directory_path() / ("cc-agents-" + std::to_string(::getpid()) + ".csv");
  const std::string file = path.string();
  std::ofstream(file) << "channel,agent,tenant\ne9,13900000001,acme\ne9,13900000002,acme\n";
  Told told = command({"import", file, "--dry-run"});
  BOOST_TEST(told.out == "would import 2 agents: 2 new, 0 changed, 0 as they were\n");
  BOOST_TEST(count() == "0");
  told = command({"import", file});
  BOOST_TEST(told.code == exit_right, told.err);
  BOOST_TEST(told.out == "imported 2 agents: 2 new, 0 changed, 0 as they were\n");
  BOOST_TEST(told.err == "");

  told = command({"list", "--tenant", "acme"});
  BOOST_TEST(holds(told.out, "139****0001"), told.out);
  BOOST_TEST(holds(told.out, "2 agents\n"), told.out);
  BOOST_TEST(!holds(told.out, "13900000001"));
  told = command({"list", "--json", "--channel", "e9"});
  BOOST_TEST(holds(told.out, R"({"channel":"e9","agent":"139****0001","tenant":"acme",)"),
             told.out);
  BOOST_TEST(!holds(told.out, "13900000001"));
  BOOST_TEST(command({"list", "--tenant", "other", "--json"}).out == "");

  sql("UPDATE agent SET actual = 'refused', reason = 'locked'");
  told = command({"list", "--actual", "refused"});
  BOOST_TEST(holds(told.out, "locked"), told.out);
  BOOST_TEST(command({"retry", "e9", "+86 13900000001"}).out == "1 agents are tried again\n");
  BOOST_TEST(holds(command({"retry", "e9", "13900000001"}).out, "nothing to do"));
  BOOST_TEST(command({"retry", "--refused", "--channel", "hw"}).out ==
             "0 agents are tried again\n");
  BOOST_TEST(command({"retry", "--refused"}).out == "1 agents are tried again\n");
  told = command({"retry", "e9", "13900000009"});
  BOOST_TEST(told.code == exit_wrong);
  BOOST_TEST(holds(told.err, "there is no line e9/139****0009"), told.err);

  std::ofstream wrong(file, std::ios::trunc);
  wrong << "agent,channel,tenant,password\n";
  for (int i = 0; i < 60; ++i) wrong << "13900000001,e9,acme,s3cret\n";
  wrong.close();
  told = command({"import", file});
  BOOST_TEST(told.code == exit_wrong);
  BOOST_TEST(told.out == "");
  BOOST_TEST(holds(told.err, file + ":2: password: must be left out"), told.err);
  BOOST_TEST(holds(told.err, "and 10 more\nnothing was imported\n"), told.err);
  BOOST_TEST(!holds(told.err, "s3cret"));
  BOOST_TEST(std::count(told.err.begin(), told.err.end(), '\n') == 52);
  std::filesystem::remove(path);
  BOOST_TEST(command({"import", file}).code == exit_wrong);
  BOOST_TEST(command({"import", "/tmp"}).code == exit_wrong);
}

BOOST_AUTO_TEST_CASE(wrong_words_are_told) {
  const std::vector<std::vector<std::string>> wrong{
      {},
      {"export"},
      {"import"},
      {"import", "a", "b"},
      {"import", "a", "--channel", "e9"},
      {"list", "x"},
      {"list", "--actual", "asleep"},
      {"list", "--dry-run"},
      {"list", "--refused"},
      {"list", "--tenant"},
      {"retry"},
      {"retry", "hw"},
      {"retry", "hw", "291", "--refused"},
      {"retry", "--all"},
  };
  for (const auto& words : wrong) {
    const Told told = command(words);
    BOOST_TEST(told.code == exit_usage, (words.empty() ? "" : words.front()));
    BOOST_TEST(holds(told.err, "see ccd agent --help"), told.err);
  }
  BOOST_TEST(holds(command({"--help"}).out, "usage: ccd"));
}

BOOST_AUTO_TEST_SUITE_END()
