// Signatures and check sums, by the vectors of channels.md ("Aliyun OSS"); signed paths.
#include <random>

#include <boost/test/unit_test.hpp>

#include "recording/crc64.hpp"
#include "recording/digest.hpp"
#include "recording/oss_requests.hpp"
#include "recording/oss_signature.hpp"
#include "recording/signed_path.hpp"
#include "text.hpp"

namespace cc {
namespace {

// Bit by bit, as the definition says.
std::uint64_t plain_crc64(std::string_view bytes) {
  std::uint64_t crc = ~std::uint64_t{0};
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc & 1) != 0 ? (crc >> 1) ^ 0xC96C5795D7870F42 : crc >> 1;
    }
  }
  return ~crc;
}

std::uint64_t crc64_of(std::string_view bytes) {
  Crc64 crc;
  crc.add(bytes);
  return crc.value();
}

const OssSigner signer{"ak", "sk", "", "cn-hangzhou"};

OssSigned documented(const char* content_type) {
  OssSigned request;
  request.method = "PUT";
  request.bucket = "bucket";
  request.key = "1234+-/123/1.txt";
  request.query = {{"param1", "value1"}, {"|param1", "value4"}, {"+param1", "value3"},
                   {"+param2", ""},      {"|param2", ""},       {"param2", ""}};
  request.headers = {{"x-oss-head1", "value"},
                     {"abc", "value"},
                     {"ZAbc", "value"},
                     {"XYZ", "value"},
                     {"content-type", content_type}};
  return request;
}

std::string value_of(const TextPairs& headers, const std::string& name) {
  for (const auto& [its_name, value] : headers) {
    if (its_name == name) return value;
  }
  return "(none)";
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(signing)

BOOST_AUTO_TEST_CASE(crc64_has_the_documented_check_value) {
  BOOST_TEST(crc64_of("123456789") == 11051210869376104954U);
  BOOST_TEST(crc64_of("123456789") == 0x995dc9bbdf1939faU);
  BOOST_TEST(crc64_of("") == 0U);
}

BOOST_AUTO_TEST_CASE(crc64_of_pieces_is_that_of_the_whole_at_every_length_and_place) {
  std::mt19937 random(8);
  std::string bytes(300, '\0');
  for (char& c : bytes) c = static_cast<char>(random() & 0xFF);
  for (std::size_t from = 0; from < 9; ++from) {
    for (std::size_t size = 0; from + size <= bytes.size(); size += 1 + size / 5) {
      const std::string_view part = std::string_view(bytes).substr(from, size);
      const std::uint64_t right = plain_crc64(part);
      BOOST_TEST(crc64_of(part) == right);
      Crc64 pieces;
      pieces.add(part.substr(0, size / 3));
      pieces.add({});
      pieces.add(part.substr(size / 3));
      BOOST_TEST(pieces.value() == right);
    }
  }
}

BOOST_AUTO_TEST_CASE(md5_begins_anew_after_each_take) {
  Md5 md5;
  md5.add("12345");
  md5.add("6789");
  BOOST_TEST(to_hex(md5.take()) == "25f9e794323b453885f5181f1b624d0b");
  BOOST_TEST(base64_of(md5.take()) == "1B2M2Y8AsgTpgAmY7PhCfg==");  // of nothing
}

BOOST_AUTO_TEST_CASE(base64_has_its_two_forms) {
  BOOST_TEST(base64_of("\xFB\xFF\xFE"
                       "a") == "+//+YQ==");
  BOOST_TEST(base64url_of("\xFB\xFF\xFE"
                          "a") == "-__-YQ");
  BOOST_TEST(base64_of("") == "");
  BOOST_TEST(base64url_of("") == "");
}

BOOST_AUTO_TEST_CASE(a_put_is_signed_as_documented) {
  OssSigned request = documented("text/plain");
  request.headers.emplace_back("x-oss-content-sha256", "UNSIGNED-PAYLOAD");
  const TextPairs headers = oss_signed_headers(signer, request, 1702743657000);
  BOOST_TEST(value_of(headers, "Authorization") ==
             "OSS4-HMAC-SHA256 Credential=ak/20231216/cn-hangzhou/oss/aliyun_v4_request,Signature="
             "e21d18daa82167720f9b1047ae7e7f1ce7cb77a31e8203a7d5f4624fa0284afe");
  BOOST_TEST(value_of(headers, "x-oss-date") == "20231216T162057Z");
  // The same where the payload's header is left to it, and where white space is around a value.
  OssSigned bare = documented(" text/plain ");
  const TextPairs again = oss_signed_headers(signer, bare, 1702743657000);
  BOOST_TEST(value_of(again, "Authorization") == value_of(headers, "Authorization"));
}

BOOST_AUTO_TEST_CASE(additional_headers_are_signed_as_documented) {
  OssSigned request = documented("text/plain");
  request.additional = {"ZAbc", "abc", "Content-Type"};  // the last is signed anyway
  const TextPairs headers = oss_signed_headers(signer, request, 1702747512000);
  BOOST_TEST(value_of(headers, "Authorization") ==
             "OSS4-HMAC-SHA256 Credential=ak/20231216/cn-hangzhou/oss/aliyun_v4_request,"
             "AdditionalHeaders=abc;zabc,Signature="
             "4a4183c187c07c8947db7620deb0a6b38d9fbdd34187b6dbaccb316fa251212f");
}

BOOST_AUTO_TEST_CASE(a_url_is_presigned_as_documented) {
  const std::string query = oss_presigned_query(signer, documented("application/octet-stream"),
                                                1702781677000, 1702782276 - 1702781677);
  BOOST_TEST(contains(
      query, "x-oss-signature=a39966c61718be0d5b14e668088b3fa07601033f6518ac7b523100014269c0fe"));
  BOOST_TEST(contains(query, "x-oss-expires=599&"));
  BOOST_TEST(contains(query, "x-oss-signature-version=OSS4-HMAC-SHA256"));
  BOOST_TEST(
      contains(query, "x-oss-credential=ak%2F20231217%2Fcn-hangzhou%2Foss%2Faliyun_v4_request&"));
}

BOOST_AUTO_TEST_CASE(a_token_is_signed_with_the_rest) {
  OssSigner with = signer;
  with.security_token = "to/ken";
  const auto headers = oss_signed_headers(with, documented("text/plain"), 1702743657000);
  const auto without = oss_signed_headers(signer, documented("text/plain"), 1702743657000);
  BOOST_TEST(value_of(headers, "x-oss-security-token") == "to/ken");
  BOOST_TEST(value_of(without, "x-oss-security-token") == "(none)");
  BOOST_TEST(value_of(headers, "Authorization") != value_of(without, "Authorization"));
  const std::string query = oss_presigned_query(with, {}, 1702743657000, 60);
  BOOST_TEST(contains(query, "x-oss-security-token=to%2Fken"));
}

BOOST_AUTO_TEST_CASE(addresses_are_written_in_both_styles) {
  OssAccount account;
  account.endpoint = "https://oss-cn-hangzhou-internal.aliyuncs.com/";
  account.public_endpoint = "oss-cn-hangzhou.aliyuncs.com";
  account.bucket = "calls";
  account.prefix = "cc/";
  account.region = "cn-hangzhou";
  BOOST_TEST(OssRequests(account).address("t 1/2026/11/23/7.mp3") ==
             "https://calls.oss-cn-hangzhou.aliyuncs.com/cc/t%201/2026/11/23/7.mp3");
  OssRequest request = OssRequests(account).part("a.mp3", "U", 2, "bytes", "md5");
  const OssCredentials credentials{"ak", "sk", "", {}};
  HttpRequest http = OssRequests(account).sign(request, credentials, 1702743657000);
  BOOST_TEST(
      http.url ==
      "https://calls.oss-cn-hangzhou-internal.aliyuncs.com/cc/a.mp3?partNumber=2&uploadId=U");
  BOOST_TEST(http.body == "bytes");
  account.path_style = true;
  account.public_endpoint.clear();
  BOOST_TEST(OssRequests(account).address("a.mp3") ==
             "https://oss-cn-hangzhou-internal.aliyuncs.com/calls/cc/a.mp3");
}

BOOST_AUTO_TEST_CASE(a_file_name_in_a_presigned_url_ends_no_header) {
  OssAccount account;
  account.endpoint = "https://e";
  account.bucket = "b";
  account.region = "r";
  const OssCredentials credentials{"ak", "sk", "", {}};
  const std::string url = OssRequests(account).signed_url(
      {"a.mp3", 1702743657000, 99'999'999, "a\"\r\n\\b\xE9\x80\x9A.mp3", "audio/mpeg"},
      credentials).url;
  BOOST_TEST(contains(url,
                      "response-content-disposition=inline%3B%20filename%3D%22a____b___.mp3"
                      "%22%3B%20filename%2A%3DUTF-8%27%27"));
  BOOST_TEST(contains(url, "&response-content-type=audio%2Fmpeg&"));
  BOOST_TEST(contains(url, "&x-oss-expires=604800&"));  // OSS takes no more
}

BOOST_AUTO_TEST_CASE(a_signed_path_says_what_was_signed) {
  const SignedPath path{"t_1/2026/11/23/a b+c.mp3", 1'800'000'000, "audio/mpeg", "Anruf 1.mp3"};
  const std::string target = make_signed_path("key", path);
  BOOST_TEST(target.starts_with(
      "/v1/files/t_1/2026/11/23/a%20b%2Bc.mp3?expires=1800000000&type=audio%2Fmpeg&filename="
      "Anruf%201.mp3&signature="));
  const auto back = read_signed_path("key", target);
  BOOST_REQUIRE(back.has_value());
  BOOST_TEST(back->name == path.name);
  BOOST_TEST(back->expires_s == path.expires_s);
  BOOST_TEST(back->content_type == path.content_type);
  BOOST_TEST(back->file_name == path.file_name);
  const SignedPath bare{"a.mp3", 1, "", ""};
  BOOST_TEST(read_signed_path("key", make_signed_path("key", bare)).has_value());
}

BOOST_AUTO_TEST_CASE(whatever_is_changed_in_a_signed_path_undoes_it) {
  const SignedPath path{"t/a.mp3", 1'800'000'000, "audio/mpeg", "x.mp3"};
  const std::string target = make_signed_path("key", path);
  BOOST_TEST(!read_signed_path("other key", target).has_value());
  BOOST_TEST(!read_signed_path("", target).has_value());
  // Each character in turn; an escape's case is no other text.
  for (std::size_t i = 0; i < target.size(); ++i) {
    for (const char other : {'0', 'x', '&', '%', '/'}) {
      std::string changed = target;
      if (changed[i] == other) continue;
      changed[i] = other;
      BOOST_TEST(!read_signed_path("key", changed).has_value(), changed);
    }
    std::string shorter = target;
    shorter.erase(i, 1);
    BOOST_TEST(!read_signed_path("key", shorter).has_value(), shorter);
  }
  for (const char* more : {"&x=1", "&expires=1800000000", "&type=audio%2Fmpeg", "&filename=x.mp3",
                           "&", "=", "&signature=", "#a"}) {
    BOOST_TEST(!read_signed_path("key", target + more).has_value(), more);
  }
  for (const char* word : {"expires", "type", "filename", "signature"}) {
    std::string without = target;
    const auto at = without.find(std::string(word) + "=");
    const auto end = without.find('&', at);
    without.erase(at, end == std::string::npos ? end : end + 1 - at);
    BOOST_TEST(!read_signed_path("key", without).has_value(), without);
  }
}

BOOST_AUTO_TEST_CASE(one_part_of_a_signed_path_cannot_lend_to_another) {
  const std::string one = make_signed_path("key", {"a", 1, "bc", "d"});
  const std::string signature = one.substr(one.find("&signature="));
  BOOST_TEST(
      read_signed_path("key", "/v1/files/a?expires=1&type=bc&filename=d" + signature).has_value());
  BOOST_TEST(
      !read_signed_path("key", "/v1/files/a?expires=1&type=b&filename=cd" + signature).has_value());
  BOOST_TEST(!read_signed_path("key", "/v1/files/a?expires=01&type=bc&filename=d" + signature)
                  .has_value());
}

BOOST_AUTO_TEST_CASE(names_stay_below_their_directory) {
  for (const char* good : {"a", "t/2026/11/23/1.mp3", ".t/a", "..a/b..", "a b"}) {
    BOOST_TEST(is_object_name(good), good);
  }
  for (const char* bad : {"", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a/..", "a/./b",
                          "a\\b", "a\nb", "a\x7F", "\xC3\xA9"}) {
    BOOST_TEST(!is_object_name(bad), bad);
  }
  BOOST_TEST(!is_object_name(std::string_view("a\0b", 3)));
  BOOST_TEST(is_object_name(std::string(200, 'a')));
  BOOST_TEST(!is_object_name(std::string(201, 'a')));
  BOOST_TEST(!is_object_name("a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a"));
  // Signed or not.
  BOOST_TEST(!read_signed_path("key", make_signed_path("key", {"../a", 1, "", ""})).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cc
