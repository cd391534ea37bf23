// Many bindings from a file, by the function and by the command.
#include "binding/binding_import.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <unistd.h>

#include "agent_fixture.hpp"
#include "binding_command.hpp"
#include "capture.hpp"

using namespace cc;
using namespace cc::test;

namespace {

const std::string head = "user,lines,phone,fallback\n";

struct Fixture : AgentFixture {
  Fixture() {
    sql("INSERT INTO agent (channel, agent, tenant, handset, desired, updated) SELECT 'hw', n, "
        "'acme', '4' || n, 'online', 1 FROM generate_series(101, 300) AS n");
  }

  ImportResult run(const std::string& csv, bool dry = false) {
    std::istringstream in(csv);
    moved.at_ms += 1000;
    return wait_for(import_bindings(*pool, config, "acme", read_binding_file(in, "acme"),
                                    moved.at_ms, dry, {}));
  }
  std::string count() { return sql("SELECT count(*) FROM binding"); }

  Told command(std::vector<std::string> words) {
    Config own = config;
    // Nothing is sent, but what has seats must be known to be such.
    own.channels["hw"].hw.base_url = "https://127.0.0.1:1/agentgateway/resource";
    own.postgres.conninfo = server.conninfo(database);
    return run_told(binding_command, std::move(words), own);
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

BOOST_FIXTURE_TEST_SUITE(binding_import, Fixture)

BOOST_AUTO_TEST_CASE(new_changed_and_as_they_were) {
  ImportResult result = run(head +
                            "zhang,hw/291 e9/13900000001,,\n"
                            "li,hw/292;hw/293,+86 139-0000-0002,never\n"
                            "wang, e9/13900000003 ;; ,,auto\n");
  BOOST_TEST(complaints(result) == "");
  BOOST_TEST(result.created == 3U);
  BOOST_TEST(
      sql("SELECT lines->1->>'agent' || phone || fallback FROM binding WHERE user_id = 'li'") ==
      "29313900000002never");
  const std::string before = sql("SELECT * FROM binding WHERE user_id = 'zhang'");
  result = run("lines,user\nhw/291 e9/13900000001,zhang\nhw/292 hw/293,li\nhw/294,zhao\n");
  BOOST_TEST(complaints(result) == "");
  BOOST_TEST(result.created == 1U);
  BOOST_TEST(result.changed == 1U);
  BOOST_TEST(result.same == 1U);
  BOOST_TEST(sql("SELECT * FROM binding WHERE user_id = 'zhang'") == before);
  BOOST_TEST(count() == "4");
}

BOOST_AUTO_TEST_CASE(nothing_is_imported_if_anything_is_wrong) {
  const ImportResult result = run(head +
                                  "zhang,hw/291,,\n"
                                  "zhang,hw/292,,\n"       // twice
                                  "li,hw/291 hw/999,,\n"   // not known
                                  "wang,hw,,\n"            // no line
                                  "zhao,hw/291,x,maybe\n"  // neither phone nor fallback
                                  ",hw/291,,\n"            // no user
                                  "qian,hw/291,x,\n"
                                  "sun,sip/1,,\n"
                                  "zhou,hw/291 hw/291,,\n");
  BOOST_TEST(complaints(result) ==
             "3:user 4:lines[1].agent 5:lines 6:fallback 7:user 8:phone 9:lines[0].channel "
             "10:lines[1]");
  BOOST_TEST(result.done() == 0U);
  BOOST_TEST(count() == "0");
}

BOOST_AUTO_TEST_CASE(a_dry_run_only_tells) {
  const ImportResult result = run(head + "zhang,hw/291,,\n", true);
  BOOST_TEST(result.created == 1U);
  BOOST_TEST(count() == "0");
}

BOOST_AUTO_TEST_CASE(batches_are_all_or_nothing) {
  std::string csv = head;
  for (int i = 0; i < 1200; ++i) {
    csv += "user" + std::to_string(i) + ",hw/" + std::to_string(101 + i % 200) + " e9/139" +
           std::to_string(10'000'000 + i) + ",,\n";
  }
  BOOST_TEST(complaints(run(csv + "last,hw/999,,\n")) == "1202:lines[0].agent");
  BOOST_TEST(count() == "0");
  BOOST_TEST(run(csv).created == 1200U);
  BOOST_TEST(run(csv).same == 1200U);
  BOOST_TEST(count() == "1200");
}

BOOST_AUTO_TEST_CASE(the_command_imports_and_lists) {
  const auto path = std::filesystem::temp_directory_path() /
                    ("cc-bindings-" + std::to_string(::getpid()) + ".csv");
  const std::string file = path.string();
  std::ofstream(file) << "user,lines,phone\nzhang,hw/291 e9/13900000001,13900000002\n"
                         "13900000003,e9/13900000003,\n";
  Told told = command({"import", file, "--tenant", "acme", "--dry-run"});
  BOOST_TEST(told.out == "would import 2 bindings: 2 new, 0 changed, 0 as they were\n", told.err);
  BOOST_TEST(count() == "0");
  told = command({"import", file, "--tenant", "acme"});
  BOOST_TEST(told.code == exit_right, told.err);
  BOOST_TEST(told.out == "imported 2 bindings: 2 new, 0 changed, 0 as they were\n");
  BOOST_TEST(told.err == "");

  told = command({"list"});
  BOOST_TEST(holds(told.out, "hw/291 e9/139****0001"), told.out);
  BOOST_TEST(holds(told.out, "2 bindings\n"), told.out);
  BOOST_TEST(!holds(told.out, "1390000000"), told.out);
  told = command({"list", "--json", "--tenant", "acme", "--agent", "139 0000 0001"});
  BOOST_TEST(
      holds(told.out, R"({"tenant":"acme","user":"zhang","lines":[{"channel":"hw","agent":"291"},)"
                      R"({"channel":"e9","agent":"139****0001"}],"phone":"139****0002",)"),
      told.out);
  BOOST_TEST(command({"list", "--tenant", "other", "--json"}).out == "");

  std::ofstream(file, std::ios::trunc) << "user,lines\nzhang,hw/999\n";
  told = command({"import", file, "--tenant", "acme"});
  BOOST_TEST(told.code == exit_wrong);
  BOOST_TEST(told.err == file +
                             ":2: lines[0].agent: is no line of tenant acme: make it known first "
                             "with PUT /v1/agents/hw/999\nnothing was imported\n");
  std::filesystem::remove(path);
  BOOST_TEST(command({"import", file, "--tenant", "acme"}).code == exit_wrong);
}

BOOST_AUTO_TEST_CASE(wrong_words_are_told) {
  const std::vector<std::vector<std::string>> wrong{
      {},
      {"export"},
      {"import"},
      {"import", "a"},
      {"import", "a", "--tenant", "nobody"},
      {"import", "a", "b", "--tenant", "acme"},
      {"import", "a", "--tenant", "acme", "--channel", "e9"},
      {"list", "x"},
      {"list", "--dry-run"},
      {"list", "--tenant"},
      {"list", "--tenant", "nobody"},
      {"list", "--refused"},
  };
  for (const auto& words : wrong) {
    const Told told = command(words);
    BOOST_TEST(told.code == exit_usage, (words.empty() ? "" : words.front()));
    BOOST_TEST(holds(told.err, "see ccd binding --help"), told.err);
  }
  BOOST_TEST(holds(command({"--help"}).out, "usage: ccd"));
}

BOOST_AUTO_TEST_SUITE_END()
