// Credentials, and a file of them that somebody renews.
#include <fstream>

#include <boost/test/unit_test.hpp>

#include "fixture.hpp"
#include "recording/oss_credentials.hpp"

namespace cc::test {
namespace {

struct File {
  File() { account.credentials = folder.file("sts.json"); }

  // Renamed into place, as whoever renews it should.
  void write(const std::string& text) {
    const std::string next = folder.file("next");
    std::ofstream(next) << text;
    BOOST_REQUIRE(::rename(next.c_str(), account.credentials.c_str()) == 0);
    clock.shift_ms += 1001;  // it is looked at once a second
  }
  static std::string sts(const std::string& id, const std::string& expiration = "") {
    std::string text = R"({"Credentials":{"AccessKeyId":")" + id +
                       R"(","AccessKeySecret":"sec","SecurityToken":"tok")";
    if (!expiration.empty()) text += R"(,"Expiration":")" + expiration + "\"";
    return text + "}}";
  }

  TempDir folder;
  HastyClock clock;
  OssAccount account;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(credentials)

BOOST_AUTO_TEST_CASE(an_sts_answer_is_read_bare_and_nested) {
  const auto bare = parse_oss_credentials(
      R"({"AccessKeyId":"STS.a","AccessKeySecret":"s","SecurityToken":"t",
          "Expiration":"2026-11-23T12:00:00Z","Other":1})");
  BOOST_REQUIRE(static_cast<bool>(bare));
  BOOST_TEST(bare->access_key_id == "STS.a");
  BOOST_TEST(bare->access_key_secret == "s");
  BOOST_TEST(bare->security_token == "t");
  BOOST_TEST((bare->expires_ms == 1'795'435'200'000));
  const auto nested = parse_oss_credentials(File::sts("n"));
  BOOST_REQUIRE(static_cast<bool>(nested));
  BOOST_TEST(nested->access_key_id == "n");
  BOOST_TEST(!nested->expires_ms.has_value());
}

BOOST_AUTO_TEST_CASE(what_is_none_is_refused_without_repeating_it) {
  for (const char* bad : {"", "[]", "{", "{}", R"({"Credentials":[]})", R"({"AccessKeyId":"hush"})",
                          R"({"AccessKeyId":"hush","AccessKeySecret":7})",
                          R"({"AccessKeyId":"hush","AccessKeySecret":"hu\nsh"})",
                          R"({"AccessKeyId":"a","AccessKeySecret":"hush","Expiration":"hush"})"}) {
    const auto result = parse_oss_credentials(bad);
    BOOST_TEST(!result, bad);
    if (!result) BOOST_TEST(result.error().message.find("hush") == std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(fixed_ones_are_as_configured) {
  HastyClock clock;
  OssAccount account;
  account.access_key_id = "id";
  account.access_key_secret = "secret";
  account.security_token = "token";
  OssCredentialSource source(account, clock);
  const auto got = source.get();
  BOOST_REQUIRE(static_cast<bool>(got));
  BOOST_TEST(got->access_key_id == "id");
  BOOST_TEST(got->security_token == "token");
}

BOOST_FIXTURE_TEST_CASE(a_renewed_file_is_read_again, File) {
  OssCredentialSource source(account, clock);
  auto got = source.get();
  BOOST_REQUIRE(!got);  // not there yet
  BOOST_TEST(got.error().message.find(account.credentials) != std::string::npos);
  write(sts("one"));
  BOOST_TEST(source.get()->access_key_id == "one");
  write(sts("two"));
  BOOST_TEST(source.get()->access_key_id == "two");
}

BOOST_FIXTURE_TEST_CASE(a_file_is_looked_at_once_a_second, File) {
  write(sts("one"));
  OssCredentialSource source(account, clock);
  clock.shift_ms -= 1'000'000'000;  // so that no second passes by itself
  BOOST_TEST(source.get()->access_key_id == "one");
  write(sts("two"));
  clock.shift_ms -= 1001;
  BOOST_TEST(source.get()->access_key_id == "one");
  clock.shift_ms += 1001;
  BOOST_TEST(source.get()->access_key_id == "two");
}

BOOST_FIXTURE_TEST_CASE(what_a_spoilt_file_held_before_goes_on_until_it_expires, File) {
  write(sts("one", "2099-01-01T00:00:00Z"));
  OssCredentialSource source(account, clock);
  BOOST_TEST(source.get()->access_key_id == "one");
  write(R"({"AccessKeyId":"hush)");
  BOOST_TEST(source.get()->access_key_id == "one");
  write(sts("old", "2001-01-01T00:00:00Z"));
  const auto expired = source.get();
  BOOST_REQUIRE(!expired);
  BOOST_TEST(expired.error().message.find("expired") != std::string::npos);
  write(sts("new", "2099-01-01T00:00:00Z"));
  BOOST_TEST(source.get()->access_key_id == "new");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cc::test
