// The simulator's own test, of the recordings' files: signature, bytes, archives, and what goes
// wrong.
#include <array>
#include <ctime>
#include <zlib.h>

#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "gateway_rig.hpp"
#include "gateway_stage.hpp"

namespace json = boost::json;
using rig::Answer;
using rig::Client;
using rig::Simulator;
using stage::Ready;

namespace {

std::string const place = "/CCFS/resource/ccfs/downloadRecord";
std::string const json_type = "application/json; charset=UTF-8";

std::string hex(unsigned char const* bytes, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) {
    out += "0123456789abcdef"[bytes[i] >> 4];
    out += "0123456789abcdef"[bytes[i] & 15];
  }
  return out;
}

std::string hmac(std::string const& key, std::string const& text) {
  unsigned char sum[32];
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<unsigned char const*>(text.data()), text.size(), sum, nullptr);
  return hex(sum, 32);
}

std::string md5(std::string const& text) {
  std::array<unsigned char, 16> sum{};
  EVP_Digest(text.data(), text.size(), sum.data(), nullptr, EVP_md5(), nullptr);
  return hex(sum.data(), sum.size());
}

std::string encoded(std::string const& text) {
  std::string out;
  for (unsigned char c : text)
    if (std::isalnum(c) || std::string("-._~").find(static_cast<char>(c)) != std::string::npos) {
      out += static_cast<char>(c);
    } else {
      char code[4];
      std::snprintf(code, sizeof code, "%%%02X", c);
      out += code;
    }
  return out;
}

using Headers = std::map<std::string, std::string>;

std::string authorization(std::string const& secret, std::string const& time,
                          Headers const& headers, std::string const& body) {
  std::string names, lines;
  for (auto const& [name, value] : headers) {
    names += (names.empty() ? "" : ";") + name;
    lines += encoded(name) + ":" + encoded(value) + "\n";
  }
  auto const prefix = "auth-v2/ak/" + time + "/" + names;
  return prefix + "/" +
         hmac(hmac(secret, prefix), "POST\n" + place + "\n" + names + "\n" + lines + encoded(body));
}

std::string stamp(std::time_t at) {
  char text[32];
  std::tm parts{};
  gmtime_r(&at, &parts);
  return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

std::string text_of(json::value const& value) {
  return std::string(std::string_view(value.as_string()));
}

std::size_t number(std::string const& bytes, std::size_t at, int count) {
  std::size_t out = 0;
  for (int i = count; i-- > 0;)
    out = out << 8 | static_cast<unsigned char>(bytes.at(at + static_cast<std::size_t>(i)));
  return out;
}

// A WAV as README.md describes it, told again.
std::string expected(std::string const& call, int n, std::size_t size) {
  std::uint64_t seed = 0xcbf29ce484222325;
  for (unsigned char c : call + "/" + std::to_string(n)) seed = (seed ^ c) * 0x100000001b3;
  std::string out;
  for (std::size_t o = 0; o + 58 < size; ++o) {
    std::uint64_t z = seed + (o / 8 + 1) * 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    z ^= z >> 31;
    out += o / 160 % 2 ? '\xd5' : static_cast<char>(z >> 8 * (o % 8));
  }
  return out;
}

void check_wav(std::string const& wav, std::string const& call, int n) {
  BOOST_REQUIRE(wav.size() > 58u);
  BOOST_TEST(wav.substr(0, 4) + wav.substr(8, 8) == "RIFFWAVEfmt ");
  BOOST_TEST(number(wav, 4, 4) == wav.size() - 8);
  BOOST_TEST(number(wav, 20, 2) == 6u);  // A-law
  BOOST_TEST(number(wav, 24, 4) == 8000u);
  BOOST_TEST(wav.substr(50, 4) == "data");
  BOOST_TEST(number(wav, 54, 4) == wav.size() - 58);
  BOOST_TEST((wav.substr(58) == expected(call, n, wav.size())));
}

// The files of an archive by its directory, each checked against its sums.
std::vector<std::string> unzipped(std::string const& zip, std::string& methods, bool descriptors) {
  std::vector<std::string> files;
  auto const end = zip.size() - 22;
  BOOST_REQUIRE(zip.substr(end, 4) == "PK\5\6");
  auto at = number(zip, end + 16, 4);
  for (auto left = number(zip, end + 10, 2); left > 0; --left) {
    BOOST_REQUIRE(zip.substr(at, 4) == "PK\1\2");
    auto const method = number(zip, at + 10, 2), crc = number(zip, at + 16, 4);
    auto const packed = number(zip, at + 20, 4), size = number(zip, at + 24, 4);
    auto const local = number(zip, at + 42, 4);
    BOOST_REQUIRE(zip.substr(local, 4) == "PK\3\4");
    BOOST_TEST(number(zip, local + 6, 2) == (descriptors ? 8u : 0u));
    BOOST_TEST(number(zip, local + 14, 4) == (descriptors ? 0u : crc));
    auto const begin = local + 30 + number(zip, local + 26, 2);
    auto const raw = zip.substr(begin, packed);
    if (descriptors) {
      BOOST_TEST(zip.substr(begin + packed, 4) == "PK\7\10");
      BOOST_TEST(number(zip, begin + packed + 4, 4) == crc);
    }
    std::string file(size, '\0');
    if (method == 8) {
      z_stream z{};
      BOOST_REQUIRE(inflateInit2(&z, -MAX_WBITS) == Z_OK);
      z.next_in = reinterpret_cast<unsigned char*>(const_cast<char*>(raw.data()));
      z.avail_in = static_cast<unsigned int>(packed);
      z.next_out = reinterpret_cast<unsigned char*>(file.data());
      z.avail_out = static_cast<unsigned int>(size);
      BOOST_TEST(inflate(&z, Z_FINISH) == Z_STREAM_END);
      BOOST_TEST(z.avail_out == 0u);
      inflateEnd(&z);
      BOOST_TEST(packed < size);
    } else {
      file = raw;
    }
    methods += method == 8 ? 'd' : 's';
    BOOST_TEST(crc32(0, reinterpret_cast<unsigned char const*>(file.data()),
                     static_cast<unsigned int>(size)) == crc);
    files.push_back(std::move(file));
    at += 46 + number(zip, at + 28, 2);
  }
  BOOST_TEST(at == end);
  return files;
}

struct Fetching {
  Simulator simulator{{"--speed", "100", "--poll-ms", "200", "--poll-gap-ms", "0",
                       "--file-access-key", "ak", "--file-secret-key", "sk"}};
  Ready seat{simulator, 291};
  Client client{simulator.url()};
  std::string host = simulator.url().substr(simulator.url().find("//") + 2);

  // A recorded call by that script, ended.
  std::string call(std::string const& more = "") {
    simulator.control("PUT", "scripts/13800000000",
                      R"({"preset":"recorded")" + (more.empty() ? "" : "," + more) + "}");
    seat.call_out("13800000000");
    seat.story("Ready");
    return seat.call_id;
  }
  static std::string wish(std::string const& call_id, std::string const& cc_id = "\"1\"") {
    return R"({"request":{"version":"2.0"},"msgBody":{"callId":")" + call_id + R"(","ccId":)" +
           cc_id + "}}";
  }
  Answer ask(std::string const& body, std::string const& auth) {
    client.headers = {"Content-Type: " + json_type, "Authorization: " + auth};
    return client.request("POST", place, body);
  }
  Answer fetch(std::string const& body) {
    return ask(body, authorization("sk", stamp(std::time(nullptr)), {{"host", host}}, body));
  }
  json::object truth(std::string const& id) {
    return simulator.control("GET", "recordings/" + id).json.as_object();
  }
};

}  // namespace

BOOST_AUTO_TEST_CASE(the_vectors_of_the_readme) {
  auto const body = Fetching::wish("1476070409-38");
  Headers headers{{"host", "ccfs.example.com:8443"}};
  BOOST_TEST(authorization("sk", "2026-11-23T05:00:00Z", headers, body) ==
             "auth-v2/ak/2026-11-23T05:00:00Z/host/"
             "c3d257cfbb7b33254b956c44028aff61b2913e6ba8700011d6f98f16f2e8eb17");
  headers["content-type"] = json_type;
  BOOST_TEST(authorization("sk", "2026-11-23T05:00:00Z", headers, body) ==
             "auth-v2/ak/2026-11-23T05:00:00Z/content-type;host/"
             "bd92185d1b938b9d590a537d8fcb72870375c0e10fb44372faa612142c191fc8");
}

BOOST_FIXTURE_TEST_CASE(signatures, Fetching) {
  auto const id = call();
  auto const body = wish(id);
  auto const now = std::time(nullptr);
  auto const at = stamp(now);
  auto const good = authorization("sk", at, {{"host", host}}, body);
  BOOST_TEST(ask(body, good).status == 200);
  Headers const both{{"host", host}, {"content-type", json_type}};
  BOOST_TEST(ask(body, authorization("sk", at, both, body)).status == 200);
  auto const refused = [&](std::string const& auth) {
    auto const answer = ask(body, auth);
    BOOST_TEST(answer.status == 401);
    BOOST_TEST(answer.text("resultCode") == "0300401");
    return answer.text("resultDesc");
  };
  BOOST_TEST(refused(authorization("other", at, {{"host", host}}, body)) ==
             "the signature is another");
  BOOST_TEST(refused(authorization("sk", at, {{"host", host}}, body + " ")) ==
             "the signature is another");
  BOOST_TEST(refused(authorization("sk", at, {{"host", "other:1"}}, body)) ==
             "the signature is another");
  refused(authorization("sk", stamp(now - 1000), {{"host", host}}, body));
  refused(authorization("sk", stamp(now + 1000), {{"host", host}}, body));
  refused(authorization("sk", at, {{"content-type", json_type}}, body));
  refused(authorization("sk", at, {{"host", host}, {"x-none", "1"}}, body));
  refused("auth-v2/other" + good.substr(10));
  refused("auth-v1" + good.substr(7));
  refused("SDK-HMAC-SHA256 Access=ak, SignedHeaders=host, Signature=00");
  BOOST_TEST(simulator.violations() == "");
}

BOOST_FIXTURE_TEST_CASE(one_file, Fetching) {
  auto const id = call(R"("recordBytes":100001)");
  auto const answer = fetch(wish(id));
  BOOST_TEST(answer.status == 200);
  BOOST_TEST(answer.headers.at("content-type") == "application/octet-stream");
  BOOST_TEST(answer.headers.at("content-length") == "100000");
  check_wav(answer.body, id, 1);
  auto const known = truth(id);
  BOOST_TEST(text_of(known.at("kind")) == "wav");
  BOOST_TEST(text_of(known.at("md5")) == md5(answer.body));
  BOOST_TEST(known.at("size").as_int64() == 100000);
  BOOST_TEST(known.at("whole").as_int64() == 1);

  // The same by the file's name, as the event told it, and by a number for ccId.
  auto const name = text_of(known.at("fileName"));
  BOOST_TEST(name.starts_with("Y:/6/0/"));
  BOOST_TEST(
      (fetch(R"({"request":{"version":"2.0"},"msgBody":{"fileName":")" + name + R"(","ccId":1}})")
           .body == answer.body));
  for (auto const& wrong :
       {wish(id, "\"2\""), std::string("{}"), std::string("no JSON"),
        R"({"request":{"version":"1.0"},"msgBody":{"callId":")" + id + R"(","ccId":"1"}})"}) {
    auto const refusal = fetch(wrong);
    BOOST_TEST(refusal.status == 200);
    BOOST_TEST(refusal.headers.at("content-type") == "application/json");
    BOOST_TEST(refusal.text("resultCode") == "0300028");
  }
  BOOST_TEST(fetch(wish("1-1")).text("resultCode") == "0300012");
  simulator.control("PUT", "scripts/13800000000", R"({"preset":"answered"})");
  seat.call_out("13800000000");
  seat.story("Ready");
  BOOST_TEST(fetch(wish(seat.call_id)).text("resultCode") == "0300012");
  BOOST_TEST(simulator.control("GET", "recordings").json.at("recordings").as_array().size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(several_files, Fetching) {
  for (bool const descriptors : {false, true}) {
    auto const more =
        std::string(R"("recordFiles":3,"recordBytes":[1000,200000],"recordDescriptors":)") +
        (descriptors ? "true" : "false");
    for (auto const& [packing, methods] :
         {std::pair("stored", "sss"), std::pair("deflated", "ddd"), std::pair("mixed", "dsd")}) {
      auto const id = call(more + R"(,"recordZip":")" + packing + "\"");
      auto const zip = fetch(wish(id)).body;
      std::string found;
      auto const files = unzipped(zip, found, descriptors);
      BOOST_TEST(found == methods);
      auto const known = truth(id);
      BOOST_TEST(text_of(known.at("md5")) == md5(zip));
      BOOST_REQUIRE(files.size() == 3u);
      for (int n = 1; n <= 3; ++n) {
        auto const& wav = files[static_cast<std::size_t>(n - 1)];
        check_wav(wav, id, n);
        BOOST_TEST(text_of(known.at("files").at(static_cast<std::size_t>(n - 1)).at("md5")) ==
                   md5(wav));
      }
    }
  }
}

BOOST_FIXTURE_TEST_CASE(what_goes_wrong, Fetching) {
  auto const id =
      call(R"("recordStatusTimes":2,"recordStatus":502,"recordBreaks":2,"recordBytes":50000)");
  BOOST_TEST(fetch(wish(id)).status == 502);
  BOOST_TEST(fetch(wish(id)).status == 502);
  for (int i = 0; i < 2; ++i) {
    auto const part = fetch(wish(id));
    BOOST_TEST(part.status == 0);
    BOOST_TEST(part.body.size() < 50000u);
  }
  check_wav(fetch(wish(id)).body, id, 1);
  auto const known = truth(id);
  BOOST_TEST(known.at("asked").as_int64() == 5);
  BOOST_TEST(known.at("refused").as_int64() == 2);
  BOOST_TEST(known.at("cut").as_int64() == 2);
  BOOST_TEST(known.at("whole").as_int64() == 1);

  auto const late = call(R"("recordAfterMs":100000000)");
  BOOST_TEST(fetch(wish(late)).text("resultCode") == "0300012");
  BOOST_TEST(truth(late).at("unready").as_int64() == 1);

  simulator.control("PUT", "outage", R"({"kind":"http503","functions":["files"]})");
  BOOST_TEST(fetch(wish(id)).status == 503);
  simulator.control("PUT", "outage", R"({"kind":null})");
  BOOST_TEST(fetch(wish(id)).status == 200);
  BOOST_TEST(simulator.control("PUT", "default-script", R"({"recordBytes":57})").status == 400);
}

BOOST_AUTO_TEST_CASE(no_keys_no_files) {
  Simulator simulator;
  Client client(simulator.url());
  BOOST_TEST(client.request("POST", place, "{}").status == 404);
  std::string errors;
  BOOST_TEST(rig::run_program({"--file-access-key", "ak"}, errors) == 1);
}
