// What libFuzzer does in tests/fuzz, bounded and with fixed seeds: nothing that Jiuyun could send
// makes verifying, understanding or folding break.
#include <boost/test/unit_test.hpp>

#include "e9.hpp"
#include "fold.hpp"
#include "rand.hpp"
#include "samples.hpp"
#include "text.hpp"

using namespace cc;
using namespace cc::test;

namespace {

constexpr std::string_view corpus[] = {e9_invite, e9_establish, e9_hangup, e9_hangup_json,
                                       e9_query_answer};

constexpr std::string_view tokens[] = {"<",           ">",
                                       "</",          "<userData>",
                                       "</userData>", "<![CDATA[",
                                       "]]>",         "<!--",
                                       "-->",         "&",
                                       "&#x;",        "&#0;",
                                       "null",        "\"",
                                       "\\",          "\\u0000",
                                       "\\ud800",     "{",
                                       "}",           "[",
                                       "]",           ",",
                                       ":",           "\xFF",
                                       "\xC4\xE3",    "<callId>",
                                       "</req>",      "\"userData\":",
                                       "\"callId\":", "99999999999999999999",
                                       "-1",          "\xEF\xBB\xBF",
                                       "cc1.1.1"};

std::string mutate(Rand& rand, std::string body) {
  for (auto n = 1 + rand.below(6); n > 0; --n) {
    const auto at = rand.below(body.size() + 1);
    switch (rand.below(6)) {
      case 0:
        body.insert(at, rand.pick(tokens));
        break;
      case 1:
        body.erase(at, rand.below(30));
        break;
      case 2:
        if (at < body.size()) body[at] = rand.bytes(1)[0];
        break;
      case 3: {
        const std::string_view other = rand.pick(corpus);
        const auto from = rand.below(other.size());
        body.insert(at, other.substr(from, rand.below(80)));
        break;
      }
      case 4:
        body.insert(at, body.substr(rand.below(body.size() + 1), rand.below(80)));
        break;
      default:
        if (rand.one_in(4)) body.resize(at);
    }
  }
  return body;
}

void check(const std::string& body, Source source) {
  const Trust trust{{"t"}, {std::string(e9_app)}};
  const auto verified = e9_channel().verify({"POST", "t", "", "", "", body}, trust);
  BOOST_REQUIRE(verified.verdict == Verdict::accepted || verified.verdict == Verdict::foreign_app);

  const auto delivery = e9_delivery(body, source, source == Source::callback ? "" : "77");
  const auto understood = e9_channel().understand(delivery);
  BOOST_REQUIRE_EQUAL(repair_utf8(understood.problem), understood.problem);
  const int outcomes = (understood.events.empty() ? 0 : 1) + (understood.ignored > 0 ? 1 : 0) +
                       (understood.problem.empty() ? 0 : 1);
  BOOST_REQUIRE_EQUAL(outcomes, 1);
  for (const ChannelEvent& found : understood.events) {
    const Facts& facts = found.event.facts;
    const auto back = facts_from_json(to_json(facts));
    BOOST_REQUIRE(back);
    BOOST_REQUIRE(*back == facts);  // all of it is storable as it stands
    BOOST_REQUIRE_EQUAL(found.channel_call_id, facts.channel_call_id.value_or(""));
    fold(Constants{}, std::span(&found.event, 1));
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(e9_mutation_test)

BOOST_AUTO_TEST_CASE(mutated_samples_never_break_anything) {
  Rand rand(18);
  for (int i = 0; i < 30000; ++i) {
    const auto body = mutate(rand, std::string(rand.pick(corpus)));
    check(body, rand.pick(std::array{Source::callback, Source::query, Source::poll}));
  }
}

BOOST_AUTO_TEST_CASE(random_bytes_never_break_anything) {
  Rand rand(19);
  for (int i = 0; i < 10000; ++i) {
    std::string body = rand.one_in(2) ? rand.bytes(rand.below(200)) : rand.text(rand.below(60));
    if (rand.one_in(2)) body.insert(0, rand.one_in(2) ? "<req>" : "{");
    check(body, Source::callback);
  }
}

BOOST_AUTO_TEST_CASE(every_prefix_of_a_sample_is_read) {
  for (const auto sample : corpus) {
    for (std::size_t length = 0; length <= sample.size(); ++length) {
      check(std::string(sample.substr(0, length)), Source::callback);
      check(std::string(sample.substr(0, length)), Source::query);
    }
  }
}

BOOST_AUTO_TEST_CASE(nothing_in_user_data_changes_the_other_fields_of_xml) {
  Rand rand(20);
  const auto facts_with = [](std::string_view junk) {
    const auto body = with(e9_hangup, "{\"test\":\"test\"}", junk);
    return e9_channel().understand(e9_delivery(body)).events.at(0).event.facts;
  };
  const Facts clean = facts_with("x");
  for (int i = 0; i < 10000; ++i) {
    const auto junk = mutate(rand, std::string(rand.pick(corpus).substr(rand.below(100), 120)));
    BOOST_REQUIRE(facts_with(junk) == clean);
  }
}

BOOST_AUTO_TEST_SUITE_END()
