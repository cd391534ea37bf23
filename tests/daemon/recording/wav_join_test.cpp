// Headers of WAV files, read and made.
#include "recording/wav_join.hpp"

#include <boost/test/unit_test.hpp>

#include "../../unit/rand.hpp"
#include "wav_files.hpp"

using namespace cc;
using namespace cc::test;

BOOST_AUTO_TEST_SUITE(wav)

BOOST_AUTO_TEST_CASE(what_is_made_is_read_as_the_same) {
  Rand rand(8);
  for (int i = 0; i < 2000; ++i) {
    const unsigned code = rand.pick(std::vector<unsigned>{1, 6, 7});
    const unsigned channels = 1 + static_cast<unsigned>(rand.below(2));
    const WavFile file{code, channels, 8000, rand.bytes(rand.below(300)),
                       rand.bytes(rand.below(40))};
    const std::string bytes = file.bytes();
    const auto shape = read_wav(bytes);
    BOOST_REQUIRE(shape.has_value());
    BOOST_TEST(can_join(*shape));
    BOOST_TEST(shape->code() == code);
    const std::uint64_t samples = shape->samples_of(bytes.size());
    BOOST_TEST(samples == file.samples.size() - file.samples.size() % file.block());
    const auto header = wav_header(*shape, samples);
    BOOST_REQUIRE(header.has_value());
    const std::string made =
        *header + file.samples.substr(0, samples) + (samples % 2 == 1 ? "\0" : "");
    const auto again = read_wav(made);
    BOOST_REQUIRE(again.has_value());
    BOOST_TEST(again->format == shape->format);
    BOOST_TEST(again->data_size == samples);
    BOOST_TEST(again->data_at == header->size());
    BOOST_TEST(number_at(made, 4) + 8 == header->size() + samples + samples % 2);
    if (code != 1) BOOST_TEST(number_at(made, made.find("fact") + 8) == samples / file.block());
  }
}

BOOST_AUTO_TEST_CASE(sizes_that_lie_are_not_believed) {
  WavFile file{6, 1, 8000, std::string(100, 'a'), ""};
  std::string bytes = file.bytes();
  const std::size_t size_at = bytes.find("data") + 4;
  for (const std::string& lie :
       {std::string(4, '\xFF'), std::string(4, '\0'), std::string("\xFF\xFF\xFF\x7F", 4)}) {
    bytes.replace(size_at, 4, lie);
    const auto shape = read_wav(bytes);
    BOOST_REQUIRE(shape.has_value());
    BOOST_TEST(shape->samples_of(bytes.size()) == 100U);
    BOOST_TEST(shape->samples_of(10) == 0U);
  }
}

BOOST_AUTO_TEST_CASE(anything_else_is_none) {
  const std::string good = WavFile{6, 1, 8000, "abcd", ""}.bytes();
  for (std::size_t length = 0; length < good.find("data") + 8; ++length) {
    BOOST_TEST(!read_wav(std::string_view(good).substr(0, length)).has_value());
  }
  Rand rand(9);
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes = good;
    for (int j = 0; j < 3; ++j)
      bytes[rand.below(bytes.size())] = static_cast<char>(rand.below(256));
    if (const auto shape = read_wav(bytes)) {
      BOOST_TEST(shape->data_at <= bytes.size());
      BOOST_TEST(shape->samples_of(bytes.size()) <= bytes.size());
      BOOST_TEST(shape->block() >= 1U);
    }
  }
  BOOST_TEST(!wav_header(*read_wav(good), 0xFFFFFFFF).has_value());
  BOOST_TEST(!can_join(*read_wav(WavFile{0x11, 1, 8000, "abcd", ""}.bytes())));
}

BOOST_AUTO_TEST_SUITE_END()
