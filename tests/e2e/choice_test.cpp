// Which line makes a call (rules.md, "Choosing"), where many ask at once of two daemons: the one
// that is named, the user's own, or the pool's least recently used.
#include <algorithm>
#include <chrono>
#include <map>
#include <set>

#include <boost/test/unit_test.hpp>

#include "second_daemon.hpp"
#include "several_channels.hpp"

using namespace cc::test;
using Clock = std::chrono::steady_clock;

namespace {

constexpr int seats = 20, first_seat = 1000;

/// Two daemons, and the seats of a pool, half of them with each daemon.
struct Site {
  Site()
      : configuration({health("open: 60s"),
                       // A key that may call and see nothing.
                       {"        scopes: [call, read]\n", "        scopes: [call]\n"}}),
        stack("20", configuration.options({"--gateway", "--gateway-options", "--poll-ms 1000"})),
        second(stack) {
    stack.make_agents(first_seat, first_seat + seats - 1);
    const bool spread = eventually(
        [&] {
          return stack.sql(
                     "SELECT string_agg(n::text, ' ') FROM (SELECT count(*) AS n FROM agent "
                     "WHERE actual = 'online' GROUP BY owner) AS s") == "10 10";
        },
        Millis{30'000});
    BOOST_REQUIRE(spread);
  }

  Configuration configuration;
  Stack stack;
  SecondDaemon second;
};

Site& site() {
  static Site one;
  return one;
}

Stack& stack() {
  return site().stack;
}

std::string customer(const std::string& digits) {
  static int number = 1000;
  return "138" + std::to_string(number++) + digits;
}

/// Of the pool of seats, unless `more` says otherwise.
std::string wish(const std::string& digits, const std::string& more = R"("channel":"hw")") {
  return R"({"called":")" + customer(digits) + "\"," + more + "}";
}

Answer post(const std::string& body, const std::vector<std::string>& headers = {}) {
  return stack().post("/v1/calls", body, headers);
}

std::string line_of(const Answer& made) {
  return stack().sql("SELECT channel || '/' || agent FROM call_attempt WHERE call = " +
                     made.at("callId") + " ORDER BY attempt DESC LIMIT 1");
}

bool await_free() {
  return eventually(
      [] {
        return stack().sql(
                   "SELECT count(*) FROM claim WHERE released IS NULL AND (release_at IS "
                   "NULL OR release_at > extract(epoch FROM now()) * 1000)") == "0";
      },
      Millis{30'000});
}

void bind_user(const std::string& user, const std::string& lines, const std::string& more = "") {
  const Answer put =
      stack().ask("PUT", "/v1/bindings/" + user, R"({"lines":[)" + lines + "]" + more + "}");
  BOOST_REQUIRE_MESSAGE(put.status == 200 || put.status == 201, put.text);
}

std::string line(const std::string& channel, const std::string& agent) {
  return R"({"channel":")" + channel + R"(","agent":")" + agent + "\"}";
}

/// Refusals that a daemon did not keep.
int left_out(const Answer& metrics) {
  const std::string name = "\ncc_rejections_left_out_total ";
  const std::size_t at = metrics.text.find(name);
  BOOST_REQUIRE(at != std::string::npos);
  return std::stoi(metrics.text.substr(at + name.size()));
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_thousand_at_once_for_one_line_make_one_call) {
  constexpr int together = 1000;
  const std::string body = call_body("13970000001", "13812348010");
  std::vector<Call> calls;
  for (int i = 0; i < together; ++i) {
    calls.push_back(i % 2 == 0 ? stack().post_later("/v1/calls", body)
                               : site().second.post_later("/v1/calls", body));
  }
  const auto begun = Clock::now();
  const std::vector<Answer> answers = send_together(calls);
  BOOST_TEST_MESSAGE(together << " requests for one line answered in "
                              << std::chrono::duration_cast<Millis>(Clock::now() - begun).count()
                              << " ms");
  std::string call;
  for (const Answer& answer : answers) {
    if (answer.status == 202) call = answer.at("callId");
  }
  BOOST_REQUIRE(!call.empty());
  std::map<std::string, int> told;
  for (const Answer& answer : answers) {
    ++told[std::to_string(answer.status) + " " + answer.at("type") + " " + answer.at("callId") +
           (answer.problem.empty() ? "" : " " + answer.problem)];
  }
  std::string words;
  for (const auto& [what, count] : told) words += std::to_string(count) + "× " + what + "; ";
  BOOST_REQUIRE_MESSAGE(told.size() == 2U, words);
  for (const auto& [what, count] : told) {
    const bool busy = what.starts_with("409 ");
    BOOST_TEST(count == (busy ? together - 1 : 1), words);
    if (busy) BOOST_TEST(what.find("line-busy " + call) != std::string::npos, words);
  }
  BOOST_TEST(stack().sql("SELECT count(*) FROM call_record") == "1");
  BOOST_TEST(stack().sql("SELECT count(*) FROM idempotency_key") == "0");
  // A flood: each daemon keeps some of the refusals, and counts the others.
  const int kept =
      std::stoi(stack().sql("SELECT count(*) FROM rejection WHERE code = 'line-busy'"));
  BOOST_TEST(kept >= 400);
  BOOST_TEST(kept + left_out(stack().get("/metrics")) + left_out(site().second.get("/metrics")) ==
             together - 1);

  // Who may not read is not told whose call it is.
  const Answer blind = send({.method = "POST",
                             .url = stack().env("CC_API") + "/v1/calls",
                             .body = body,
                             .headers = {"Authorization: Bearer " + stack().env("CC_KEY_PLAIN")}});
  BOOST_TEST(blind.status == 409);
  BOOST_TEST(blind.text.find(call) == std::string::npos, blind.text);
  BOOST_TEST(eventually([&] { return rings(stack(), "13970000001") == 1U; }));
  stack().await_state(call, "conn");
  stack().post("/v1/calls/" + call + "/hangup");
  stack().await_state(call);
  BOOST_TEST(rings(stack(), "13970000001") == 1U);
}

BOOST_AUTO_TEST_CASE(the_lines_of_a_pool_are_used_in_turn_and_all_at_once) {
  std::vector<std::string> order[2];
  for (auto& lines : order) {
    std::vector<std::string> calls;
    for (int i = 0; i < seats; ++i) {
      const Answer made = post(wish("7016"));
      BOOST_REQUIRE_MESSAGE(made.status == 202, made.text);
      lines.push_back(line_of(made));
      calls.push_back(made.at("callId"));
    }
    for (const std::string& call : calls) stack().await_state(call);
    BOOST_REQUIRE(await_free());
  }
  BOOST_TEST(std::set<std::string>(order[0].begin(), order[0].end()).size() == seats);
  BOOST_TEST(order[0] == order[1], boost::test_tools::per_element());

  std::vector<Call> calls;
  for (int i = 0; i < seats; ++i) {
    calls.push_back(i % 2 == 0 ? stack().post_later("/v1/calls", wish("7005"))
                               : site().second.post_later("/v1/calls", wish("7005")));
  }
  const auto begun = Clock::now();
  const std::vector<Answer> answers = send_together(calls);
  BOOST_TEST_MESSAGE(seats << " requests for a pool of " << seats << " answered in "
                           << std::chrono::duration_cast<Millis>(Clock::now() - begun).count()
                           << " ms");
  std::set<std::string> used;
  for (const Answer& made : answers) {
    BOOST_TEST(made.status == 202, made.status << " " << made.text);
    if (made.status == 202) used.insert(line_of(made));
  }
  BOOST_TEST(used.size() == seats);
  const Answer none = post(wish("7005"));
  BOOST_TEST(none.status == 409, none.text);
  BOOST_TEST(none.at("type").find("line-busy") != std::string::npos);
  for (const Answer& made : answers) stack().await_state(made.at("callId"), "conn");
  for (const Answer& made : answers) stack().post("/v1/calls/" + made.at("callId") + "/hangup");
  for (const Answer& made : answers) stack().await_state(made.at("callId"));
  BOOST_REQUIRE(await_free());
}

BOOST_AUTO_TEST_CASE(a_users_lines_are_used_in_order_and_outlive_their_channels_outage) {
  const std::string phone = "13970000002";
  bind_user("li", line("e9", phone) + "," + line("hw", "1005"), R"(,"fallback":"never")");
  bind_user("wang", line("e9", "13970000003"), R"(,"fallback":"auto")");
  const std::string li = R"("user":"li")", wang = R"("user":"wang")";

  const Answer first = post(wish("8010", li));
  BOOST_TEST(line_of(first) == "e9/" + phone);
  stack().await_state(first.at("callId"), "conn");
  const Answer second = post(wish("7005", li));
  BOOST_TEST(line_of(second) == "hw/1005");
  const Answer third = post(wish("7005", li));
  BOOST_TEST(third.status == 409, third.text);
  stack().await_state(second.at("callId"), "conn");
  for (const Answer& made : {first, second}) {
    stack().post("/v1/calls/" + made.at("callId") + "/hangup");
    stack().await_state(made.at("callId"));
  }
  BOOST_REQUIRE(await_free());

  // The channel is closed by an operator: its line is passed over.
  set_channel(stack(), "e9", R"({"force":"open"})");
  const Answer closed = post(wish("7016", li), {"Prefer: wait=10"});
  BOOST_TEST(line_of(closed) == "hw/1005", closed.text);
  const Answer other = post(wish("7016", wang), {"Prefer: wait=10"});
  BOOST_TEST(other.status == 201, other.text);
  BOOST_TEST(line_of(other).starts_with("hw/"));  // of the pool: wang's own is on e9
  bind_user("wang", line("e9", "13970000003"), R"(,"fallback":"never")");
  const Answer never = post(wish("7016", wang));
  BOOST_TEST(never.status == 503, never.text);
  set_channel(stack(), "e9", R"({"force":null})");
  for (const Answer& made : {closed, other}) stack().await_state(made.at("callId"));
  BOOST_REQUIRE(await_free());

  // Or it goes down under the call: the next line of the user's is tried, and no other.
  stack().outage("simulator", R"({"originate":"refuse:900117"})");
  const Answer left = post(wish("7016", li), {"Prefer: wait=10"});
  BOOST_TEST(left.status == 201, left.text);
  BOOST_TEST(story(stack(), left.at("callId")) == "e9 refused, hw accepted");
  BOOST_TEST(line_of(left) == "hw/1005");
  const Answer alone = post(wish("7016", wang), {"Prefer: wait=10"});
  BOOST_TEST(alone.status == 502, alone.text);
  BOOST_TEST(story(stack(), alone.at("callId")) == "e9 refused");
  bind_user("wang", line("e9", "13970000003"), R"(,"fallback":"auto")");
  const Answer fallen = post(wish("7016", wang), {"Prefer: wait=10"});
  BOOST_TEST(fallen.status == 201, fallen.text);
  BOOST_TEST(story(stack(), fallen.at("callId")) == "e9 refused, hw accepted");
  stack().outage("simulator", R"({"originate":null})");
  for (const Answer& made : {left, fallen}) stack().await_state(made.at("callId"));
  BOOST_REQUIRE(await_free());
}

BOOST_AUTO_TEST_CASE(who_asks_for_a_line_whose_end_was_lost_gets_it_free) {
  // Others wait to be asked about: their ends were lost too, and our own clock closed them.
  std::vector<std::string> waiting;
  for (int i = 0; i < 4; ++i) {
    const Answer made = post(call_body("1397000010" + std::to_string(i), customer("8012")));
    BOOST_REQUIRE_MESSAGE(made.status == 202, made.text);
    waiting.push_back(made.at("callId"));
  }
  const std::string phone = "13970000200";
  const std::string lost = post(call_body(phone, customer("8012"))).at("callId");
  const std::string id = text_at(stack().await_state(lost, "conn"), "channelCallId");
  BOOST_REQUIRE(
      eventually([&] { return text_at(stack().simulator("calls/" + id), "phase") == "ended"; }));
  for (const std::string& call : waiting) {
    stack().await_state(call, "conn");
    let_hours_pass(stack(), call);
  }
  for (const std::string& call : waiting) stack().await_state(call);

  // Just now heard of, it is left alone; after two minutes of silence it is asked about at once.
  stack().sql("UPDATE call_event SET received = received - 120000 WHERE call = " + lost);
  stack().sql("UPDATE call_attempt SET sent = sent - 120000 WHERE call = " + lost);
  const std::size_t asked = stack().journal("query").size();
  const auto begun = Clock::now();
  const std::string again = customer("8042");
  const Answer busy = post(call_body(phone, again));
  BOOST_TEST(busy.status == 409);
  BOOST_TEST(busy.at("callId") == lost);
  BOOST_TEST(text_at(stack().await_state(lost), "closeSource") == "query");
  std::vector<std::string> queried;
  for (const json::object& one : stack().journal("query"))
    queried.push_back(text_at(one, "callId"));
  const auto at = std::find(queried.begin(), queried.end(), id);
  BOOST_REQUIRE(at != queried.end());
  // One may have been under way; all the others come behind it.
  BOOST_TEST(static_cast<std::size_t>(at - queried.begin()) <= asked + 1);
  BOOST_TEST(asked < waiting.size());
  BOOST_TEST(eventually([&] { return post(call_body(phone, again)).status == 202; }));
  BOOST_TEST_MESSAGE("the line was free "
                     << std::chrono::duration_cast<Millis>(Clock::now() - begun).count()
                     << " ms after somebody had asked for it");
}

BOOST_AUTO_TEST_CASE(an_operator_frees_a_stuck_line) {
  const std::string seat = R"("channel":"hw","agent":"1007")";
  const Answer stuck = post(wish("7017", seat));
  BOOST_REQUIRE_MESSAGE(stuck.status == 202, stuck.text);
  const std::string call = stuck.at("callId");
  const std::string id = text_at(stack().await_state(call, "conn"), "channelCallId");
  BOOST_REQUIRE(eventually([&] {
    const std::string stage = text_at(stack().gateway("calls/" + id), "stage");
    return stage == "ended" || stage == "over";
  }));
  BOOST_TEST(post(wish("7016", seat)).status == 409);
  const Answer released =
      stack().ask("POST", "/v1/agents/hw/1007/release", R"({"reason":"the phone is on its hook"})");
  BOOST_TEST(released.status == 200, released.text);
  BOOST_TEST(released.at("released") == call);
  BOOST_TEST(stack().log("ccd").find("releases=agent/hw/1007") != std::string::npos);
  const Answer next = post(wish("7016", seat), {"Prefer: wait=10"});
  BOOST_TEST(next.status == 201, next.text);
  stack().await_state(next.at("callId"));
  BOOST_TEST(eventually([&] {
    return stack().get("/v1/calls/" + call + "/events").text.find("line.released") !=
           std::string::npos;
  }));
}

BOOST_AUTO_TEST_CASE(nobody_rang_while_in_a_call) {
  BOOST_TEST(stack().violations() == 0);
  BOOST_TEST(text_at(stack().second("health"), "violations") == "0");
  BOOST_TEST(text_at(stack().gateway("health"), "violations") == "0");
  BOOST_TEST(stack().sql("SELECT count(*) FROM dead_letter") == "0");
}
