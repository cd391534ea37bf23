// Spool files on a real disk: what is appended is read, whoever reads it, and only once nobody
// writes.
#include "spool_file.hpp"

#include <filesystem>
#include <fstream>
#include <stdlib.h>

#include <boost/test/unit_test.hpp>

using namespace cc;
namespace fs = std::filesystem;

namespace {

struct Fixture {
  Fixture() {
    char name[] = "/tmp/cc-spool-XXXXXX";
    BOOST_REQUIRE(::mkdtemp(name) != nullptr);
    directory = name;
    opened = SpoolDirectory(directory);
  }
  ~Fixture() { fs::remove_all(directory); }

  std::unique_ptr<SpoolFile> begin(std::int64_t created_ms = 1000) {
    auto made = SpoolFile::create(opened, "unit", created_ms);
    BOOST_REQUIRE(made);
    return *std::move(made);
  }

  void append(SpoolFile& file, int first, int last) {
    std::string bytes;
    for (int i = first; i <= last; ++i) {
      BOOST_REQUIRE(append_spool_record(bytes, file.salt(),
                                        {"e9", static_cast<std::uint32_t>(i), envelope(i)}));
    }
    BOOST_REQUIRE(file.append(bytes));
  }

  static std::string envelope(int i) { return "envelope " + std::to_string(i); }

  std::vector<SpoolEntry> listed() {
    auto listing = list_spool(directory);
    BOOST_REQUIRE(listing);
    return listing->files;
  }

  std::unique_ptr<SpoolReader> adopt(const SpoolEntry& entry) {
    auto adoption = SpoolReader::adopt(directory, entry.name);
    BOOST_TEST(adoption.trouble.message == "");
    return std::move(adoption.reader);
  }

  unsigned files_of_any_kind() {
    return static_cast<unsigned>(
        std::distance(fs::directory_iterator(directory), fs::directory_iterator{}));
  }

  std::string directory;
  SpoolDirectory opened{""};
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(spool_file_test, Fixture)

BOOST_AUTO_TEST_CASE(what_was_appended_is_read_in_order) {
  auto file = begin();
  BOOST_TEST(listed().empty());  // nameless until something in it is on disk
  append(*file, 1, 3);
  append(*file, 4, 10);
  BOOST_REQUIRE_EQUAL(listed().size(), 1U);
  const auto entry = listed().front();
  BOOST_TEST(entry.created_ms == 1000);
  BOOST_TEST(entry.bytes == file->bytes());
  BOOST_TEST(fs::file_size(directory + "/" + entry.name) == file->bytes());
  BOOST_TEST(adopt(entry) == nullptr);  // somebody writes to it
  file.reset();

  auto reader = adopt(entry);
  BOOST_REQUIRE(reader != nullptr);
  BOOST_TEST(adopt(entry) == nullptr);  // somebody reads it
  int expected = 1;
  while (!reader->finished()) {
    const auto records = reader->read(3, 1 << 20);
    BOOST_REQUIRE(records);
    for (const auto& record : *records) {
      BOOST_TEST(record.envelope == envelope(expected));
      BOOST_TEST(record.partition_hash == static_cast<unsigned>(expected));
      ++expected;
    }
    reader->confirm(records->size());
  }
  BOOST_TEST(expected == 11);
  BOOST_TEST(reader->damaged() == 0U);
  BOOST_TEST(!!reader->remove());
  BOOST_TEST(files_of_any_kind() == 0U);
}

BOOST_AUTO_TEST_CASE(what_is_not_confirmed_is_read_again) {
  auto file = begin();
  append(*file, 1, 5);
  const auto entry = listed().front();
  file.reset();
  auto reader = adopt(entry);
  BOOST_TEST(reader->read(3, 1 << 20)->size() == 3U);
  BOOST_TEST(reader->read(3, 1 << 20)->front().envelope == envelope(1));
  reader->confirm(2);
  const auto records = reader->read(10, 1 << 20);
  BOOST_TEST(records->size() == 3U);
  BOOST_TEST(records->front().envelope == envelope(3));
  reader.reset();
  // A reader that ended before the file's end leaves all of it to the next one.
  BOOST_TEST(adopt(entry)->read(10, 1 << 20)->size() == 5U);
}

BOOST_AUTO_TEST_CASE(batches_are_bounded_by_bytes_but_never_empty) {
  auto file = begin();
  std::string bytes;
  const std::string large(600'000, 'x');
  for (std::uint32_t i = 0; i < 3; ++i) append_spool_record(bytes, file->salt(), {"e9", i, large});
  BOOST_REQUIRE(file->append(bytes));
  const auto entry = listed().front();
  file.reset();
  auto reader = adopt(entry);
  for (std::uint32_t i = 0; i < 3; ++i) {
    const auto records = reader->read(64, 256 * 1024);
    BOOST_REQUIRE_EQUAL(records->size(), 1U);
    BOOST_TEST(records->front().partition_hash == i);
    BOOST_TEST(records->front().envelope == large);
    reader->confirm(1);
  }
  BOOST_TEST(reader->read(64, 256 * 1024)->empty());
  BOOST_TEST(reader->finished());
}

BOOST_AUTO_TEST_CASE(files_are_listed_oldest_first) {
  for (std::int64_t ms : {3000, 900, 20'000}) append(*begin(ms), 1, 1);
  const auto files = listed();
  BOOST_REQUIRE_EQUAL(files.size(), 3U);
  BOOST_TEST(files[0].created_ms == 900);
  BOOST_TEST(files[1].created_ms == 3000);
  BOOST_TEST(files[2].created_ms == 20'000);
}

BOOST_AUTO_TEST_CASE(a_file_that_nothing_was_appended_to_leaves_nothing) {
  begin().reset();
  BOOST_TEST(files_of_any_kind() == 0U);
}

BOOST_AUTO_TEST_CASE(a_torn_end_is_no_reason_to_keep_the_file) {
  auto file = begin();
  append(*file, 1, 2);
  const auto entry = listed().front();
  file.reset();
  const std::string path = directory + "/" + entry.name;
  fs::resize_file(path, fs::file_size(path) - 1);
  auto reader = adopt(entry);
  const auto records = reader->read(64, 1 << 20);
  BOOST_TEST(records->size() == 1U);
  reader->confirm(1);
  BOOST_TEST(reader->read(64, 1 << 20)->empty());
  BOOST_TEST(reader->damaged() == 1U);
  BOOST_TEST(!!reader->remove());
  BOOST_TEST(files_of_any_kind() == 0U);
}

BOOST_AUTO_TEST_CASE(damage_within_is_counted_once_and_the_file_kept) {
  auto file = begin();
  append(*file, 1, 9);
  const auto entry = listed().front();
  const auto size = file->bytes();
  file.reset();
  const std::string path = directory + "/" + entry.name;
  std::fstream out(path, std::ios::in | std::ios::out | std::ios::binary);
  out.seekp(static_cast<std::streamoff>(size / 2));
  out.write("\0\0\0\0\0\0\0\0", 8);
  out.close();
  auto reader = adopt(entry);
  std::size_t found = 0;
  while (!reader->finished()) {
    const auto records = reader->read(2, 1 << 20);
    found += records->size();
    reader->confirm(records->size());
  }
  BOOST_TEST(found >= 7U);
  BOOST_TEST(reader->damaged() == 1U);
  BOOST_TEST(!!reader->remove());
  BOOST_TEST(listed().empty());
  BOOST_TEST(list_spool(directory)->damaged == 1U);
}

BOOST_AUTO_TEST_CASE(strangers_are_put_aside_or_left_alone) {
  std::ofstream(directory + "/5-x.spool") << "no header";
  std::ofstream(directory + "/readme.txt") << "left alone";
  fs::create_symlink("/etc/passwd", directory + "/6-link.spool");
  fs::create_directory(directory + "/7-directory.spool");
  BOOST_REQUIRE_EQUAL(listed().size(), 1U);
  const auto adopted = SpoolReader::adopt(directory, "5-x.spool");
  BOOST_TEST(adopted.reader == nullptr);
  BOOST_TEST(adopted.put_aside);
  BOOST_TEST(adopted.trouble.message.find("5-x.spool") != std::string::npos);
  BOOST_TEST(listed().empty());
  BOOST_TEST(list_spool(directory)->damaged == 1U);
  const auto gone = SpoolReader::adopt(directory, "8-gone.spool");
  BOOST_TEST(gone.reader == nullptr);
  BOOST_TEST(gone.trouble.message == "");
}

BOOST_AUTO_TEST_CASE(a_newer_versions_file_is_left_as_it_is) {
  std::ofstream(directory + "/5-x.spool") << "cc-spool v2 0123456789abcdef 1 x\nwho knows";
  const auto adopted = SpoolReader::adopt(directory, "5-x.spool");
  BOOST_TEST(adopted.reader == nullptr);
  BOOST_TEST(!adopted.put_aside);
  BOOST_TEST(adopted.trouble.message.find("'v2'") != std::string::npos);
  BOOST_TEST(listed().size() == 1U);
}

BOOST_AUTO_TEST_CASE(damage_up_to_the_end_is_no_torn_entry) {
  auto file = begin();
  append(*file, 1, 5);
  const auto entry = listed().front();
  const auto size = file->bytes();
  file.reset();
  std::fstream out(directory + "/" + entry.name, std::ios::in | std::ios::out | std::ios::binary);
  out.seekp(static_cast<std::streamoff>(size - 60));
  out.write(std::string(60, '\0').data(), 60);
  out.close();
  auto reader = adopt(entry);
  while (!reader->finished()) reader->confirm(reader->read(64, 1 << 20)->size());
  BOOST_TEST(reader->damaged() == 1U);
  BOOST_TEST(!!reader->remove());
  BOOST_TEST(listed().empty());
  BOOST_TEST(list_spool(directory)->damaged == 1U);
}

BOOST_AUTO_TEST_CASE(a_directory_that_is_not_there_is_named) {
  const auto listing = list_spool(directory + "/missing");
  BOOST_REQUIRE(!listing);
  BOOST_TEST(listing.error().message.find("/missing") != std::string::npos);
  SpoolDirectory missing(directory + "/missing");
  const auto made = SpoolFile::create(missing, "unit", 1);
  BOOST_REQUIRE(!made);
  BOOST_TEST(made.error().message.find("/missing") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
