// What is made of OSS's answers.
#include "recording/oss_answer.hpp"

#include <boost/test/unit_test.hpp>

namespace cc {
namespace {

constexpr std::int64_t now_ms = 1'795'400'000'000;

OssAnswer judged(unsigned status, std::string body, TextPairs headers = {}) {
  HttpExchange exchange;
  exchange.end = HttpExchange::End::answered;
  exchange.status = status;
  exchange.body = std::move(body);
  exchange.headers = std::move(headers);
  return judge_oss_answer(std::move(exchange), now_ms);
}

std::string error_xml(const std::string& code, const std::string& message = "Words.") {
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>\n  <Code>" + code +
         "</Code>\n  <Message>" + message +
         "</Message>\n <RequestId>5C3D9175B6FC201293AD4890</RequestId><HostId>h</HostId></Error>";
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(oss_answer)

BOOST_AUTO_TEST_CASE(what_stays_refused_says_what_to_do) {
  for (const char* code :
       {"InvalidAccessKeyId", "SignatureDoesNotMatch", "AccessDenied", "NoSuchBucket",
        "InvalidBucketName", "SecurityTokenExpired", "RequestTimeTooSkewed"}) {
    const OssAnswer answer = judged(403, error_xml(code));
    BOOST_TEST(!answer.good);
    BOOST_TEST(!answer.again, code);
    BOOST_TEST(answer.problem.refused, code);
    BOOST_TEST(answer.problem.code == code);
    BOOST_TEST(contains(answer.problem.message, "request 5C3D9175B6FC201293AD4890"));
    BOOST_TEST(contains(answer.problem.message, "Words.; "), answer.problem.message);
  }
}

BOOST_AUTO_TEST_CASE(what_passes_may_be_repeated) {
  for (const auto& [status, code] :
       std::initializer_list<std::pair<unsigned, const char*>>{{503, "QpsLimitExceeded"},
                                                               {500, "InternalError"},
                                                               {429, "TooManyRequests"},
                                                               {400, "RequestTimeout"},
                                                               {400, "BadDigest"},
                                                               {408, "Whatever"}}) {
    const OssAnswer answer = judged(status, error_xml(code), {{"retry-after", "7"}});
    BOOST_TEST(answer.again, code);
    BOOST_TEST(!answer.problem.refused, code);
    BOOST_TEST(answer.retry_after.count() == 7000);
  }
  for (const auto& [status, code] : std::initializer_list<std::pair<unsigned, const char*>>{
           {400, "InvalidArgument"}, {404, "NoSuchUpload"}, {400, "EntityTooLarge"}}) {
    const OssAnswer answer = judged(status, error_xml(code));
    BOOST_TEST(!answer.again, code);
    BOOST_TEST(!answer.problem.refused, code);
  }
  HttpExchange broken;
  broken.end = HttpExchange::End::broken;
  broken.problem = "reset";
  const OssAnswer answer = judge_oss_answer(broken, now_ms);
  BOOST_TEST(answer.again);
  BOOST_TEST(answer.problem.code == "network");
  BOOST_TEST(!answer.problem.refused);
}

BOOST_AUTO_TEST_CASE(a_clock_that_is_off_is_told_by_how_much) {
  // now_ms is 2026-11-23T02:13:20Z.
  const OssAnswer ahead =
      judged(403, error_xml("RequestTimeTooSkewed"), {{"date", "Mon, 23 Nov 2026 01:53:20 GMT"}});
  BOOST_TEST(contains(ahead.problem.message, "clock is 1200 s ahead of OSS's"),
             ahead.problem.message);
  const OssAnswer behind =
      judged(403, error_xml("RequestTimeTooSkewed"), {{"date", "Mon, 23 Nov 2026 02:33:21 GMT"}});
  BOOST_TEST(contains(behind.problem.message, "clock is 1201 s behind OSS's"));
  const OssAnswer unknown = judged(403, error_xml("RequestTimeTooSkewed"), {{"date", "today"}});
  BOOST_TEST(contains(unknown.problem.message, "more than 15 minutes"));
}

BOOST_AUTO_TEST_CASE(foreign_words_are_tamed) {
  const OssAnswer answer = judged(
      400, error_xml("Odd", "line one&#10;line two\x01 13812345678 " + std::string(5000, 'x')));
  BOOST_TEST(answer.problem.message.find_first_of("\n\x01") == std::string::npos);
  BOOST_TEST(!contains(answer.problem.message, "13812345678"));
  BOOST_TEST(answer.problem.message.size() < 400U);
  // No XML, no code, a code that is none.
  BOOST_TEST(judged(502, "<html><body>Bad").problem.code == "http_502");
  BOOST_TEST(judged(403, "").problem.code == "http_403");
  BOOST_TEST(judged(403, "").problem.refused);
  BOOST_TEST(judged(400, error_xml("a b\n")).problem.code == "http_400");
  BOOST_TEST(judged(400, "<!DOCTYPE x [<!ENTITY a \"b\">]>" + error_xml("&a;")).problem.code ==
             "http_400");
}

BOOST_AUTO_TEST_CASE(numbers_in_headers_are_whole_decimals) {
  const auto crc = [](const char* text) {
    return judged(200, "", {{"x-oss-hash-crc64ecma", text}}).crc64();
  };
  BOOST_TEST((crc("18446744073709551615") == UINT64_MAX));
  BOOST_TEST((crc("0") == 0U));
  for (const char* bad : {"", "-1", "18446744073709551616", "1 ", "0x1", "1.0"}) {
    BOOST_TEST(!crc(bad).has_value(), bad);
  }
  BOOST_TEST(!judged(200, "").crc64().has_value());
}

BOOST_AUTO_TEST_CASE(uploads_are_read_from_their_documents) {
  BOOST_TEST(oss_upload_id("<InitiateMultipartUploadResult><Bucket>b</Bucket><Key>k</Key>"
                           "<UploadId>0004B9&amp;89</UploadId></InitiateMultipartUploadResult>") ==
             "0004B9&89");
  BOOST_TEST(oss_upload_id("<InitiateMultipartUploadResult/>") == "");
  BOOST_TEST(oss_upload_id("nothing") == "");
  const auto uploads = oss_uploads(
      "<ListMultipartUploadsResult><Upload><Key>a/b</Key><UploadId>1</UploadId></Upload>"
      "<Upload><Key>c</Key></Upload><Upload><Key>d&#38;</Key><UploadId>2</UploadId></Upload>"
      "</ListMultipartUploadsResult>");
  BOOST_REQUIRE(uploads.size() == 2U);
  BOOST_TEST(uploads[0].first == "a/b");
  BOOST_TEST(uploads[1].first == "d&");
  BOOST_TEST(uploads[1].second == "2");
}

BOOST_AUTO_TEST_CASE(http_dates_are_read_strictly) {
  BOOST_TEST((parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT") == 784111777));
  BOOST_TEST((parse_http_date("Thu, 29 Feb 2024 00:00:00 GMT") == 1709164800));
  for (const char* bad : {"", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 UTC",
                          "Sun, 31 Feb 2024 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT",
                          "Sun, 06 ovD 1994 08:49:37 GMT", "Sun, -6 Nov 1994 08:49:37 GMT"}) {
    BOOST_TEST(!parse_http_date(bad).has_value(), bad);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cc
