// The spool directory: files of the dead, disks that fail or are full, and how few writes it takes.
#include <cerrno>

#include "keys.hpp"
#include "recorder_fixture.hpp"
#include "spool_file.hpp"

using namespace cc;
using namespace cc::test;

namespace {

struct DiskFixture : RecorderFixture {
  /// As a process that has died left it.
  std::string leave_file(int first, int last) {
    SpoolDirectory directory(spool());
    auto file = SpoolFile::create(directory, "ccd", delivery(first).received_ms);
    BOOST_REQUIRE(!!file);
    std::string bytes;
    for (int i = first; i <= last; ++i) {
      const Delivery made = delivery(i);
      const std::string envelope = encode_envelope(made);
      append_spool_record(bytes, (*file)->salt(),
                          {made.channel, partition_hash(made.subject, {}, made.body), envelope});
      answered.push_back(envelope);
    }
    BOOST_REQUIRE(!!(*file)->append(bytes));
    return (*file)->path();
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(disk, DiskFixture)

BOOST_AUTO_TEST_CASE(a_dead_processs_files_are_known_at_once_and_replayed) {
  leave_file(200, 299);
  leave_file(100, 199);
  redis.kill();
  begin();
  BOOST_TEST(recorder->oldest_ms() == delivery(100).received_ms);
  run([&]() -> asio::awaitable<void> {
    const std::string problem = co_await put(300);
    BOOST_TEST(problem == "");
    BOOST_TEST(recorder->oldest_ms() == delivery(100).received_ms);
    redis.start();
    co_await until_well();
    const auto all = co_await stream();
    BOOST_TEST(all.size() == 201u);
    co_await expect_all_stored();
    BOOST_TEST(files() == 0u);
    // And one that turns up later.
    leave_file(400, 409);
    co_await until([&] { return metrics.spool_replayed.Value() == 211; });
    co_await until_well();
    co_await expect_all_stored();
  });
}

BOOST_AUTO_TEST_CASE(damage_is_counted_and_costs_no_other_delivery) {
  const std::string torn = leave_file(1, 10);
  fs::resize_file(torn, fs::file_size(torn) - 10);
  answered.pop_back();
  const std::string hurt = leave_file(20, 29);
  std::fstream(hurt).seekp(static_cast<std::streamoff>(fs::file_size(hurt)) - 500) << "damage";
  std::ofstream(spool() + "/1-none.spool") << "no spool file";
  begin();
  run([&]() -> asio::awaitable<void> {
    co_await until([&] { return metrics.spool_replayed.Value() == 9 + 9; });
    co_await until_well();
    const auto all = co_await stream();
    BOOST_TEST(all.size() == 18u);
    BOOST_TEST(metrics.spool_damaged.Value() == 3);
    BOOST_TEST(fs::exists(hurt + ".damaged"));
    BOOST_TEST(fs::exists(spool() + "/1-none.spool.damaged"));
    BOOST_TEST(files() == 2u);
  });
}

BOOST_AUTO_TEST_CASE(a_file_that_cannot_be_replaced_by_a_healthy_one_is_a_problem_until_it_can) {
  redis.kill();
  begin();
  run([&]() -> asio::awaitable<void> {
    const std::string first = co_await put(1);
    BOOST_TEST(first == "");
    int number = 1;
    for (const std::string fault : {"fdatasync 5", "pwrite 28", "pwrite-half 28", "create 30",
                                    "rename 5", "fsync-directory 5"}) {
      BOOST_TEST_CONTEXT(fault) {
        // The file that is open is not to be used, or the later faults would not be met.
        faults(fault + "\nfdatasync 5");
        const std::string problem = co_await put(++number);
        BOOST_TEST(problem.find("Redis") != std::string::npos);
        BOOST_TEST(problem.find("spool: cannot") != std::string::npos);
        faults(fault);
        const std::string again = co_await put(number);
        BOOST_TEST(again.find("spool: cannot") != std::string::npos);
        BOOST_TEST(!recorder->health().ok);
        BOOST_TEST(recorder->oldest_ms() == delivery(1).received_ms);
        faults("");
        const std::string well = co_await put(number);
        BOOST_TEST(well == "");
        BOOST_TEST(recorder->health().ok);
      }
    }
    BOOST_TEST(metrics.recorder_refused.Value() == 12);
    redis.start();
    co_await until_well();
    co_await expect_all_stored();
    BOOST_TEST(metrics.spool_damaged.Value() == 0);
    BOOST_TEST(files() == 0u);
  });
}

BOOST_AUTO_TEST_CASE(a_directory_that_is_not_there_is_no_empty_one) {
  fs::remove(spool());
  redis.kill();
  begin();
  run([&]() -> asio::awaitable<void> {
    BOOST_TEST(recorder->oldest_ms() == 1);
    const std::string problem = co_await put(1);
    BOOST_TEST(problem.find("spool: cannot create") != std::string::npos);
    fs::create_directory(spool());
    const std::string again = co_await put(1);
    BOOST_TEST(again == "");
    redis.start();
    co_await until_well();
    co_await expect_all_stored();
  });
}

BOOST_AUTO_TEST_CASE(a_thousand_at_once_share_few_writes) {
  redis.kill();
  begin();
  run([&]() -> asio::awaitable<void> {
    const int taken = co_await put_at_once(1, 1000);
    BOOST_TEST(taken == 1000);
    BOOST_TEST(metrics.spool_writes.Value() <= 3);
    // Each of them bounded: 8 MB take several.
    const double before = metrics.spool_writes.Value();
    const int larger = co_await put_at_once(1001, 1800, 10'000);
    BOOST_TEST(larger == 800);
    BOOST_TEST(metrics.spool_writes.Value() - before >= 8);
    BOOST_TEST(metrics.spool_writes.Value() - before <= 20);
    redis.start();
    co_await until_well();
    co_await expect_all_stored();
  });
}

BOOST_AUTO_TEST_CASE(a_large_file_is_followed_by_another) {
  redis.kill();
  begin();
  run([&]() -> asio::awaitable<void> {
    const int taken = co_await put_at_once(1, 40, 500'000);
    BOOST_TEST(taken == 40);
    BOOST_TEST(files() == 2u);
    redis.start();
    co_await until_well();
    co_await expect_all_stored();
  });
}

BOOST_AUTO_TEST_CASE(beyond_its_bound_the_spool_takes_nothing_more) {
  config.spool.max = 100'000;
  redis.kill();
  begin();
  run([&]() -> asio::awaitable<void> {
    int number = 0;
    std::string problem;
    while (problem.empty() && number < 1000) problem = co_await put(++number, 1000);
    BOOST_TEST(problem.find("spool.max") != std::string::npos);
    BOOST_TEST(number > 80);
    BOOST_TEST(metrics.spool_bytes.Value() <= 100'000);
    BOOST_TEST(!recorder->health().ok);
    redis.start();
    co_await until_well();
    co_await expect_all_stored();
    redis.kill();
    co_await until([&] { return recorder->health().says != "Redis"; });
    const std::string again = co_await put(number, 1000);
    BOOST_TEST(again == "");
    BOOST_TEST(recorder->health().ok);
  });
}

BOOST_AUTO_TEST_SUITE_END()
