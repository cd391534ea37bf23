// What channels are asked for a file, and what is made of their answers.
#include "channel/audio_kind.hpp"
#include "channel/hw_files.hpp"
#include "recording/fetch.hpp"
#include "recording_fixture.hpp"

using namespace cc;
using namespace cc::test;

namespace {

using Kind = FileAnswer::Kind;

struct Fixture : RecordingFixture {
  FileRequest ask(const std::string& source) {
    ChannelFile file;
    file.source = source;
    return channels.find("e9")->provider->file_request(file);
  }
  std::string asked_for(const std::string& source) {
    const auto request = ask(source);
    return request ? request->url : "error: " + request.error().message;
  }
  FileAnswer judge(unsigned status, const std::string& begin, const std::string& type = "") {
    HttpExchange head;
    head.end = HttpExchange::End::answered;
    head.status = status;
    if (!type.empty()) head.headers.emplace_back("content-type", type);
    return channels.find("e9")->provider->judge_file(head, begin);
  }
};

const std::string auth = "auth=C63F77794EFC8C13F90B9A54C75A0037";

}  // namespace

BOOST_FIXTURE_TEST_SUITE(files, Fixture)

BOOST_AUTO_TEST_CASE(jiuyun_s_word_is_for_its_own_hosts_only) {
  const auto hint = [&](const std::string& source) {
    const FileRequest request = ask(source);
    return !request && request.passing ? request.error().message : "none";
  };
  const std::string other =
      "the channel named a recording on another host than its own; if that host is the channel's, "
      "name it in channels.e9.recordings.hosts: ";
  hosts = {"listed.example.com", "10.0.0.7:8080"};
  base_url = "https://api.example.com:8883";
  configure();
  BOOST_TEST(asked_for("http://listed.example.com/1") == "http://listed.example.com/1?" + auth);
  BOOST_TEST(asked_for("http://10.0.0.7:8080/1") == "http://10.0.0.7:8080/1?" + auth);
  BOOST_TEST(asked_for("https://API.example.com/1") == "https://API.example.com/1?" + auth);
  BOOST_TEST(ask("https://api.example.com/1")->public_only);
  BOOST_TEST(!ask("https://api.example.com:8883/1")->public_only);
  BOOST_TEST(hint("https://evil.example.org/secret?x") == other + "evil.example.org");
  BOOST_TEST(hint("http://api.example.com:8883/1") == other + "api.example.com");
  BOOST_TEST(hint("http://10.0.0.7/1") == other + "10.0.0.7");
  BOOST_TEST(hint("https://listed.example.com.evil.org/1") ==
             other + "listed.example.com.evil.org");
  BOOST_TEST(hint("https://" + std::string(200, 'a') + ".org/1") == other + std::string(60, 'a'));
  hosts.clear();
  configure();
  BOOST_TEST(hint("https://evil.example.org/1") == other + "evil.example.org");
  BOOST_TEST(hint("https://api.example.com/1") == "none");
}

BOOST_AUTO_TEST_CASE(jiuyun_is_asked_with_the_account_s_word_in_the_query) {
  hosts = {"r.example.com", "x"};
  configure();
  BOOST_TEST(asked_for("http://r.example.com/1.mp3") == "http://r.example.com/1.mp3?" + auth);
  BOOST_TEST(asked_for("HTTPS://r.example.com/1?a=b#part") ==
             "HTTPS://r.example.com/1?a=b&" + auth);
  BOOST_TEST(asked_for("http://r.example.com/1?") == "http://r.example.com/1?" + auth);
  BOOST_TEST(asked_for("http://r.example.com/1?a&") == "http://r.example.com/1?a&" + auth);
  BOOST_TEST(asked_for("http://r.example.com/a b/\xE5\xBD\x95.mp3") ==
             "http://r.example.com/a%20b/%e5%bd%95.mp3?" + auth);
  for (const char* bad : {"", "null", "ftp://x/1", "//x/1", "file:///etc/passwd", "http://",
                          "gopher://x", "http://x/\r\nX: y"}) {
    BOOST_TEST(asked_for(bad).starts_with("error: the channel's address"), bad);
  }
  const auto request = ask("http://r.example.com/1.mp3");
  BOOST_TEST(request->public_only);
  BOOST_TEST(request->method == "GET");
}

BOOST_AUTO_TEST_CASE(jiuyun_s_answers_are_judged_by_what_they_are) {
  const FileAnswer sound = judge(200, mp3(100), "text/html");
  BOOST_TEST((sound.kind == Kind::file));
  BOOST_TEST(sound.content_type == "audio/mpeg");
  BOOST_TEST(judge(200, "RIFF1234WAVEfmt ").extension == ".wav");
  BOOST_TEST((judge(200, "\xFF\xFB\x90\x64 and so on").kind == Kind::file));
  BOOST_TEST((judge(200, "\x01\x02\x03", "audio/mpeg").kind == Kind::file));
  BOOST_TEST((judge(200, "<html>no</html>", "audio/mpeg").kind == Kind::trouble));
  BOOST_TEST((judge(200, " {\"statusCode\":\"900111\"}", "audio/mpeg").kind == Kind::trouble));
  BOOST_TEST((judge(200, "<html>no</html>", "text/html").kind == Kind::trouble));
  BOOST_TEST((judge(200, "", "audio/mpeg").kind == Kind::file));  // empty: fetch_file's business
  BOOST_TEST((judge(404, "").kind == Kind::none));
  BOOST_TEST((judge(410, mp3(10)).kind == Kind::none));
  for (const unsigned status : {206U, 302U, 400U, 401U, 403U, 500U, 503U}) {
    BOOST_TEST((judge(status, mp3(10), "audio/mpeg").kind == Kind::trouble), status);
    BOOST_TEST(judge(status, "").problem.find(std::to_string(status)) != std::string::npos);
  }
  BOOST_TEST(judge(403, "").problem.find("accountSid") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(sounds_are_known_by_their_first_bytes) {
  BOOST_TEST(audio_kind("ID3\x04")->extension == ".mp3");
  BOOST_TEST(audio_kind("\xFF\xF3\x40\xC0")->extension == ".mp3");
  BOOST_TEST(audio_kind("#!AMR\n")->extension == ".amr");
  BOOST_TEST(audio_kind("OggS")->content_type == "audio/ogg");
  BOOST_TEST(audio_kind(std::string_view("\0\0\0\x20"
                                         "ftypM4A ",
                                         12))
                 ->extension == ".m4a");
  for (const std::string_view other : {"", "R", "RIFF1234AVI ", "<html>", "{\"a\":1}", "\xFF",
                                       "\xFF\xFF\xFF\xFF", "\xFF\xE1\x90", "PK\x03\x04"}) {
    BOOST_TEST(!audio_kind(other).has_value(), other);
  }
  BOOST_TEST(begins_zip("PK\x03\x04rest"));
  BOOST_TEST(!begins_zip("PK"));
}

BOOST_AUTO_TEST_CASE(hosts_are_seen_as_the_client_sees_them) {
  const auto host = [](const std::string& url) {
    const auto found = url_host(url);
    return found ? found->host + " " + found->port : "none";
  };
  BOOST_TEST(host("http://Files.Example.com/x") == "files.example.com 80");
  BOOST_TEST(host("https://1.2.3.4:8443?x") == "1.2.3.4 8443");
  BOOST_TEST(host("http://[::1]:80/x") == "[::1] 80");
  for (const char* bad : {"", "x", "ftp://x/", "http://user@x/", "http://listed@10.0.0.1/",
                          "http://a b/", "http://:80/", "file:///x"}) {
    BOOST_TEST(host(bad) == "none", bad);
  }
  // Whatever comes before a user's sign, a backslash or a fragment names no host of ours.
  for (const char* sly : {"http://listed.example.com#@10.0.0.1/", "http://10.0.0.1\\@listed/",
                          "http://10.0.0.1#@listed.example.com/"}) {
    const auto found = url_host(sly);
    const bool listed = found && is_listed(*found, {"listed"});
    BOOST_TEST(!listed, sly);
  }
  BOOST_TEST(is_listed({"a.example.com", "80"}, {"x", "A.example.com"}));
  BOOST_TEST(is_listed({"a.example.com", "8080"}, {"a.example.com:8080"}));
  BOOST_TEST(!is_listed({"a.example.com", "80"}, {"a.example.com:8080"}));
  BOOST_TEST(!is_listed({"b.a.example.com", "80"}, {"a.example.com"}));
}

BOOST_AUTO_TEST_CASE(huawei_s_file_service_is_asked_with_a_signature) {
  ChannelConfig channel;
  channel.code = "hw";
  HwFiles& files = channel.hw.files;
  ChannelFile file;
  file.source = "Y:/6/0/20161025/20011/1902050.V3";
  const auto none = hw_file_request(channel, file, 0);
  BOOST_REQUIRE(!none);
  BOOST_TEST(none.passing);
  BOOST_TEST(none.error().message == "channel hw has no recordings.url: see conf/cc.yaml");
  files.url = "https://ccfs.example.com:8443/CCFS/resource/ccfs/downloadRecord";
  files.access_key = "ak";
  files.secret_key = "sk";
  file.channel_call_id = "1476070409-38";
  const std::int64_t at_ms = 1'795'410'000'000;  // 2026-11-23T05:00:00Z
  // The vector of tests/gateway/README.md.
  auto request = hw_file_request(channel, file, at_ms);
  BOOST_REQUIRE(static_cast<bool>(request));
  BOOST_TEST(request->method == "POST");
  BOOST_TEST(request->url == files.url);
  BOOST_TEST(request->body ==
             R"({"request":{"version":"2.0"},"msgBody":{"callId":"1476070409-38","ccId":"1"}})");
  BOOST_TEST(request->headers[0].second == "ccfs.example.com:8443");
  BOOST_TEST(request->headers[2].second ==
             "auth-v2/ak/2026-11-23T05:00:00Z/host/"
             "c3d257cfbb7b33254b956c44028aff61b2913e6ba8700011d6f98f16f2e8eb17");
  BOOST_TEST(!request->public_only);

  file.channel_call_id.clear();
  file.source = "a\"b\\{ccId}";
  BOOST_TEST(hw_file_request(channel, file, at_ms)->body ==
             R"({"request":{"version":"2.0"},"msgBody":{"fileName":"a\"b\\{ccId}","ccId":"1"}})");
  files.body = R"({"name":"{fileName}","id":{callId},"cc":"{ccId}","other":"{x}"})";
  BOOST_TEST(hw_file_request(channel, file, at_ms)->body ==
             R"({"name":"a\"b\\{ccId}","id":"","cc":"1","other":"{x}"})");
  files.signature = "v9";
  BOOST_TEST(!hw_file_request(channel, file, at_ms));
  BOOST_TEST(hw_file_request(channel, file, at_ms).passing);
}

BOOST_AUTO_TEST_CASE(huawei_s_answers_are_judged_by_what_they_are) {
  const auto kind = [](unsigned status, std::string_view begin) {
    return judge_hw_file("hw", status, begin).kind;
  };
  BOOST_TEST((kind(200, "RIFF1234WAVEfmt ") == Kind::file));
  BOOST_TEST((kind(200, "PK\x03\x04") == Kind::packed));
  const std::string none = R"({"resultCode":"0300012","resultDesc":"No data found"})";
  BOOST_TEST((kind(200, none) == Kind::none));
  BOOST_TEST((kind(404, none) == Kind::none));
  BOOST_TEST((kind(500, none) == Kind::trouble));
  BOOST_TEST((kind(404, "<html>") == Kind::trouble));
  BOOST_TEST((kind(200, R"({"resultCode":"0300028","resultDesc":"ccId"})") == Kind::trouble));
  BOOST_TEST((kind(200, R"({"resultCode":"03)") == Kind::trouble));
  BOOST_TEST((kind(200, "something") == Kind::trouble));
  BOOST_TEST((kind(200, "") == Kind::trouble));
  const FileAnswer refused =
      judge_hw_file("hw", 401, R"({"resultCode":300401,"resultDesc":"key of 13812345678"})");
  BOOST_TEST(
      refused.problem ==
      "the file service answers with HTTP 401, code 300401 key of 138****5678; accessKey and "
      "secretKey of channels.hw.recordings?");
}

BOOST_AUTO_TEST_SUITE_END()
