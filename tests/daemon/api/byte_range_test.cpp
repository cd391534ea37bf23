// Which bytes a request wants.
#include "api/byte_range.hpp"

#include <boost/test/unit_test.hpp>

using namespace cc;
using api::ByteRange;

namespace {

const api::FileState file{1000, "\"v1\"", 1'795'341'600'000};
const std::string modified = "Sun, 22 Nov 2026 10:00:00 GMT";

api::Request request(api::Headers headers, const std::string& method = "GET") {
  api::Request result;
  result.method = method;
  result.headers = std::move(headers);
  return result;
}

std::string told(const ByteRange& range) {
  if (range.kind == ByteRange::Kind::unsatisfiable) return "unsatisfiable";
  const std::string bytes = std::to_string(range.first) + "+" + std::to_string(range.length);
  return (range.kind == ByteRange::Kind::whole ? "whole " : "part ") + bytes;
}

std::string range(const std::string& header, std::uint64_t size = 1000) {
  api::FileState state = file;
  state.size = size;
  return told(api::range_of(request({{"range", header}}), state));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(byte_range_test)

BOOST_AUTO_TEST_CASE(one_range_is_heeded_and_kept_inside_of_the_file) {
  BOOST_TEST(range("bytes=0-0") == "part 0+1");
  BOOST_TEST(range("bytes=0-999") == "part 0+1000");
  BOOST_TEST(range("bytes=100-") == "part 100+900");
  BOOST_TEST(range("bytes=999-") == "part 999+1");
  BOOST_TEST(range("bytes=990-5000") == "part 990+10");
  BOOST_TEST(range("bytes=5-99999999999999999999999") == "part 5+995");
  BOOST_TEST(range("bytes=-1") == "part 999+1");
  BOOST_TEST(range("bytes=-5000") == "part 0+1000");
  BOOST_TEST(range("Bytes=1-2") == "part 1+2");
  BOOST_TEST(range(" bytes= 1-2 ") == "part 1+2");
  BOOST_TEST(range("bytes=0-", UINT64_MAX) == "part 0+18446744073709551615");
}

BOOST_AUTO_TEST_CASE(one_that_begins_behind_the_end_is_none) {
  BOOST_TEST(range("bytes=1000-") == "unsatisfiable");
  BOOST_TEST(range("bytes=1000-1001") == "unsatisfiable");
  BOOST_TEST(range("bytes=99999999999999999999999-") == "unsatisfiable");
  BOOST_TEST(range("bytes=-0") == "unsatisfiable");
  BOOST_TEST(range("bytes=0-", 0) == "unsatisfiable");
}

BOOST_AUTO_TEST_CASE(several_and_broken_ones_mean_the_whole) {
  for (const char* header :
       {"bytes=0-1,3-4", "bytes=0-1,", "bytes=5-4", "bytes=", "bytes=-", "bytes", "bytes=a-b",
        "bytes=1-b", "bytes=--5", "bytes=1--5", "bytes=+1-2", "bytes=0x1-", "items=0-1", "",
        "bytes =0-1", "bytes=1 - 2", "bytes:0-1"}) {
    BOOST_TEST(range(header) == "whole 0+1000", header);
  }
  BOOST_TEST(range("bytes=-5", 0) == "whole 0+0");
  const auto twice = request({{"range", "bytes=0-1"}, {"range", "bytes=2-3"}});
  BOOST_TEST(told(api::range_of(twice, file)) == "whole 0+1000");
  BOOST_TEST(told(api::range_of(request({}), file)) == "whole 0+1000");
  const auto head = request({{"range", "bytes=0-1"}}, "HEAD");
  BOOST_TEST(told(api::range_of(head, file)) == "whole 0+1000");
}

BOOST_AUTO_TEST_CASE(of_another_version_nobody_gets_a_part) {
  const auto conditional = [&](const std::string& condition) {
    return told(api::range_of(request({{"range", "bytes=1-2"}, {"if-range", condition}}), file));
  };
  BOOST_TEST(conditional("\"v1\"") == "part 1+2");
  BOOST_TEST(conditional(modified) == "part 1+2");
  for (const char* other : {"\"v2\"", "W/\"v1\"", "v1", "", "*", "Sun, 22 Nov 2026 10:00:01 GMT"}) {
    BOOST_TEST(conditional(other) == "whole 0+1000", other);
  }
  api::FileState untagged = file;
  untagged.etag.clear();
  const auto empty = request({{"range", "bytes=1-2"}, {"if-range", ""}});
  BOOST_TEST(told(api::range_of(empty, untagged)) == "whole 0+1000");
}

BOOST_AUTO_TEST_CASE(who_has_it_is_told_so) {
  const auto unchanged = [&](api::Headers headers) {
    return api::is_unchanged(request(std::move(headers)), file);
  };
  BOOST_TEST(unchanged({{"if-none-match", "\"v1\""}}));
  BOOST_TEST(unchanged({{"if-none-match", "\"v0\", W/\"v1\""}}));
  BOOST_TEST(unchanged({{"if-none-match", "\"v0\""}, {"if-none-match", "\"v1\""}}));
  BOOST_TEST(unchanged({{"if-none-match", "*"}}));
  BOOST_TEST(!unchanged({{"if-none-match", "\"v0\""}}));
  BOOST_TEST(!unchanged({{"if-none-match", ""}}));
  BOOST_TEST(!unchanged({}));
  BOOST_TEST(unchanged({{"if-modified-since", modified}}));
  BOOST_TEST(!unchanged({{"if-modified-since", "Sun, 22 Nov 2026 09:59:59 GMT"}}));
  // Who names a tag means it.
  BOOST_TEST(!unchanged({{"if-none-match", "\"v0\""}, {"if-modified-since", modified}}));
}

BOOST_AUTO_TEST_SUITE_END()
