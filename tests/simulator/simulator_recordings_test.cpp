// Recordings of any size: their bytes, the truth about them, and what goes wrong on the way.
#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

#include "simulator_stage.hpp"

namespace json = boost::json;
using stage::Stage;
using stage::text;

namespace {

// The file as README.md describes it, told again.
std::string expected(std::string const& call_id, std::size_t size) {
  std::uint64_t seed = 0xcbf29ce484222325;
  for (unsigned char c : call_id) seed = (seed ^ c) * 0x100000001b3;
  std::string out;
  for (std::size_t o = 0; o < size; ++o) {
    auto const in_frame = o % 417;
    if (in_frame < 36) {
      out += in_frame < 4 ? "\xff\xfb\x90\x64"[in_frame] : '\0';
      continue;
    }
    std::uint64_t z = seed + (o / 8 + 1) * 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    z ^= z >> 31;
    out += static_cast<char>(z >> 8 * (o % 8));
  }
  return out;
}

struct Fetching : Stage {
  // A call with a recording by that script, ended.
  std::string call(std::string const& recording) {
    simulator.script("13800008042", R"({"preset":"instant","recording":)" + recording + "}");
    auto const answer = simulator.originate({{"to", "13800008042"}, {"needRecord", 1}});
    auto const id = text(answer.resp().at("callId"));
    simulator.ended(id, 0);
    return id;
  }
  rig::Answer fetch(std::string const& id, std::string const& method = "GET") {
    return simulator.raw(method + " /records/" + id +
                         ".mp3?auth=" + rig::md5_upper(rig::account_sid + ":" + rig::auth_token) +
                         " HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
  }
  json::object truth(std::string const& id) {
    return simulator.control("GET", "recordings/" + id).json.as_object();
  }
};

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

}  // namespace

BOOST_FIXTURE_TEST_CASE(a_recording_of_any_size, Fetching) {
  auto const id = call(R"({"bytes":300001})");
  auto const audio = fetch(id);
  BOOST_TEST(audio.status == 200);
  BOOST_TEST((audio.body == expected(id, 300001)));
  auto const known = truth(id);
  BOOST_TEST(known.at("size").as_int64() == 300001);
  BOOST_TEST(text(known.at("md5")) == lower(rig::md5_upper(audio.body)));
  BOOST_TEST(known.at("asked").as_int64() == 1);
  BOOST_TEST(known.at("whole").as_int64() == 1);

  auto const head = fetch(id, "HEAD");
  BOOST_TEST(head.head.starts_with("HTTP/1.1 200"));
  BOOST_TEST(head.head.find("Content-Length: 300001") != std::string::npos);
  BOOST_TEST(head.body.empty());
  BOOST_TEST(truth(id).at("asked").as_int64() == 1);
}

BOOST_FIXTURE_TEST_CASE(sizes_are_drawn_by_the_call, Fetching) {
  auto const one = call(R"({"bytes":[1000,100000]})");
  auto const two = call(R"({"bytes":[1000,100000]})");
  auto const first = truth(one).at("size").as_int64();
  BOOST_TEST(first != truth(two).at("size").as_int64());
  for (auto const& id : {one, two}) {
    auto const size = truth(id).at("size").as_int64();
    BOOST_TEST((size >= 1000 && size <= 100000));
    BOOST_TEST(fetch(id).body.size() == static_cast<std::size_t>(size));
  }
}

BOOST_FIXTURE_TEST_CASE(it_breaks_off_and_comes_late, Fetching) {
  auto const id = call(R"({"bytes":200000,"statusTimes":2,"status":503,"breaks":3})");
  BOOST_TEST(fetch(id).status == 503);
  BOOST_TEST(fetch(id).status == 503);
  for (int i = 0; i < 3; ++i) {
    auto const part = fetch(id);
    BOOST_TEST(part.status == 0);  // it is not whole
    BOOST_TEST(part.head.starts_with("HTTP/1.1 200"));
    BOOST_TEST(part.body.size() < 200000u);
    BOOST_TEST((part.body == expected(id, 200000).substr(0, part.body.size())));
  }
  BOOST_TEST((fetch(id).body == expected(id, 200000)));
  auto const known = truth(id);
  BOOST_TEST(known.at("asked").as_int64() == 6);
  BOOST_TEST(known.at("refused").as_int64() == 2);
  BOOST_TEST(known.at("cut").as_int64() == 3);
  BOOST_TEST(known.at("whole").as_int64() == 1);
  auto const list = simulator.control("GET", "recordings").json.at("recordings").as_array();
  BOOST_TEST(list.size() == 1u);

  auto const unlucky = call(R"({"bytes":100000,"breakChance":0.5,"statusChance":0.3})");
  int kinds[3] = {};
  for (int i = 0; i < 30; ++i) {
    auto const answer = fetch(unlucky);
    ++kinds[answer.status == 503 ? 0 : answer.body.size() < 100000u ? 1 : 2];
  }
  for (int kind : kinds) BOOST_TEST(kind > 0);
  BOOST_TEST(
      simulator.control("PUT", "default-script", R"({"recording":{"bytes":[0,5]}})").status == 400);
}
