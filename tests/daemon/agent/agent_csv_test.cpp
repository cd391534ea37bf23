// Files of agents, right and wrong ones.
#include "agent/agent_csv.hpp"

#include <sstream>

#include <boost/test/unit_test.hpp>

using namespace cc;

namespace {

AgentFile read(const std::string& text) {
  std::istringstream in(text);
  return read_agent_file(in);
}

/// "3 handset: …" a complaint, joined by "|".
std::string complaints(const std::string& text) {
  std::string all;
  for (const FileComplaint& one : read(text).complaints) {
    all += (all.empty() ? "" : "|") + std::to_string(one.line) + " " + one.column + ": " + one.text;
  }
  return all;
}

bool says(const std::string& text, const std::string& what) {
  const std::string all = complaints(text);
  BOOST_TEST(all.find(what) != std::string::npos, "expected: " << what << "\ngot: " << all);
  return true;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(agent_csv_test)

BOOST_AUTO_TEST_CASE(columns_stand_in_any_order) {
  const AgentFile file = read(
      "\xEF\xBB\xBFtenant, password ,agent,channel,desired,handset\r\n"
      "acme,\" a,\"\"b\"\" \",291,hw,offline,40038\r\n"
      "\r\n"
      "acme,,292,hw,,\r\n"
      "acme,p,293,hw,online,\"40039\"");
  BOOST_TEST(file.complaints.empty());
  BOOST_REQUIRE(file.rows.size() == 3U);
  const AgentWish& first = file.rows[0].wish;
  BOOST_TEST(file.rows[0].line == 2U);
  BOOST_TEST(first.channel == "hw");
  BOOST_TEST(first.agent == "291");
  BOOST_TEST(first.tenant == "acme");
  BOOST_TEST(first.password.value() == " a,\"b\" ");
  BOOST_TEST(first.handset.value() == "40038");
  BOOST_TEST(first.online.value() == false);
  BOOST_TEST(file.rows[1].line == 4U);
  BOOST_TEST(!file.rows[1].wish.password);
  BOOST_TEST(!file.rows[1].wish.handset);
  BOOST_TEST(!file.rows[1].wish.online);
  BOOST_TEST(file.rows[2].wish.online.value());
  BOOST_TEST(file.rows[2].wish.handset.value() == "40039");
}

BOOST_AUTO_TEST_CASE(three_columns_are_enough) {
  const AgentFile file = read("channel,agent,tenant\ne9,13900000001,acme\n");
  BOOST_TEST(file.complaints.empty());
  BOOST_TEST(file.rows.size() == 1U);
  BOOST_TEST(read("channel,agent,tenant\n").rows.empty());
}

BOOST_AUTO_TEST_CASE(a_wrong_header_is_told) {
  says("", "1 : the file is empty");
  says("channel,agent\nhw,291\n", "1 tenant: is missing");
  says("channel,agent,tenant,agent\n", "1 agent: is named twice");
  says("channel;agent;tenant\n", "column 1 is not known");
  // A first line that is an agent's: nothing of it is repeated.
  const std::string all = complaints("hw,291,acme,40038,s3cret\n");
  BOOST_TEST(all.find("s3cret") == std::string::npos);
  BOOST_TEST(all.find("the first line names the columns") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(every_wrong_line_is_told) {
  const std::string head = "channel,agent,tenant,password,desired\n";
  says(head + "hw,291,acme\n", "2 : has 3 fields, the first line 5");
  says(head + "hw,,acme,,\n", "2 agent: is empty");
  says(head + "hw,291,acme,,yes\n", "2 desired: must be online or offline");
  says(head + "hw,291,acme,\"open,\n", "2 : a quote is opened and not closed");
  says(head + "hw,291,acme,\"a\"b,\n", "2 : something follows a closing quote");
  says(head + "hw,291,acme,a\"b,\n", "2 : a quote in a field without quotes");
  says(head + "hw,291,acme," + std::string(4100, 'x') + ",\nhw,291,acme,,no\n",
       "2 : is longer than 4096 bytes: is this the right file?|3 desired");
  const std::string all = complaints(head + "hw,291,acme,s3cret,x\nhw,,acme,s3cret,\n");
  BOOST_TEST(all.find("s3cret") == std::string::npos);
  BOOST_TEST(all.find("2 desired") != std::string::npos);
  BOOST_TEST(all.find("3 agent") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(it_has_an_end) {
  std::string text = "channel,agent,tenant\n";
  for (std::size_t i = 0; i < most_csv_lines; ++i) text += "hw,291,acme\n";
  BOOST_TEST(read(text).complaints.empty());
  BOOST_TEST(read(text).rows.size() == most_csv_lines);
  says(text + "hw,291,acme\n", "100002 : more than 100000 agents");
}

BOOST_AUTO_TEST_SUITE_END()
