// What Jiuyun's codes mean for a call and for other channels (rules.md, "Attempts"; channels.md,
// e9).
#include <boost/test/unit_test.hpp>

#include "channel/e9.hpp"

using namespace cc;

BOOST_AUTO_TEST_CASE(every_code_has_its_close_type_and_says_whether_the_phone_can_have_rung) {
  struct Row {
    const char* code;
    bool never_dialled;
    const char* type;
    const char* detail;
  };
  for (const Row& row : {Row{"900000", true, "6", "channel_error"},
                         {"900098", true, "6", "channel_error"},
                         {"900111", true, "6", "channel_error"},
                         {"900117", true, "6", "channel_error"},
                         {"900123", true, "6", "channel_error"},
                         {"900200", false, "1", "a_unreachable"},
                         {"900201", false, "1", "a_unreachable"},
                         {"900220", false, "1", "a_unreachable"},
                         {"900202", false, "2", "b_unreachable"},
                         {"900203", false, "2", "b_unreachable"},
                         {"900221", false, "2", "b_unreachable"},
                         {"900204", true, "6", "channel_error"},
                         {"900208", true, "6", "channel_error"},
                         {"900222", true, "6", "channel_error"},
                         {"900209", false, "6", "channel_error"},
                         {"999999", false, "6", "channel_error"},
                         {"nonsense", false, "6", "channel_error"}}) {
    BOOST_TEST_CONTEXT(row.code) {
      const OriginateAnswer answer = judge_e9_refusal(row.code, "x");
      BOOST_TEST((answer.outcome == OriginateAnswer::Outcome::refused));
      BOOST_TEST(answer.never_dialled == row.never_dialled);
      BOOST_TEST(answer.close.type == row.type);
      BOOST_TEST(answer.close.detail == row.detail);
      BOOST_TEST(answer.code == row.code);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_5xx_is_a_refusal_only_with_a_code_of_the_channels_own) {
  using Outcome = OriginateAnswer::Outcome;
  BOOST_TEST((judge_e9_refusal("900201", "x", 500).outcome == Outcome::refused));
  BOOST_TEST((judge_e9_refusal("502", "x", 502).outcome == Outcome::unknown));
  BOOST_TEST((judge_e9_refusal("999999", "x", 503).outcome == Outcome::unknown));
  BOOST_TEST((judge_e9_refusal("999999", "x", 400).outcome == Outcome::refused));
  BOOST_TEST(!judge_e9_refusal("502", "x", 502).never_dialled);
}

BOOST_AUTO_TEST_CASE(the_channels_words_are_bounded_and_hold_no_number) {
  const OriginateAnswer answer =
      judge_e9_refusal("900201", "from 13912345678 is wrong" + std::string(5000, 'x'));
  BOOST_TEST(answer.message.find("13912345678") == std::string::npos);
  BOOST_TEST(answer.message.size() <= 200U);
}
