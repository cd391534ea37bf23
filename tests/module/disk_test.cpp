// A disk under the spool that fails: nothing is answered 200 that isn't safe, nothing that is safe
// is lost, and all is well again once the disk is.
#include <cerrno>
#include <fstream>
#include <set>

#include <boost/test/unit_test.hpp>

#include "stack.hpp"

using namespace cc::test;

namespace {

struct Fixture {
  Fixture()
      : redis({"--appendonly", "yes", "--appendfsync", "always"}),
        nginx({.http = "cc_redis " + redis.address() + ";",
               .main = "env CC_FAULTY_DISK;",  // NGINX takes a worker's environment away
               .env = {{"LD_PRELOAD", CC_TEST_FAULTY_DISK},
                       {"CC_FAULTY_DISK", folder.file("faults")}}}) {
    BOOST_REQUIRE(wait_for_links(nginx.socket()));
  }
  ~Fixture() {
    expect_clean(nginx);
    BOOST_TEST(nginx.error_log().find(token_now) == std::string::npos);
  }

  void faults(const std::string& text) { std::ofstream(folder.file("faults")) << text << "\n"; }

  void lose_redis() {
    redis.kill();
    BOOST_REQUIRE(eventually([&] { return !links_up(nginx.socket()); }));
  }

  /// Sends callback `number` and remembers it if it was answered 200.
  int call_back(unsigned number) {
    auto response = ask(nginx.socket(), post(callback_path(token_now), callback_body(number)));
    BOOST_REQUIRE(response);
    if (response->status == 200) answered.insert(callback_body(number));
    return response->status;
  }

  void expect_all_stored() {
    BOOST_TEST(wait_for_empty_spool(nginx.socket()));
    std::set<std::string> stored;
    for (const auto& entry : entries(redis.socket())) stored.insert(raw_of(entry));
    for (const auto& body : answered) BOOST_TEST(stored.contains(body));
  }

  bool logged(const std::string& text) { return nginx.error_log().find(text) != std::string::npos; }

  TempDir folder;
  RedisServer redis;
  Nginx nginx;
  std::set<std::string> answered;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(disk_test, Fixture)

BOOST_AUTO_TEST_CASE(a_failed_fdatasync_abandons_the_file_and_takes_another) {
  lose_redis();
  BOOST_TEST(call_back(1) == 200);
  faults("fdatasync " + std::to_string(EIO));
  BOOST_TEST(call_back(2) == 503);  // the new file cannot be synced either
  BOOST_TEST(logged("cannot fdatasync"));
  faults("");
  BOOST_TEST(call_back(3) == 200);
  BOOST_TEST(logged("can be written again"));
  BOOST_TEST(status_number(nginx.socket(), "spool.files") == 2);  // never the same file again
  redis.start();
  expect_all_stored();
}

BOOST_AUTO_TEST_CASE(a_full_disk_is_a_503_and_leaves_no_torn_record) {
  lose_redis();
  BOOST_TEST(call_back(1) == 200);
  for (std::string fault : {"pwrite ", "pwrite-half "}) {
    faults(fault + std::to_string(ENOSPC));
    BOOST_TEST(call_back(2) == 503);
    BOOST_TEST(call_back(3) == 503);
    faults("");
    BOOST_TEST(call_back(fault == "pwrite " ? 4 : 5) == 200);
  }
  BOOST_TEST(logged("No space left on device"));
  BOOST_TEST(status_number(nginx.socket(), "failed.redis_down") == 4);
  redis.start();
  expect_all_stored();
  BOOST_TEST(status_number(nginx.socket(), "spool_damaged") == 0);
}

BOOST_AUTO_TEST_CASE(a_read_only_directory_is_a_503_while_redis_is_away_only) {
  faults("create " + std::to_string(EROFS));
  BOOST_TEST(call_back(1) == 200);
  lose_redis();
  BOOST_TEST(call_back(2) == 503);
  BOOST_TEST(logged("Read-only file system"));
  redis.start();
  BOOST_REQUIRE(wait_for_links(nginx.socket()));
  BOOST_TEST(call_back(3) == 200);
  expect_all_stored();
}

BOOST_AUTO_TEST_CASE(a_new_file_whose_name_is_not_on_disk_is_none) {
  for (std::string fault : {"rename ", "fsync-directory "}) {
    lose_redis();
    faults(fault + std::to_string(EIO));
    BOOST_TEST(call_back(1) == 503);
    faults("");
    BOOST_TEST(call_back(fault == "rename " ? 2 : 3) == 200);
    redis.start();
    BOOST_REQUIRE(wait_for_links(nginx.socket()));
    expect_all_stored();
  }
}

BOOST_AUTO_TEST_CASE(above_the_high_water_mark_redis_is_the_last_resort) {
  // Redis was only spared: where the spool fails it is asked after all.
  redis.cli({"CONFIG", "SET", "maxmemory", "0"});
  faults("create " + std::to_string(ENOSPC));
  std::ofstream(nginx.folder().file("nginx.conf"), std::ios::app) << "# reloaded\n";
  std::string conf = read_file(nginx.folder().file("nginx.conf"));
  conf.replace(conf.find("cc_spool "), 0, "cc_stream cc:events: high_water=256; ");
  std::ofstream(nginx.folder().file("nginx.conf")) << conf;
  const auto before = nginx.workers();
  nginx.reload();
  BOOST_REQUIRE(eventually([&] {
    return nginx.workers().size() == 1 && nginx.workers() != before && links_up(nginx.socket());
  }));
  for (unsigned i = 1; i <= 256; ++i) BOOST_REQUIRE(call_back(i) == 200);
  unsigned last = 256;
  BOOST_REQUIRE(eventually([&] {
    BOOST_REQUIRE(call_back(++last) == 200);
    return logged("high-water mark");
  }));
  for (int i = 0; i < 10; ++i) BOOST_TEST(call_back(++last) == 200);
  BOOST_TEST(status_number(nginx.socket(), "spool_errors") > 0);
  BOOST_TEST(status_number(nginx.socket(), "spooled.stream_full") == 0);
  expect_all_stored();
}

BOOST_AUTO_TEST_SUITE_END()
