// What a channel packs into zips.
#include "recording/unpack.hpp"

#include <boost/test/unit_test.hpp>

#include "../../unit/rand.hpp"
#include "loop.hpp"
#include "process.hpp"
#include "recording/wav_join.hpp"
#include "recording_fixture.hpp"
#include "wav_files.hpp"

using namespace cc;
using namespace cc::test;

namespace {

class TextSource final : public ByteSource {
 public:
  explicit TextSource(std::string text) : text_(std::move(text)) {}
  asio::awaitable<std::size_t> read(char* into, std::size_t size) override {
    const std::size_t got = std::min({size, text_.size() - at_, std::size_t{777}});
    text_.copy(into, got, at_);
    at_ += got;
    co_return got;
  }

 private:
  std::string text_;
  std::size_t at_ = 0;
};

struct Opened {
  std::string bytes, content_type, extension;
};

struct Fixture {
  Opened open(const std::string& zip, std::uint64_t most = 10'000'000) {
    Opened result;
    const auto work = [&]() -> asio::awaitable<void> {
      TextSource source(zip);
      auto keeping = keep_in_scratch(disk, folder.path(), source, most);
      std::shared_ptr<ScratchFile> kept = co_await std::move(keeping);
      auto unpacking = unpack(disk, std::move(kept), most);
      Unpacked unpacked = co_await std::move(unpacking);
      result.content_type = unpacked.content_type;
      result.extension = unpacked.extension;
      std::vector<char> buffer(1 + zip.size() % 5000);
      for (;;) {
        const std::size_t got = co_await unpacked.bytes->read(buffer.data(), buffer.size());
        if (got == 0) break;
        result.bytes.append(buffer.data(), got);
      }
    };
    run_until_done(io, work());
    return result;
  }
  std::string problem(const std::string& zip, std::uint64_t most = 10'000'000) {
    try {
      open(zip, most);
    } catch (const SourceBroken& broken) {
      return broken.what();
    }
    return {};
  }

  TempDir folder;
  asio::io_context io;
  FileThread disk;
};

WavFile alaw(const std::string& samples) {
  return {6, 1, 8000, samples, ""};
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(zip, Fixture)

BOOST_AUTO_TEST_CASE(one_file_stays_as_it_is) {
  Rand rand(1);
  const std::string sound = "ID3" + rand.bytes(300'000);
  const Opened mp3_file = open(make_zip({{"folder/", ""}, {"folder/1.mp3", sound}}));
  BOOST_TEST((mp3_file.bytes == sound));
  BOOST_TEST(mp3_file.content_type == "audio/mpeg");
  BOOST_TEST(mp3_file.extension == ".mp3");
  const std::string wav = WavFile{6, 1, 8000, rand.bytes(1001), "with a list"}.bytes();
  const Opened stored = open(make_zip({{"13812345678.wav", wav}}, "zip:compression=store"));
  BOOST_TEST((stored.bytes == wav));
  BOOST_TEST(stored.extension == ".wav");
  BOOST_TEST(open(make_zip({{"1.V3", "something else"}})).extension == ".bin");
}

BOOST_AUTO_TEST_CASE(wav_files_of_one_kind_are_joined_by_name) {
  Rand rand(2);
  for (int i = 0; i < 30; ++i) {
    ZipEntries entries;
    std::vector<std::pair<std::string, std::string>> by_name;
    const std::size_t count = 2 + rand.below(6);
    for (std::size_t n = 0; n < count; ++n) {
      const std::string name =
          std::to_string(rand.below(1'000'000)) + "-" + std::to_string(n) + ".wav";
      const std::string samples = rand.bytes(rand.below(200'000));
      WavFile file = alaw(samples);
      file.list = rand.bytes(rand.below(100));
      entries.emplace_back(name, file.bytes());
      by_name.emplace_back(name, samples);
    }
    std::sort(by_name.begin(), by_name.end());
    std::string all;
    for (const auto& [name, samples] : by_name) all += samples;
    const Opened joined = open(make_zip(entries));
    const WavFile whole = alaw(all);
    const auto shape = read_wav(joined.bytes);
    BOOST_REQUIRE(shape.has_value());
    BOOST_TEST(shape->samples_of(joined.bytes.size()) == all.size());
    BOOST_TEST((joined.bytes.substr(shape->data_at, all.size()) == all));
    BOOST_TEST(joined.bytes.size() == shape->data_at + all.size() + all.size() % 2);
    BOOST_TEST(joined.content_type == "audio/wav");
  }
}

BOOST_AUTO_TEST_CASE(others_are_told_of) {
  const std::string wav = alaw("abcdefgh").bytes();
  BOOST_TEST(problem(make_zip({{"1", wav}, {"2", wav}, {"3", "ID3"}})) ==
             "a zip of 3 files of which 1 is no A-law, µ-law or PCM WAV");
  BOOST_TEST(problem(make_zip({{"1", wav}, {"2", WavFile{1, 1, 8000, "abcd", ""}.bytes()}})) ==
             "a zip of 2 WAV files of different formats");
  BOOST_TEST(problem(make_zip({{"x/", ""}})) == "the channel's zip holds no file");
}

BOOST_AUTO_TEST_CASE(bombs_and_rubbish_are_stopped) {
  const std::string bomb = make_zip({{"1.wav", std::string(5'000'000, '\0')}});
  BOOST_TEST(bomb.size() < 100'000U);
  BOOST_TEST(problem(bomb, 1'000'000) ==
             "the channel's zip holds more than recordings.most allows");
  BOOST_TEST(problem(bomb, 1000) == "the channel's zip is longer than recordings.most allows");
  ZipEntries many;
  for (int i = 0; i < 1001; ++i) many.emplace_back(std::to_string(i), "x");
  BOOST_TEST(problem(make_zip(many)) == "the channel's zip has more than 1000 entries");
  // Tomorrow they are no smaller.
  BOOST_CHECK_THROW(open(bomb, 1'000'000), SourceRefused);
  BOOST_CHECK_THROW(open(bomb, 1000), SourceRefused);
  BOOST_CHECK_THROW(open(make_zip(many)), SourceRefused);
  BOOST_TEST(!problem("PK\x03\x04 and then nothing").empty());
  BOOST_TEST(!problem("").empty());
  // Anything may be damaged; nothing may crash or go on for ever.
  Rand rand(3);
  const std::string good = make_zip(
      {{"1.wav", alaw(rand.bytes(3000)).bytes()}, {"2.wav", alaw(rand.bytes(3000)).bytes()}});
  int broken = 0;
  for (int i = 0; i < 300; ++i) {
    std::string bytes = good;
    for (int j = 0; j < 5; ++j)
      bytes[rand.below(bytes.size())] = static_cast<char>(rand.below(256));
    if (rand.one_in(3)) bytes.resize(rand.below(bytes.size()));
    broken += problem(bytes).empty() ? 0 : 1;
  }
  BOOST_TEST(broken > 100);
}

BOOST_AUTO_TEST_CASE(without_a_place_to_write_it_says_so) {
  const auto work = [&]() -> asio::awaitable<void> {
    TextSource source("x");
    auto keeping = keep_in_scratch(disk, folder.file("missing"), source, 10);
    co_await std::move(keeping);
  };
  BOOST_CHECK_EXCEPTION(run_until_done(io, work()), SourceBroken, [](const SourceBroken& broken) {
    return std::string(broken.what()).find("can't make one in") != std::string::npos;
  });
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(packed, RecordingFixture)

BOOST_AUTO_TEST_CASE(a_call_recorded_in_pieces_becomes_one_file) {
  Site& a = site();
  Rand rand(4);
  const std::string one = rand.bytes(70'000), two = rand.bytes(33'333);
  answers["/CCFS/resource/ccfs/downloadRecord"] = {http_answer(
      "200 OK", make_zip({{"b.wav", alaw(two).bytes()}, {"a.wav", alaw(one).bytes()}}))};
  const std::int64_t call = make_call(now_ms - 3'600'000, 1, "13812340000");
  sql("UPDATE call_record SET state = 'close' WHERE id = " + std::to_string(call));
  sql("INSERT INTO recording (call, file, tenant, channel, agent, channel_call_id, source, closed) "
      "VALUES (" +
      std::to_string(call) +
      ", 'audio', 'demo', 'hw', '291', '1476070409-38', "
      "'Y:/1.V3', 0)");
  a.run();
  const std::string bytes = store.objects.at(object_of(call, ".wav"));
  const auto shape = read_wav(bytes);
  BOOST_REQUIRE(shape.has_value());
  BOOST_TEST((bytes.substr(shape->data_at, one.size() + two.size()) == one + two));
  BOOST_TEST(row(call, "state, content_type, size") ==
             "stored|audio/wav|" + std::to_string(bytes.size()));
}

BOOST_AUTO_TEST_SUITE_END()
