// Many recordings over a network that breaks at random, with ccd killed again and again: every
// object's bytes are the channel's, there is one of each, and nothing is left half-done. The short
// form is a part of every run; CC_SOAK=long has 500 up to 50 MB and some of 200 MB. CC_SEED repeats a
// run's choices.
#include <cstdlib>
#include <random>
#include <set>
#include <sstream>

#include <boost/test/unit_test.hpp>

#include "recordings.hpp"

using namespace cc::test;

namespace {

const bool long_form = [] {
  const char* const soak = std::getenv("CC_SOAK");
  return soak != nullptr && std::string(soak) == "long";
}();

const unsigned long seed = [] {
  const char* const given = std::getenv("CC_SEED");
  return given == nullptr ? std::random_device{}() : std::stoul(given);
}();

/// KiB at most since the process began; 0 for one that has gone.
long peak_kib(pid_t pid) {
  std::istringstream status(read_file("/proc/" + std::to_string(pid) + "/status"));
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stol(line.substr(6));
  }
  return 0;
}

/// What goes wrong between ccd and the bucket; the channel's script has its own.
void break_the_network(const Bucket& bucket) {
  int number = 0;
  for (const std::string& fault :
       {std::string(R"("kind":"cut_request","after":[0,1000000],"probability":0.04)"),
        std::string(R"("kind":"lost_answer","probability":0.04)"),
        std::string(R"("kind":"status","status":500,"probability":0.03)"),
        std::string(R"("kind":"throttle","retryAfter":1,"probability":0.02)"),
        std::string(R"("kind":"wrong_crc","operation":"PutObject","probability":0.02)"),
        std::string(R"("kind":"flip","operation":"UploadPart","probability":0.02)")}) {
    bucket.fault("{" + fault + ",\"seed\":" + std::to_string(seed % 1'000'000 + ++number) + "}");
  }
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_recording_arrives_whole_and_once) {
  const int count = long_form ? 500 : 40, kills = long_form ? 10 : 3, huge = long_form ? 3 : 0;
  const Millis limit{long_form ? 3'600'000 : 150'000};
  BOOST_TEST_MESSAGE("seed " << seed);
  std::mt19937_64 random(seed);
  const Bucket bucket;
  Stack stack("50", [&] {
    std::vector<std::string> options{"--simulator", "--recordings", "100ms"};
    for (const std::string& option : bucket.options()) options.push_back(option);
    return options;
  }());
  break_the_network(bucket);

  const std::string sizes = long_form ? "[1024,52428800]" : "[1024,4194304]";
  std::vector<std::string> calls;
  for (int i = 0; i < count; ++i) {
    const std::string bytes = i < huge ? "209715200" : sizes;
    const double breaks = i < huge ? 0.3 : 0.15;
    calls.push_back(make_call(stack, "{\"bytes\":" + bytes +
                                         ",\"breakChance\":" + std::to_string(breaks) +
                                         ",\"statusChance\":0.1}"));
  }

  const auto stored = [&] {
    return std::stol(stack.sql("SELECT count(*) FROM recording WHERE state = 'stored'"));
  };
  std::set<long> moments;  // so many are stored
  std::uniform_int_distribution<long> moment(0, count * 9 / 10);
  while (moments.size() < static_cast<std::size_t>(kills)) moments.insert(moment(random));
  long peak = 0;
  for (const long next : moments) {
    BOOST_REQUIRE(eventually([&] { return stored() >= next; }, limit));
    peak = std::max(peak, peak_kib(stack.pid("ccd")));
    stack.part("kill", "ccd");
    stack.part("start", "ccd");
  }
  BOOST_TEST(eventually([&] { return stored() == count; }, limit),
             stack.sql("SELECT state, count(*), max(tries), max(problem) FROM recording GROUP BY 1"));
  peak = std::max(peak, peak_kib(stack.pid("ccd")));

  bucket.no_faults();
  std::map<std::string, json::object> objects;
  double bytes = 0;
  for (const json::value& object : bucket.objects()) {
    const std::string name = text_at(object, "name");
    BOOST_TEST(objects.emplace(name, object.as_object()).second, "twice: " << name);
    bytes += std::stod(text_at(object, "size"));
  }
  BOOST_TEST(objects.size() == calls.size());
  for (const std::string& call : calls) {
    const json::value record = stack.get("/v1/calls/" + call).body();
    BOOST_TEST(text_at(record.at("recording"), "state") == "stored");
    const std::string address = text_at(record, "audioUrl");
    const std::size_t at = address.find("/cc/");
    const auto object = objects.find(at == std::string::npos ? address : address.substr(at + 1));
    BOOST_REQUIRE_MESSAGE(object != objects.end(), "no object for " << address);
    const json::value had = truth(stack, record);
    BOOST_TEST(text_at(object->second, "md5") == text_at(had, "md5"), "other bytes: " << address);
    BOOST_TEST(text_at(object->second, "size") == text_at(had, "size"));
  }
  BOOST_TEST(eventually([&] { return bucket.uploads().empty(); }),
             json::serialize(bucket.uploads()));
  BOOST_TEST_MESSAGE("recordings=" << count << " megabytes=" << static_cast<long>(bytes / 1e6)
                                   << " kills=" << kills << " ccd_peak_kib=" << peak
                                   << " bucket=" << json::serialize(bucket.counters()));
  // Four at a time, a part of 1 MiB each: nothing that grows with a recording's length.
  BOOST_TEST(peak < 150'000);
}
