#include <filesystem>
#include <fstream>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

#include "rig.hpp"

using namespace cc;
using namespace cc::test;
using std::chrono::milliseconds;
using std::chrono::seconds;
namespace fs = std::filesystem;

namespace {

const std::string call_path = "/v1/calls/" + std::to_string(FakeCalls::first_id);
const std::string poll_text =
    request_text("GET", call_path + "?version=1&wait=60", "Authorization: Bearer full-key\r\n");

struct Folder {
  Folder() : path(fs::temp_directory_path() / ("cc-api-" + std::to_string(::getpid()))) {
    fs::create_directories(path);
  }
  ~Folder() { fs::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  fs::path path;
};

void wait_until(const std::function<bool()>& condition) {
  for (int i = 0; i < 500 && !condition(); ++i) std::this_thread::sleep_for(milliseconds(10));
  BOOST_TEST(condition());
}

void wait_for_poll(Rig& rig, std::size_t count = 1) {
  wait_until([&] { return rig.calls.waiting() == count; });
}

/// A socket file whose owner is gone, as after a crash.
void leave_stale_socket(const std::string& path) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  path.copy(name.sun_path, sizeof name.sun_path - 1);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  BOOST_REQUIRE(::bind(fd, reinterpret_cast<sockaddr*>(&name), sizeof name) == 0);
  ::close(fd);
}

Config unix_config(const std::string& path) {
  Config config = make_config();
  config.http.listen = {"unix:" + path};
  return config;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(drain_test)

BOOST_AUTO_TEST_CASE(draining_answers_long_polls_and_closes_what_idles) {
  Rig rig;
  rig.calls.put(make_record(FakeCalls::first_id));
  Client idle(rig.address);
  idle.send(request_text("GET", "/healthz", ""));
  BOOST_TEST(idle.receive().status == 200);
  Client fresh(rig.address);  // has not said anything yet
  Client poll(rig.address);
  poll.send(poll_text);
  wait_for_poll(rig);
  const auto begun = std::chrono::steady_clock::now();
  auto drained = rig.drain(seconds(20));
  const Reply reply = poll.receive();
  BOOST_TEST(reply.status == 200);
  BOOST_TEST(reply.header("connection") == "close");
  BOOST_TEST(reply.json().as_object().at("version").as_int64() == 1);
  BOOST_TEST(poll.closed_within(seconds(3)));
  BOOST_TEST(idle.closed_within(seconds(3)));
  BOOST_TEST(fresh.closed_within(seconds(3)));
  drained.get();
  BOOST_TEST((std::chrono::steady_clock::now() - begun < seconds(5)));
  BOOST_CHECK_THROW(Client{rig.address}, std::runtime_error);
}

BOOST_AUTO_TEST_CASE(a_request_half_sent_is_still_served) {
  Rig rig;
  const std::string text =
      request_text("POST", "/v1/calls", "Authorization: Bearer full-key\r\n", good_body);
  Client client(rig.address);
  client.send(text.substr(0, 40));
  wait_until([&] { return rig.connections() == 1; });
  std::this_thread::sleep_for(milliseconds(100));
  auto drained = rig.drain(seconds(20));
  std::this_thread::sleep_for(milliseconds(100));
  client.send(text.substr(40));
  const Reply reply = client.receive();
  BOOST_TEST(reply.status == 202);
  BOOST_TEST(reply.header("connection") == "close");
  BOOST_TEST(client.closed_within(seconds(3)));
  drained.get();
}

BOOST_AUTO_TEST_CASE(what_does_not_end_is_cut) {
  Rig rig;
  rig.calls.put(make_record(FakeCalls::first_id));
  Script script;
  script.ignores_end_waits = true;
  rig.calls.set(script);
  Client poll(rig.address);
  poll.send(poll_text);
  wait_for_poll(rig);
  auto drained = rig.drain(milliseconds(200));
  drained.get();
  BOOST_TEST(poll.closed_within(seconds(2)));
  BOOST_TEST(poll.unread() == "");
}

BOOST_AUTO_TEST_CASE(new_keys_count_from_the_next_request_on) {
  Rig rig;
  Client client(rig.address);
  const std::string text = request_text("GET", "/v1/calls/1", "Authorization: Bearer full-key\r\n");
  client.send(text);
  BOOST_TEST(client.receive().status == 404);
  Config config = make_config();
  config.tenants.at("acme").keys.erase(config.tenants.at("acme").keys.begin() + 2);  // full
  config.http.max_body = 1024;
  rig.on_loop([&] { rig.server->reconfigure(config); });
  client.send(text);
  BOOST_TEST(client.receive().status == 401);
  BOOST_TEST(rig.post(std::string(2000, ' ') + good_body, {}, "root").status == 413);
}

BOOST_AUTO_TEST_CASE(a_unix_socket_is_closed_to_strangers_and_tidied_up) {
  const Folder folder;
  const std::string path = (folder.path / "api.sock").string();
  leave_stale_socket(path);
  {
    Rig rig(unix_config(path));
    struct stat status {};
    BOOST_REQUIRE(::stat(path.c_str(), &status) == 0);
    BOOST_TEST((status.st_mode & 0777U) == 0660U);
    BOOST_TEST(rig.address == "unix:" + path);
    BOOST_TEST(rig.ask("GET", "/healthz", "").status == 200);
    BOOST_TEST(rig.post(good_body).status == 202);
    // A second daemon must not take the socket away from the first.
    BOOST_CHECK_EXCEPTION(
        Rig{unix_config(path)}, std::runtime_error, [](const std::runtime_error& error) {
          return std::string(error.what()).find("another process answers") != std::string::npos;
        });
    BOOST_TEST(rig.ask("GET", "/healthz", "").status == 200);
    rig.drain(seconds(5)).get();
    BOOST_TEST(!fs::exists(path));
    leave_stale_socket(path);  // somebody else's by now
  }
  BOOST_TEST(fs::exists(path));
  fs::remove(path);
  std::ofstream(path) << "precious";
  BOOST_CHECK_THROW(Rig{unix_config(path)}, std::runtime_error);
  BOOST_TEST(fs::file_size(path) == 8U);
}

BOOST_AUTO_TEST_CASE(an_address_in_use_is_named) {
  Rig rig;
  Config config = make_config();
  config.http.listen = {rig.address};
  BOOST_CHECK_EXCEPTION(Rig{config}, std::runtime_error, [&](const std::runtime_error& error) {
    return std::string(error.what()).find(rig.address) != std::string::npos;
  });
}

BOOST_AUTO_TEST_CASE(several_addresses_at_once) {
  const Folder folder;
  Config config = make_config();
  config.http.listen = {"127.0.0.1:0", "unix:" + (folder.path / "a.sock").string(), "127.0.0.1:0"};
  Rig rig(config);
  const auto addresses = rig.server->bound_addresses();
  BOOST_REQUIRE(addresses.size() == 3U);
  BOOST_TEST(addresses[0] != addresses[2]);
  for (const std::string& address : addresses) {
    Client client(address);
    client.send(request_text("GET", "/healthz", ""));
    BOOST_TEST(client.receive().status == 200);
  }
}

BOOST_AUTO_TEST_SUITE_END()
