#include "spool_format.hpp"

#include <vector>

#include <boost/test/unit_test.hpp>

#include "rand.hpp"

using namespace cc;
using namespace std::string_literals;
using cc::test::Rand;
using Kind = SpoolStep::Kind;

namespace {

constexpr std::uint64_t salt = 0x0123456789abcdefU;

std::string record(std::string_view channel, std::uint32_t hash, std::string_view envelope,
                   std::uint64_t with_salt = salt) {
  std::string bytes;
  BOOST_REQUIRE(append_spool_record(bytes, with_salt, {channel, hash, envelope}));
  return bytes;
}

struct Read {
  std::vector<std::string> envelopes;
  unsigned damaged = 0;
};

/// Whole bytes at once, to their end.
Read read_all(std::string_view bytes) {
  Read read;
  while (true) {
    const auto step = next_spool_record(bytes, true, salt);
    if (step.kind == Kind::end) return read;
    BOOST_REQUIRE(step.kind != Kind::partial);
    BOOST_REQUIRE(step.consumed > 0 && step.consumed <= bytes.size());
    if (step.kind == Kind::record) {
      read.envelopes.emplace_back(step.record.envelope);
    } else {
      ++read.damaged;
    }
    bytes.remove_prefix(step.consumed);
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(spool_format_test)

BOOST_AUTO_TEST_CASE(a_header_is_read_as_it_was_written) {
  const auto text = encode_spool_header({salt, 1458813382123, "nginx 7\n"});
  BOOST_TEST(text == "cc-spool v1 0123456789abcdef 1458813382123 nginx-7-\n");
  std::size_t length = 0;
  const auto header = decode_spool_header(text + "more", length);
  BOOST_REQUIRE(header);
  BOOST_TEST(length == text.size());
  BOOST_TEST(header->salt == salt);
  BOOST_TEST(header->created_ms == 1458813382123);
  BOOST_TEST(header->writer == "nginx-7-");
}

BOOST_AUTO_TEST_CASE(headers_that_are_none_are_named) {
  std::size_t length = 0;
  for (std::string text :
       {""s, "\n"s, "hello\n"s, "cc-spool v1 123 4 x\n"s, "cc-spool v1\n"s,
        "cc-spool v1 0123456789abcdeg 1 x\n"s, "cc-spool v1 0123456789abcdef -1 x\n"s,
        "cc-spool v1 0123456789abcdef 1 x"s, std::string(1000, 'x')}) {
    const auto header = decode_spool_header(text, length);
    BOOST_REQUIRE(!header);
    BOOST_TEST(header.error().message.find("no spool file of CC") == 0U, text);
  }
  const auto newer = decode_spool_header("cc-spool v2 0123456789abcdef 1 x\n", length);
  BOOST_REQUIRE(!newer);
  BOOST_TEST(newer.error().message.find("'v2'") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_record_is_read_as_it_was_written) {
  for (std::string envelope : {""s, "v1 1 callback - - - -\nbody"s, std::string(100'000, '\xCC'),
                               "\0\r\n\xCC\x53\x50\x31"s}) {
    const auto bytes = record("e9", 0xDEADBEEF, envelope);
    const auto longer = bytes + "next";
    const auto step = next_spool_record(longer, false, salt);
    BOOST_TEST((step.kind == Kind::record));
    BOOST_TEST(step.consumed == bytes.size());
    BOOST_TEST(step.record.channel == "e9");
    BOOST_TEST(step.record.partition_hash == 0xDEADBEEFU);
    BOOST_TEST(step.record.envelope == envelope);
  }
}

BOOST_AUTO_TEST_CASE(what_is_beyond_the_bounds_is_refused) {
  std::string bytes = "before";
  BOOST_TEST(!append_spool_record(bytes, salt, {std::string(256, 'c'), 0, ""}));
  const std::string large(max_spool_payload + 1, 'x');
  BOOST_TEST(!append_spool_record(bytes, salt, {"e9", 0, large}));
  BOOST_TEST(bytes == "before");
}

BOOST_AUTO_TEST_CASE(a_part_of_a_record_asks_for_the_rest) {
  const auto bytes = record("e9", 1, "envelope");
  for (std::size_t n = 1; n < bytes.size(); ++n) {
    const auto step = next_spool_record(std::string_view(bytes).substr(0, n), false, salt);
    BOOST_TEST((step.kind == Kind::partial));
    BOOST_TEST(step.wanted > n);
    BOOST_TEST(step.wanted <= bytes.size());
    const auto torn = next_spool_record(std::string_view(bytes).substr(0, n), true, salt);
    BOOST_TEST((torn.kind == Kind::damaged));
    BOOST_TEST(torn.consumed == n);
  }
}

BOOST_AUTO_TEST_CASE(one_bad_byte_costs_one_record) {
  const std::string whole =
      record("e9", 1, "first") + record("e9", 2, "second") + record("e9", 3, "third");
  const std::size_t begin = record("e9", 1, "first").size();
  const std::size_t end = begin + record("e9", 2, "second").size();
  for (std::size_t at = begin; at < end; ++at) {
    std::string bad = whole;
    bad[at] = static_cast<char>(bad[at] ^ 0x40);
    const auto read = read_all(bad);
    BOOST_TEST((read.envelopes == std::vector<std::string>{"first", "third"}), at);
    BOOST_TEST(read.damaged == 1U);
  }
}

BOOST_AUTO_TEST_CASE(a_record_of_another_file_is_none) {
  const auto inner = record("e9", 1, "forged", salt + 1);
  const auto read = read_all(record("e9", 1, "true") + inner + record("e9", 2, "also"));
  BOOST_TEST((read.envelopes == std::vector<std::string>{"true", "also"}));
  BOOST_TEST(read.damaged == 1U);
}

BOOST_AUTO_TEST_CASE(whatever_is_torn_out_the_rest_is_read) {
  Rand rand(11);
  for (int round = 0; round < 2000; ++round) {
    std::vector<std::string> envelopes;
    std::string bytes;
    std::vector<std::pair<std::size_t, std::size_t>> places;
    const auto count = 1 + rand.below(8);
    for (std::uint64_t i = 0; i < count; ++i) {
      envelopes.push_back("envelope " + std::to_string(i) + std::string(rand.below(200), '\xCC'));
      const auto begin = bytes.size();
      bytes += record("e9", static_cast<std::uint32_t>(i), envelopes.back());
      places.emplace_back(begin, bytes.size());
    }
    // A hole, as of a sector that was never written.
    const auto from = rand.below(bytes.size());
    const auto length = std::min<std::size_t>(rand.below(400), bytes.size() - from);
    std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(from), length, '\0');
    std::vector<std::string> expected;
    for (std::size_t i = 0; i < envelopes.size(); ++i) {
      const bool hit = length > 0 && places[i].first < from + length && from < places[i].second;
      if (!hit) expected.push_back(envelopes[i]);
    }
    const auto read = read_all(bytes);
    // A hole of zeros can fall on zeros: then the record is whole.
    for (const auto& envelope : expected) {
      BOOST_REQUIRE(std::find(read.envelopes.begin(), read.envelopes.end(), envelope) !=
                    read.envelopes.end());
    }
    for (const auto& envelope : read.envelopes) {
      BOOST_REQUIRE(std::find(envelopes.begin(), envelopes.end(), envelope) != envelopes.end());
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
