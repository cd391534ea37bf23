// However many ask at the same time, one phone rings once.
#include <set>

#include <boost/test/unit_test.hpp>

#include "second_daemon.hpp"
#include "several_channels.hpp"

using namespace cc::test;

namespace {

Stack& stack() {
  static Stack one("5");
  return one;
}

std::map<long, int> statuses(const std::vector<Answer>& answers) {
  std::map<long, int> counts;
  for (const Answer& answer : answers) ++counts[answer.status];
  return counts;
}

/// Requests for calls that this ccd has answered with 202.
double taken_by(const std::string& url) {
  return metric_of(url, "cc_http_requests_total",
                   R"(method="POST",route="/v1/calls",status="202")");
}

std::size_t originates_from(const std::string& phone) {
  std::size_t count = 0;
  for (const json::object& line : stack().journal("originate"))
    count += text_at(line, "from") == phone ? 1U : 0U;
  return count;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_hundred_simultaneous_posts_with_one_idempotency_key_make_one_call) {
  const Call post = stack().post_later("/v1/calls", call_body("13911110001", "13812348001"),
                                       {"Idempotency-Key: one"});
  const std::vector<Answer> answers = send_together(std::vector<Call>(100, post));
  std::set<std::string> calls;
  int replayed = 0;
  for (const Answer& answer : answers) {
    BOOST_TEST(answer.status == 202, answer.status << " " << answer.problem << " " << answer.text);
    calls.insert(answer.at("callId"));
    replayed += answer.headers.contains("idempotency-replayed") ? 1 : 0;
  }
  BOOST_TEST(calls.size() == 1U);
  BOOST_TEST(replayed == 99);
  stack().await_state(*calls.begin());
  BOOST_TEST(originates_from("13911110001") == 1U);

  const Answer another =
      stack().post("/v1/calls", call_body("13911110001", "13812348003"), {"Idempotency-Key: one"});
  BOOST_TEST(another.status == 422);
  const Answer again =
      stack().post("/v1/calls", call_body("13911110001", "13812348001"), {"Idempotency-Key: one"});
  BOOST_TEST(again.at("callId") == *calls.begin());
  BOOST_TEST(again.at("state") == "close");  // the record as it is now
}

BOOST_AUTO_TEST_CASE(
    a_hundred_simultaneous_posts_for_one_line_make_one_call_and_ninety_nine_conflicts) {
  const Call post = stack().post_later("/v1/calls", call_body("13911110002", "13812348001"));
  const std::vector<Answer> answers = send_together(std::vector<Call>(100, post));
  std::map<long, int> counts = statuses(answers);
  BOOST_TEST(counts[202] == 1);
  BOOST_TEST(counts[409] == 99);
  std::string made;
  for (const Answer& answer : answers) {
    if (answer.status == 202) made = answer.at("callId");
  }
  for (const Answer& answer : answers) {
    if (answer.status == 409) BOOST_TEST(answer.at("callId") == made);
  }
  stack().await_state(made);
  BOOST_TEST(originates_from("13911110002") == 1U);
  // The refused ones left nothing behind but their rejections.
  BOOST_TEST(stack().sql("SELECT count(*) FROM call_record WHERE caller = '13911110002'") == "1");
  BOOST_TEST(stack().sql("SELECT count(*) FROM rejection WHERE code = 'line-busy'") == "99");
  BOOST_TEST(stack().sql("SELECT count(*) FROM claim WHERE released IS NULL") == "0");
}

BOOST_AUTO_TEST_CASE(
    a_call_hung_up_before_its_answer_is_cancelled_at_the_channel_as_soon_as_it_can_be) {
  const Answer made = stack().post("/v1/calls", call_body("13911110003", "13812348025"));
  BOOST_REQUIRE_EQUAL(made.status, 202);
  const std::string call = made.at("callId");
  BOOST_TEST(stack().post("/v1/calls/" + call + "/hangup").status == 202);
  stack().await_state(call);
  BOOST_TEST(originates_from("13911110003") <= 1U);
  BOOST_TEST(stack().violations() == 0);
}

/// Ten posts with each of a hundred keys, all at the same time, by two daemons in turn.
BOOST_AUTO_TEST_CASE(a_thousand_simultaneous_posts_with_a_hundred_keys_make_a_hundred_calls) {
  constexpr int keys = 100, posts_a_key = 10;
  const SecondDaemon second(stack());
  std::vector<Call> posts;
  std::vector<int> key_of;
  for (int n = 0; n < posts_a_key; ++n) {
    for (int key = 0; key < keys; ++key) {
      const std::string phone = std::to_string(13'922'220'000 + key);
      // Each key's posts come as the same body in different words.
      const std::string body =
          n % 2 == 0 ? call_body(phone, "13812348042")
                     : R"({ "called" : "+86 138-1234-8042", "caller":")" + phone + "\"}";
      const std::vector<std::string> named{"Idempotency-Key: key-" + std::to_string(key)};
      posts.push_back((n + key) % 2 == 0 ? stack().post_later("/v1/calls", body, named)
                                         : second.post_later("/v1/calls", body, named));
      key_of.push_back(key);
    }
  }
  const double before = taken_by(stack().env("CC_API"));
  const std::vector<Answer> answers = send_together(posts);
  std::map<int, std::set<std::string>> calls_of;
  int replayed = 0;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const Answer& answer = answers[i];
    BOOST_TEST(answer.status == 202, answer.status << " " << answer.problem << " " << answer.text);
    calls_of[key_of[i]].insert(answer.at("callId"));
    replayed += answer.headers.contains("idempotency-replayed") ? 1 : 0;
  }
  BOOST_TEST(calls_of.size() == static_cast<std::size_t>(keys));
  std::set<std::string> all;
  for (const auto& [key, calls] : calls_of) {
    BOOST_TEST(calls.size() == 1U, key);
    all.insert(calls.begin(), calls.end());
  }
  BOOST_TEST(all.size() == static_cast<std::size_t>(keys));
  BOOST_TEST(replayed == keys * (posts_a_key - 1));
  for (const std::string& call : all) stack().await_state(call);
  const std::string theirs = "caller BETWEEN '13922220000' AND '13922220099'";
  BOOST_TEST(stack().sql("SELECT count(*) FROM call_record WHERE " + theirs) ==
             std::to_string(keys));
  std::map<std::string, int> rings;
  for (const json::object& line : stack().journal("ring")) {
    const std::string number = text_at(line, "number");
    if (text_at(line, "leg") == "a" && number.starts_with("1392222")) ++rings[number];
  }
  BOOST_TEST(rings.size() == static_cast<std::size_t>(keys));
  for (const auto& [number, count] : rings) BOOST_TEST(count == 1, number);
  BOOST_TEST(stack().violations() == 0);
  // Both took part. Which of them made a call is nobody's to say.
  constexpr double half = keys * posts_a_key / 2.0;
  BOOST_TEST(taken_by(stack().env("CC_API")) - before == half);
  BOOST_TEST(taken_by(second.url()) == half);
}

BOOST_AUTO_TEST_CASE(a_stop_finishes_what_is_under_way) {
  const Answer made =
      stack().post("/v1/calls", call_body("13911110004", "13812348025"));  // answers after 0.8 s
  BOOST_REQUIRE_EQUAL(made.status, 202);
  stack().part("restart", "ccd");
  const json::value record = stack().await_state(made.at("callId"));
  BOOST_TEST(text_at(record, "closeType") == "0");
  BOOST_TEST(stack().sql("SELECT state FROM call_attempt WHERE call = " + made.at("callId")) ==
             "accepted");
  BOOST_TEST(stack().sql("SELECT count(*) FROM call_event WHERE name = 'attempt.unknown'") == "0");
}
