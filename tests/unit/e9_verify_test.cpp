#include <boost/test/unit_test.hpp>

#include "channel.hpp"
#include "e9.hpp"
#include "rand.hpp"
#include "samples.hpp"

using namespace cc;
using namespace cc::test;

namespace {

const Trust trust{{"tokenA", "tokenB"}, {std::string(e9_app)}};

Verified verify(std::string_view body, std::string_view token = "tokenA",
                std::string_view method = "POST", const Trust& by = trust) {
  return e9_channel().verify({method, token, "", "application/xml", "203.0.113.7", body}, by);
}

std::string verdict(std::string_view body, std::string_view token = "tokenA",
                    std::string_view method = "POST", const Trust& by = trust) {
  return std::string(to_text(verify(body, token, method, by).verdict));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(e9_verify_test)

BOOST_AUTO_TEST_CASE(the_vendors_samples_pass_and_name_their_call) {
  for (const auto body : {e9_invite, e9_establish, e9_hangup, e9_hangup_json}) {
    const auto verified = verify(body);
    BOOST_TEST(to_text(verified.verdict) == "accepted");
    BOOST_TEST(std::string_view(verified.channel_call_id) == e9_call);
  }
}

BOOST_AUTO_TEST_CASE(only_post_is_heard) {
  for (const auto* method : {"GET", "PUT", "post", "", "HEAD"}) {
    BOOST_TEST(verdict(e9_invite, "tokenA", method) == "bad_method", method);
  }
  BOOST_TEST(http_status(Verdict::bad_method) == 405U);
}

BOOST_AUTO_TEST_CASE(every_configured_token_and_nothing_else_is_accepted) {
  BOOST_TEST(verdict(e9_invite, "tokenA") == "accepted");
  BOOST_TEST(verdict(e9_invite, "tokenB") == "accepted");
  for (const auto* token : {"", "tokenC", "token", "tokenAA", "TOKENA"}) {
    BOOST_TEST(verdict(e9_invite, token) == "bad_token", token);
  }
}

BOOST_AUTO_TEST_CASE(no_token_configured_accepts_nothing) {
  const Trust none{{}, {}};
  BOOST_TEST(verdict(e9_invite, "", "POST", none) == "bad_token");
  BOOST_TEST(verdict(e9_invite, "tokenA", "POST", none) == "bad_token");
  const Trust blank{{"", ""}, {}};
  BOOST_TEST(verdict(e9_invite, "", "POST", blank) == "bad_token");
}

BOOST_AUTO_TEST_CASE(an_address_that_is_not_on_the_list_is_refused) {
  Trust listed = trust;
  listed.addresses = {*parse_network("203.0.113.0/24"), *parse_network("2001:db8::/32")};
  const auto from = [&](std::string_view address, std::string_view token = "tokenA") {
    Inbound inbound;
    inbound.method = "POST";
    inbound.token = token;
    inbound.address = address;
    return to_text(find_channel("e9")->verify(inbound, listed).verdict);
  };
  BOOST_TEST(from("203.0.113.9") == "accepted");
  BOOST_TEST(from("2001:db8::9") == "accepted");
  BOOST_TEST(from("203.0.114.9") == "bad_address");
  BOOST_TEST(from("unix:") == "bad_address");
  BOOST_TEST(from("") == "bad_address");
  BOOST_TEST(from("203.0.113.9", "wrong") == "bad_token");
}

BOOST_AUTO_TEST_CASE(a_readable_foreign_app_is_refused) {
  const auto foreign = with(e9_invite, e9_app, "0123456789abcdef0123456789abcdef");
  BOOST_TEST(verdict(foreign) == "foreign_app");
  BOOST_TEST(verdict(foreign, "tokenA", "POST", {{"tokenA"}, {}}) == "accepted");
  BOOST_TEST(verdict(R"({"appId":"x"})") == "foreign_app");
  BOOST_TEST(verdict(R"({"req":{"appId":"x"}})") == "foreign_app");
  BOOST_TEST(http_status(Verdict::foreign_app) == 403U);
}

BOOST_AUTO_TEST_CASE(an_app_id_may_be_wrapped_or_escaped) {
  const auto wrapped = "<![CDATA[" + std::string(e9_app) + "]]>";
  BOOST_TEST(verdict(with(e9_invite, e9_app, wrapped)) == "accepted");
  BOOST_TEST(verdict(with(e9_invite, e9_app, " &#102;eff3cbd52c041a1bd5b0492bee56423\n")) ==
             "accepted");
  BOOST_TEST(verdict(with(e9_hangup_json, "feff", R"(\u0066eff)")) == "accepted");
}

BOOST_AUTO_TEST_CASE(what_nobody_can_read_is_accepted_all_the_same) {
  for (const auto* body : {"", " ", "hello", "<", "{", "<req>", "<req/>", "{}", "[]", "null",
                           "\xFF\xFE\x00", "<req><appId>cut", "<req><appId>null</appId></req>",
                           "<req><appId></appId></req>", R"({"appId":null})", R"({"appId":)"}) {
    BOOST_TEST(verdict(body) == "accepted", body);
    BOOST_TEST(std::string_view(verify(body).channel_call_id).empty());
  }
}

BOOST_AUTO_TEST_CASE(user_data_cannot_make_a_call_foreign_or_another) {
  const auto body = with(e9_invite, "abcdef",
                         "<appId>evil</appId><callId>evil</callId></userData><appId>evil</appId>");
  const auto verified = verify(body);
  BOOST_TEST(to_text(verified.verdict) == "accepted");
  BOOST_TEST(std::string_view(verified.channel_call_id) == e9_call);
}

BOOST_AUTO_TEST_CASE(a_call_id_is_bounded) {
  const auto body = "<req><callId>" + std::string(5000, 'x') + "</callId></req>";
  BOOST_TEST(std::string_view(verify(body).channel_call_id).size() == 64U);
}

BOOST_AUTO_TEST_CASE(the_answer_is_the_documented_one) {
  BOOST_TEST(e9_channel().answer().body ==
             "<?xml version='1.0' encoding='utf-8'?><Response><statusCode>0000</statusCode>"
             "<statusMsg>Success</statusMsg></Response>");
  BOOST_TEST(e9_channel().answer().content_type.starts_with("application/xml"));
}

BOOST_AUTO_TEST_CASE(the_registry_knows_its_kinds) {
  BOOST_TEST(find_channel("e9") == &e9_channel());
  BOOST_TEST(find_channel("e9b") == nullptr);
  BOOST_TEST(find_channel("") == nullptr);
  BOOST_TEST(known_kinds().find("e9") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(verdicts_have_names_and_statuses) {
  for (const auto v : {Verdict::bad_token, Verdict::bad_address, Verdict::bad_signature}) {
    BOOST_TEST(http_status(v) == 403U);
    BOOST_TEST(!to_text(v).empty());
  }
  BOOST_TEST(http_status(Verdict::accepted) == 200U);
  BOOST_TEST(http_status(Verdict::too_large) == 413U);
  BOOST_TEST(to_text(Verdict::too_large) == "too_large");
}

BOOST_AUTO_TEST_CASE(hostile_bodies_are_read_in_linear_time) {
  // Each would take minutes if any scan started over at each tag, quote or comma.
  for (const std::string_view piece : {"<callId>",
                                       "<userData>",
                                       "</userData>",
                                       "<",
                                       "<![CDATA[",
                                       "<!--",
                                       "&",
                                       "<callId><![CDATA[",
                                       "<callId>x</call",
                                       "{\"a\":",
                                       "[",
                                       "\"",
                                       ",\"",
                                       ",\"a\":\"b\"",
                                       "\\",
                                       ",\"callId\":",
                                       "\\\",",
                                       ",\"\\\"",
                                       "\"userData\"",
                                       "\"userData\":\"",
                                       "\"callId\":\"x",
                                       "   ",
                                       "},"}) {
    for (const std::string_view start : {"<req>", "{", "{\"userData\":\"", "<req><userData>"}) {
      std::string body(start);
      while (body.size() < 256 * 1024) body += piece;
      BOOST_TEST(verdict(body) == "accepted");
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
