// Tenants and keys that commands make, change and revoke while two daemons run, and how much a
// tenant may ask of both together.
#include <algorithm>
#include <chrono>
#include <map>
#include <set>

#include <boost/test/unit_test.hpp>

#include "commands.hpp"
#include "second_daemon.hpp"

using namespace cc::test;

namespace {

struct Site {
  Stack stack{"20"};
  SecondDaemon second{stack};
};

Site& site() {
  static Site one;
  return one;
}

Stack& stack() {
  return site().stack;
}

void command(const std::vector<std::string>& words) {
  const Outcome outcome = ccd_command(stack(), words);
  BOOST_REQUIRE_MESSAGE(outcome.status == 0, outcome.output);
}

void make_tenant(const std::string& name, std::vector<std::string> settings = {}) {
  settings.insert(settings.begin(), {"tenant", "create", name, "--channels", "e9"});
  command(settings);
}

std::string make_key(const std::string& tenant, const std::string& id,
                     const std::vector<std::string>& more = {}) {
  std::vector<std::string> words{"key", "create", tenant, id, "--scopes", "call,read,numbers"};
  words.insert(words.end(), more.begin(), more.end());
  return made_key(stack(), words);
}

Answer ask(const std::string& key, const std::string& base = "") {
  return send(with_key(stack(), key, "GET", "/v1/calls", "", base));
}

/// Both daemons answer this to a list of calls, "401 unauthorized" or "200 "; in force within
/// seconds.
bool await_answer(const std::string& key, const std::string& expected) {
  const auto says = [&](const std::string& base) {
    const Answer answer = ask(key, base);
    const std::string type = answer.at("type");
    return std::to_string(answer.status) + " " + type.substr(type.rfind('/') + 1);
  };
  return eventually([&] { return says("") == expected && says(site().second.url()) == expected; });
}

/// Distinct phones; the customer talks until somebody hangs up.
std::string long_call() {
  static int number = 0;
  ++number;
  const std::string four = std::to_string(10'000 + number).substr(1);
  return call_body("1397100" + four, "138" + four + "8010");
}

Call post(const std::string& key, int place, const std::string& body = long_call()) {
  return with_key(stack(), key, "POST", "/v1/calls", body,
                  place % 2 == 0 ? "" : site().second.url());
}

void end_all(const std::string& key, const std::vector<std::string>& calls) {
  for (const std::string& call : calls) {
    const bool talks = eventually([&] {
      return send(with_key(stack(), key, "GET", "/v1/calls/" + call)).at("state") == "conn";
    });
    BOOST_REQUIRE(talks);
    send(with_key(stack(), key, "POST", "/v1/calls/" + call + "/hangup"));
  }
  for (const std::string& call : calls) {
    const bool closed = eventually([&] {
      return send(with_key(stack(), key, "GET", "/v1/calls/" + call)).at("state") == "close";
    });
    BOOST_REQUIRE(closed);
  }
}

std::string open_calls(const std::string& tenant) {
  return stack().sql("SELECT count(*) FROM call_record WHERE tenant = '" + tenant +
                     "' AND state <> 'close'");
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_tenant_made_by_command_calls_like_any_other) {
  make_tenant("shop", {"--main-number", "4008001000"});
  const std::string key = make_key("shop", "app");
  BOOST_REQUIRE(await_answer(key, "200 "));
  const Answer made =
      send(with_key(stack(), key, "POST", "/v1/calls", call_body("13970000001", "13812348001")));
  BOOST_REQUIRE_MESSAGE(made.status == 202, made.text);
  const std::string path = "/v1/calls/" + made.at("callId");
  const bool closed =
      eventually([&] { return send(with_key(stack(), key, "GET", path)).at("state") == "close"; },
                 Millis{30'000});
  BOOST_REQUIRE(closed);
  const Answer record = send(with_key(stack(), key, "GET", path));
  BOOST_TEST(record.at("closeType") == "0", record.text);
  BOOST_TEST(record.at("mainNum") == "4008001000", record.text);
  BOOST_TEST(stack().get(path).status == 404);  // another tenant's
  // What its settings forbid, from the next second on.
  command({"tenant", "set", "shop", "--channels", "hw"});
  const bool forbidden = eventually([&] {
    const Answer refused =
        send(with_key(stack(), key, "POST", "/v1/calls",
                      call_body("13970000001", "13812348001", R"("channel":"e9")")));
    return refused.at("type").find("unknown-channel") != std::string::npos;
  });
  BOOST_TEST(forbidden);
  command({"tenant", "set", "shop", "--channels", "e9"});
  const bool seen = eventually([&] {
    return ccd_command(stack(), {"key", "list", "shop", "--json"}).output.find("\"used\":1") !=
           std::string::npos;
  });
  BOOST_TEST(seen);
}

BOOST_AUTO_TEST_CASE(a_key_is_changed_for_another_and_revoked) {
  make_tenant("rotating");
  const std::string first = make_key("rotating", "app");
  BOOST_REQUIRE(await_answer(first, "200 "));
  const std::string second = made_key(stack(), {"key", "rotate", "rotating", "app"});
  BOOST_REQUIRE(await_answer(second, "200 "));
  BOOST_TEST(ask(first).status == 200);
  const Outcome third = ccd_command(stack(), {"key", "rotate", "rotating", "app"});
  BOOST_TEST(third.status == 1);
  BOOST_TEST(third.output.find("ccd key revoke rotating app --old") != std::string::npos,
             third.output);
  command({"key", "revoke", "rotating", "app", "--old"});
  BOOST_TEST(await_answer(first, "401 unauthorized"));
  BOOST_TEST(ask(first).at("detail").find("has been revoked") != std::string::npos);
  BOOST_TEST(ask(second).status == 200);
  // A grace that is over.
  const std::string last = made_key(stack(), {"key", "rotate", "rotating", "app", "--grace", "1s"});
  BOOST_TEST(await_answer(second, "401 unauthorized"));
  BOOST_TEST(ask(second).at("detail").find("expired at ") != std::string::npos);
  BOOST_TEST(await_answer(last, "200 "));
  command({"key", "revoke", "rotating", "app"});
  BOOST_TEST(await_answer(last, "401 unauthorized"));
  const Answer revoked = ask(last);
  BOOST_TEST(revoked.headers.at("www-authenticate") == "Bearer");
  BOOST_TEST(revoked.at("detail").find("\"app\" has been revoked. Whoever runs CC makes another") !=
             std::string::npos);
  BOOST_TEST(stack().sql("SELECT string_agg(action, ' ' ORDER BY id) FROM audit WHERE tenant = "
                         "'rotating' AND key LIKE 'command:%'") ==
             "tenant.created key.created key.rotated key.old_revoked key.rotated key.revoked");
  for (const std::string& key : {first, second, last}) {
    BOOST_TEST(stack().log("ccd").find(key) == std::string::npos);
    BOOST_TEST(stack().sql("SELECT count(*) FROM audit WHERE audit::text LIKE '%" + key + "%'") ==
               "0");
  }
}

BOOST_AUTO_TEST_CASE(a_key_expires) {
  make_tenant("expiring");
  const std::string key = make_key("expiring", "app", {"--expires", "4s"});
  BOOST_TEST(await_answer(key, "200 "));
  BOOST_TEST(await_answer(key, "401 unauthorized"));
  BOOST_TEST(ask(key).at("detail").find("\"app\" expired at 2") != std::string::npos);
  BOOST_TEST(ccd_command(stack(), {"key", "list", "expiring"}).output.find("expired") !=
             std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_disabled_tenant_s_keys_open_nothing) {
  make_tenant("disabled");
  const std::string key = make_key("disabled", "app");
  BOOST_REQUIRE(await_answer(key, "200 "));
  command({"tenant", "disable", "disabled"});
  BOOST_TEST(await_answer(key, "403 tenant-disabled"));
  command({"tenant", "enable", "disabled"});
  BOOST_TEST(await_answer(key, "200 "));
}

BOOST_AUTO_TEST_CASE(a_key_is_used_from_its_networks_only) {
  make_tenant("placed");
  const std::string far =
      make_key("placed", "far", {"--addresses", "203.0.113.0/24,2001:db8::/32"});
  const std::string near = make_key("placed", "near", {"--addresses", "127.0.0.0/8"});
  BOOST_TEST(await_answer(far, "403 address-not-allowed"));
  BOOST_TEST(await_answer(near, "200 "));
  BOOST_TEST(ask(far).at("detail").find("from the address 127.0.0.1") != std::string::npos);
  // Nobody's word for it counts but NGINX's, which tells whom it sees.
  for (const std::string& base : {stack().env("CC_API"), stack().env("CC_NGINX")}) {
    Call call = with_key(stack(), far, "GET", "/v1/calls", "", base);
    call.headers.push_back("X-Forwarded-For: 203.0.113.7");
    const Answer answer = send(call);
    BOOST_TEST(answer.status == 403, base << answer.text);
    BOOST_TEST(answer.at("detail").find("127.0.0.1") != std::string::npos, answer.text);
    BOOST_TEST(send(with_key(stack(), near, "GET", "/v1/calls", "", base)).status == 200);
  }
  const auto as_proxy = [&](const std::string& address) {
    std::vector<std::string> words{"/usr/bin/curl",
                                   "-sS",
                                   "--unix-socket",
                                   stack().env("CC_API_SOCK"),
                                   "-H",
                                   "Authorization: Bearer " + far,
                                   "http://ccd/v1/calls"};
    if (!address.empty()) words.insert(words.end(), {"-H", "X-Forwarded-For: " + address});
    return run(Launch{.command = words}).output;
  };
  BOOST_TEST(as_proxy("203.0.113.7").find("\"items\":[]") != std::string::npos);
  BOOST_TEST(as_proxy("2001:db8::7").find("\"items\":[]") != std::string::npos);
  BOOST_TEST(as_proxy("203.0.114.7").find("the address 203.0.114.7") != std::string::npos);
  BOOST_TEST(as_proxy("").find("an address that is not known") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(so_many_calls_at_the_same_time_and_not_one_more) {
  constexpr int together = 200, limit = 5;
  make_tenant("few", {"--concurrent-calls", std::to_string(limit)});
  const std::string key = make_key("few", "app");
  BOOST_REQUIRE(await_answer(key, "200 "));
  std::vector<Call> calls;
  for (int i = 0; i < together; ++i) calls.push_back(post(key, i));
  // Of a tenant without a limit, among them.
  for (int i = 0; i < 20; ++i) {
    const auto place = static_cast<std::ptrdiff_t>(i) * 10;
    calls.insert(calls.begin() + place, post(stack().env("CC_KEY"), i));
  }
  const std::vector<Answer> answers = send_together(calls);
  std::vector<std::string> few, others;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const Answer& answer = answers[i];
    const bool limited = calls[i].headers.front().ends_with(key);
    if (answer.status == 202) {
      (limited ? few : others).push_back(answer.at("callId"));
      continue;
    }
    BOOST_TEST(limited, answer.status << " " << answer.problem << answer.text);
    BOOST_TEST(answer.status == 429, answer.problem << answer.text);
    BOOST_TEST(answer.at("type") == "/problems/too-many-calls");
    BOOST_TEST(answer.at("limit") == "concurrentCalls");
    BOOST_TEST(answer.at("limitValue") == std::to_string(limit), answer.text);
    BOOST_REQUIRE(answer.headers.contains("retry-after"));
    BOOST_TEST(std::stoi(answer.headers.at("retry-after")) >= 1);
  }
  BOOST_TEST(few.size() == limit);
  BOOST_TEST(others.size() == 20U);
  BOOST_TEST(open_calls("few") == std::to_string(limit));

  // A repeat makes no call, so nothing is in its way; when one ends there is room for one.
  end_all(key, {few.back()});
  few.pop_back();
  Call again = post(key, 0);
  again.headers.push_back("Idempotency-Key: once");
  const Answer sixth = send(again);
  BOOST_REQUIRE_MESSAGE(sixth.status == 202, sixth.text);
  few.push_back(sixth.at("callId"));
  BOOST_TEST(send(post(key, 1)).status == 429);
  const std::vector<Answer> repeats = send_together(std::vector<Call>(20, again));
  for (const Answer& repeat : repeats) {
    BOOST_TEST(repeat.status == 202, repeat.text);
    BOOST_TEST(repeat.at("callId") == sixth.at("callId"));
  }
  end_all(key, few);
  end_all(stack().env("CC_KEY"), others);
}

BOOST_AUTO_TEST_CASE(one_key_at_once_at_the_limit_makes_one_call) {
  make_tenant("one", {"--concurrent-calls", "1"});
  const std::string key = make_key("one", "app");
  BOOST_REQUIRE(await_answer(key, "200 "));
  const std::string body = long_call();
  std::vector<Call> calls;
  for (int i = 0; i < 40; ++i) {
    calls.push_back(post(key, i, body));
    calls.back().headers.push_back("Idempotency-Key: same");
  }
  std::set<std::string> made;
  for (const Answer& answer : send_together(calls)) {
    BOOST_TEST(answer.status == 202, answer.status << " " << answer.problem << answer.text);
    made.insert(answer.at("callId"));
  }
  BOOST_REQUIRE(made.size() == 1U);
  end_all(key, {*made.begin()});
}

BOOST_AUTO_TEST_CASE(so_many_requests_a_second) {
  using Seconds = std::chrono::duration<double>;
  constexpr int rate = 5, burst = 10, together = 100;
  make_tenant("slow",
              {"--calls-per-second", std::to_string(rate), "--burst", std::to_string(burst)});
  const std::string key = make_key("slow", "app");
  BOOST_REQUIRE(await_answer(key, "200 "));
  std::vector<Call> calls;
  for (int i = 0; i < together; ++i) calls.push_back(post(key, i));
  for (int i = 0; i < 20; ++i) calls.push_back(post(stack().env("CC_KEY"), i));
  const auto begun = std::chrono::steady_clock::now();
  const std::vector<Answer> answers = send_together(calls);
  const double took = Seconds(std::chrono::steady_clock::now() - begun).count();
  std::vector<std::string> slow, others;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const Answer& answer = answers[i];
    if (answer.status == 202) {
      (i < together ? slow : others).push_back(answer.at("callId"));
      continue;
    }
    BOOST_TEST(answer.status == 429, answer.status << " " << answer.problem << answer.text);
    BOOST_TEST(answer.at("type") == "/problems/too-fast");
    BOOST_TEST(answer.at("limit") == "callsPerSecond");
    BOOST_TEST(answer.at("limitValue") == std::to_string(rate), answer.text);
    BOOST_TEST(answer.headers.at("retry-after") == "1");
  }
  BOOST_TEST(others.size() == 20U);
  BOOST_TEST(slow.size() >= std::size_t{burst});
  BOOST_TEST(static_cast<double>(slow.size()) <= burst + rate * took + 1,
             slow.size() << " calls in " << took << " s");
  BOOST_TEST_MESSAGE(slow.size() << " of " << together << " requests in " << took << " s at "
                                 << rate << "/s, burst " << burst);
  end_all(key, slow);
  end_all(stack().env("CC_KEY"), others);

  // Refused ones count too: these are refused for their line, until there is no token left.
  const std::string body = long_call();
  const Answer first = [&] {
    Answer answer;
    eventually([&] { return (answer = send(post(key, 0, body))).status == 202; });
    return answer;
  }();
  BOOST_REQUIRE(first.status == 202);
  std::map<long, int> statuses;
  for (const Answer& answer : send_together(std::vector<Call>(100, post(key, 0, body)))) {
    ++statuses[answer.status];
  }
  BOOST_TEST(statuses[409] > 0);
  BOOST_TEST(statuses[429] > 0);
  BOOST_TEST(statuses[409] + statuses[429] == 100);
  end_all(key, {first.at("callId")});
}

BOOST_AUTO_TEST_CASE(a_repeat_takes_no_token) {
  make_tenant("once", {"--calls-per-second", "1", "--burst", "2"});
  const std::string key = make_key("once", "app");
  BOOST_REQUIRE(await_answer(key, "200 "));
  Call call = post(key, 0);
  call.headers.push_back("Idempotency-Key: k");
  const Answer made = send(call);
  BOOST_REQUIRE(made.status == 202);
  for (const Answer& repeat : send_together(std::vector<Call>(50, call))) {
    BOOST_TEST(repeat.status == 202, repeat.text);
    BOOST_TEST(repeat.headers.contains("idempotency-replayed"));
  }
  end_all(key, {made.at("callId")});
}

BOOST_AUTO_TEST_CASE(what_was_made_outlives_a_reload_and_a_restart) {
  make_tenant("lasting");
  const std::string key = make_key("lasting", "app");
  BOOST_REQUIRE(await_answer(key, "200 "));
  // A limit of the file's comes with it.
  stack().reconfigure("  other:\n", "  other:\n    limits: {callsPerSecond: 1}\n");
  const std::string other = stack().env("CC_KEY_OTHER");
  const bool limited = eventually([&] {
    const std::vector<Answer> answers = send_together(
        std::vector<Call>(5, with_key(stack(), other, "POST", "/v1/calls",
                                      R"({"called":"13800008001","user":"nobody"})")));
    return std::any_of(answers.begin(), answers.end(),
                       [](const Answer& answer) { return answer.status == 429; });
  });
  BOOST_TEST(limited);
  BOOST_TEST(ask(key).status == 200);
  stack().part("restart", "ccd");
  BOOST_TEST(ask(key).status == 200);  // known before anybody could ask
}

BOOST_AUTO_TEST_CASE(while_postgresql_is_away_keys_are_known_as_they_were) {
  make_tenant("steady");
  const std::string key = make_key("steady", "app");
  BOOST_REQUIRE(await_answer(key, "200 "));
  stack().part("stop", "postgres");
  const Answer away = ask(key);
  BOOST_TEST(away.status == 503, away.text);
  BOOST_TEST(ask(key + "x").status == 401);
  stack().part("start", "postgres");
  BOOST_TEST(await_answer(key, "200 "));
  command({"key", "revoke", "steady", "app"});
  BOOST_TEST(await_answer(key, "401 unauthorized"));
}

BOOST_AUTO_TEST_CASE(nothing_to_be_alarmed_at) {
  BOOST_TEST(stack().nginx_alarms() == "");
  BOOST_TEST(stack().violations() == 0);
}
