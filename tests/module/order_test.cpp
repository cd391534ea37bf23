// "Answered" means "on disk": seen in the worker's system calls.
#include <algorithm>
#include <sstream>

#include <boost/test/unit_test.hpp>

#include "stack.hpp"

using namespace cc::test;

namespace {

const std::string strace = "/usr/bin/strace";

/// The worker's system calls from here to the destructor's end, a line each.
class Trace {
 public:
  explicit Trace(pid_t worker)
      : process_({.command = {strace, "-p", std::to_string(worker), "-y", "-s", "64", "-o",
                              folder_.file("trace"), "-e",
                              "trace=openat,write,writev,pwrite64,fdatasync,fsync,rename,sendto,"
                              "sendmsg"},
                  .output = folder_.file("strace.log"),
                  .end_signal = SIGINT}) {
    // It says so once it follows the worker.
    BOOST_REQUIRE(eventually([&] {
      return read_file(folder_.file("strace.log")).find("attached") != std::string::npos;
    }));
  }
  std::vector<std::string> stop() {
    process_.end();
    std::istringstream text(read_file(folder_.file("trace")));
    std::vector<std::string> lines;
    for (std::string line; std::getline(text, line);) lines.push_back(line);
    return lines;
  }

 private:
  TempDir folder_;
  Process process_;
};

/// The place of the first line from `from` on that holds both texts; the end where there is none.
std::size_t place(const std::vector<std::string>& lines, const std::string& call,
                  const std::string& text, std::size_t from = 0) {
  for (std::size_t i = from; i < lines.size(); ++i) {
    if (lines[i].find(call) == 0 && lines[i].find(text) != std::string::npos) return i;
  }
  return lines.size();
}

std::string joined(const std::vector<std::string>& lines) {
  std::string all;
  for (const auto& line : lines) all += line + "\n";
  return all;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(order_test)

BOOST_AUTO_TEST_CASE(the_spool_is_on_disk_before_the_answer_leaves) {
  RedisServer redis;
  Nginx nginx({.http = "cc_redis " + redis.address() + ";"});
  BOOST_REQUIRE(wait_for_links(nginx.socket()));
  redis.kill();
  BOOST_REQUIRE(eventually([&] { return !links_up(nginx.socket()); }));
  Trace trace(nginx.workers().at(0));
  for (unsigned i = 1; i <= 2; ++i) {
    BOOST_TEST(ask(nginx.socket(), post(callback_path(token_now), callback_body(i)))->status ==
               200);
  }
  auto lines = trace.stop();

  // A new file: its bytes, its name, the directory that holds the name, the answer.
  const auto header = place(lines, "pwrite64", "cc-spool v1");
  const auto record = place(lines, "pwrite64", ".spool", header + 1);
  const auto synced = place(lines, "fdatasync", ".spool", record);
  const auto named = place(lines, "rename", ".spool", synced);
  const auto directory = place(lines, "fsync", "/spool", named);
  const auto answered = place(lines, "writev", "HTTP/1.1 200");
  BOOST_TEST(header < record, joined(lines));
  BOOST_TEST(record < synced, joined(lines));
  BOOST_TEST(synced < named, joined(lines));
  BOOST_TEST(named < directory, joined(lines));
  BOOST_TEST(directory < answered, joined(lines));
  BOOST_TEST(answered < lines.size(), joined(lines));
  // The second callback: the same file, one write and one sync, then the answer.
  const auto next_record = place(lines, "pwrite64", ".spool", answered);
  const auto next_synced = place(lines, "fdatasync", ".spool", next_record);
  const auto next_answered = place(lines, "writev", "HTTP/1.1 200", answered + 1);
  BOOST_TEST(next_record < next_synced, joined(lines));
  BOOST_TEST(next_synced < next_answered, joined(lines));
  BOOST_TEST(next_answered < lines.size(), joined(lines));
  BOOST_TEST(place(lines, "rename", ".spool", answered) == lines.size());
  expect_clean(nginx);
}

BOOST_AUTO_TEST_CASE(all_that_a_tick_spools_shares_one_fdatasync) {
  RedisServer redis;
  Nginx nginx({.http = "cc_redis " + redis.address() + ";"});
  BOOST_REQUIRE(wait_for_links(nginx.socket()));
  std::vector<std::unique_ptr<Connection>> connections;
  for (unsigned i = 0; i < 32; ++i) {
    connections.push_back(std::make_unique<Connection>(nginx.socket()));
    connections.back()->send(post(callback_path(token_now), callback_body(i)));
    BOOST_TEST(connections.back()->receive()->status == 200);  // accepted, and known to its worker
  }
  redis.kill();
  BOOST_REQUIRE(eventually([&] { return !links_up(nginx.socket()); }));
  pid_t worker = nginx.workers().at(0);
  Trace trace(worker);
  halt(worker);
  for (unsigned i = 0; i < 32; ++i) {
    connections[i]->send(post(callback_path(token_now), callback_body(100 + i)));
  }
  ::kill(worker, SIGCONT);
  for (auto& connection : connections) BOOST_TEST(connection->receive()->status == 200);
  auto lines = trace.stop();
  BOOST_TEST(std::ranges::count_if(
                 lines, [](const auto& line) { return line.find("fdatasync") == 0; }) == 1,
             joined(lines));
  redis.start();
  BOOST_TEST(wait_for_empty_spool(nginx.socket()));
  BOOST_TEST(status_number(nginx.socket(), "replayed") == 32);
  expect_clean(nginx);
}

BOOST_AUTO_TEST_SUITE_END()
