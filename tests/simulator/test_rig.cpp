#include "test_rig.hpp"

#include <arpa/inet.h>
#include <chrono>
#include <csignal>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>
#include <openssl/evp.h>

namespace rig {

namespace json = boost::json;
using Steady = std::chrono::steady_clock;

namespace {

void rest(int ms) {
  std::this_thread::sleep_for(std::chrono::milliseconds(ms));
}

sockaddr_in local_address(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// Reads one HTTP message; false if the connection ended or the time was up before it was whole.
bool read_message(int socket, std::string& head, std::string& body, int wait_ms, bool& timed_out) {
  std::string text;
  auto deadline = Steady::now() + std::chrono::milliseconds(wait_ms);
  timed_out = false;
  for (;;) {
    auto end = text.find("\r\n\r\n");
    if (end != std::string::npos) {
      head = text.substr(0, end + 2);
      auto at = head.find("Content-Length: ");
      std::size_t length = at == std::string::npos ? 0 : std::stoul(head.substr(at + 16));
      if (text.size() >= end + 4 + length) {
        body = text.substr(end + 4, length);
        return true;
      }
    }
    auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Steady::now()).count();
    pollfd ready{socket, POLLIN, 0};
    if (left <= 0 || poll(&ready, 1, static_cast<int>(left)) <= 0) {
      timed_out = true;
      return false;
    }
    char bytes[4096];
    auto size = recv(socket, bytes, sizeof bytes, 0);
    if (size <= 0) return false;
    text.append(bytes, static_cast<std::size_t>(size));
  }
}

}  // namespace

std::string const& program() {
  static std::string const path = [] {
    auto const& suite = boost::unit_test::framework::master_test_suite();
    if (suite.argc < 2)
      throw std::runtime_error(
          "give the simulator's path: simulator_test -- /path/jiuyun-simulator");
    return std::string(suite.argv[1]);
  }();
  return path;
}

std::string temporary_folder() {
  std::string name = (std::filesystem::temp_directory_path() / "jiuyun-XXXXXX").string();
  if (!mkdtemp(name.data())) throw std::runtime_error("no temporary folder");
  return name;
}

std::string md5_upper(std::string const& text) {
  unsigned char bytes[16];
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), bytes, &size, EVP_md5(), nullptr);
  std::string hex;
  for (unsigned char byte : bytes) {
    char two[3];
    std::snprintf(two, sizeof two, "%02X", byte);
    hex += two;
  }
  return hex;
}

std::string base64(std::string const& text) {
  std::string out(4 * ((text.size() + 2) / 3) + 1, '\0');
  auto size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                              reinterpret_cast<unsigned char const*>(text.data()),
                              static_cast<int>(text.size()));
  out.resize(static_cast<std::size_t>(size));
  return out;
}

std::string beijing(long long epoch_seconds) {
  std::time_t shifted = epoch_seconds + 8 * 3600;
  std::tm parts{};
  gmtime_r(&shifted, &parts);
  char text[16];
  std::strftime(text, sizeof text, "%Y%m%d%H%M%S", &parts);
  return text;
}

json::object const& Answer::resp() const {
  return json.as_object().at("resp").as_object();
}

std::string Answer::code() const {
  if (!json.is_object() || !json.as_object().contains("resp")) return "";
  return std::string(std::string_view(resp().at("statusCode").as_string()));
}

Receiver::Receiver(std::string const& socket_path) : path_(socket_path) {
  if (path_.empty()) {
    socket_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    auto address = local_address(0);
    if (bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
      throw std::runtime_error("receiver: bind");
    socklen_t size = sizeof address;
    getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size);
    url_ = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/cb?from=test";
  } else {
    socket_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path_.c_str(), sizeof address.sun_path - 1);
    if (bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
      throw std::runtime_error("receiver: bind");
    url_ = "unix:" + path_ + ":/cb?from=test";
  }
  if (listen(socket_, 100) != 0) throw std::runtime_error("receiver: listen");
  thread_ = std::thread([this] { accept_all(); });
}

Receiver::~Receiver() {
  over_ = true;
  shutdown(socket_, SHUT_RDWR);
  thread_.join();
  close(socket_);
}

void Receiver::accept_all() {
  while (!over_) {
    pollfd ready{socket_, POLLIN, 0};
    if (poll(&ready, 1, 100) <= 0) continue;
    int one = accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC);
    if (one < 0) continue;
    Got got;
    bool timed_out = false;
    if (read_message(one, got.head, got.body, 5000, timed_out)) {
      {
        std::lock_guard lock(mutex_);
        got_.push_back(got);
      }
      changed_.notify_all();
      for (int waited = 0; waited < delay_ms && !over_; waited += 20) rest(20);
      std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\ndone";
      if (send(one, answer.data(), answer.size(), MSG_NOSIGNAL) < 0) errno = 0;
    }
    close(one);
  }
}

std::vector<Receiver::Got> Receiver::wait_for(std::size_t count, int ms) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, std::chrono::milliseconds(ms), [&] { return got_.size() >= count; });
  return got_;
}

std::vector<Receiver::Got> Receiver::got() {
  std::lock_guard lock(mutex_);
  return got_;
}

Simulator::Simulator(std::vector<std::string> options) : folder_(temporary_folder()) {
  auto const port_file = folder_ + "/port";
  std::vector<std::string> words{
      program(),       "--port-file", port_file,      "--journal", folder_ + "/journal",
      "--account-sid", account_sid,   "--auth-token", auth_token,  "--app-id",
      app_id};
  words.insert(words.end(), options.begin(), options.end());
  std::vector<char*> pointers;
  for (auto& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  child_ = fork();
  if (child_ == 0) {
    execv(pointers[0], pointers.data());
    _exit(127);
  }
  for (int waited = 0; waited < 10000 && port_ == 0; waited += 10) {
    std::ifstream(port_file) >> port_ >> control_port_;
    rest(10);
  }
  if (control_port_ == 0) control_port_ = port_;
  if (port_ == 0) throw std::runtime_error("the simulator did not write its port");
}

Simulator::~Simulator() {
  end();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

int Simulator::end() {
  if (child_ == 0) return 0;
  kill(child_, SIGTERM);
  int status = 0;
  waitpid(child_, &status, 0);
  child_ = 0;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

namespace {

// A connection to a port here; -1 if it is refused.
int connected(int port) {
  int const one = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  auto address = local_address(port);
  if (connect(one, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return one;
  bool const refused = errno == ECONNREFUSED;
  close(one);
  if (!refused) throw std::runtime_error("can't reach the simulator");
  return -1;
}

Answer exchange(int port, std::string const& bytes, int wait_ms) {
  Answer answer;
  int const one = connected(port);
  if (one < 0) throw std::runtime_error("the simulator refuses connections");
  if (send(one, bytes.data(), bytes.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(bytes.size()))
    throw std::runtime_error("short send");
  bool timed_out = false;
  if (read_message(one, answer.head, answer.body, wait_ms, timed_out)) {
    answer.status = std::stoi(answer.head.substr(9, 3));
    boost::system::error_code error;
    answer.json = json::parse(answer.body, error);
    if (error) answer.json = nullptr;
  } else if (timed_out) {
    answer.status = -1;
  }
  close(one);
  return answer;
}

}  // namespace

long long now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Steady::now().time_since_epoch())
      .count();
}

bool Simulator::refused() const {
  int const one = connected(port_);
  if (one >= 0) close(one);
  return one < 0;
}

Simulator::Silent Simulator::connect() const {
  return Silent(connected(port_));
}

Simulator::Silent::~Silent() {
  close(socket_);
}

bool Simulator::Silent::ended() const {
  pollfd ready{socket_, POLLIN, 0};
  char byte = 0;
  return poll(&ready, 1, 5000) > 0 && recv(socket_, &byte, 1, 0) <= 0;
}

Answer Simulator::raw(std::string const& bytes, int wait_ms) const {
  return exchange(port_, bytes, wait_ms);
}

Answer Simulator::raw_to_control(std::string const& bytes) const {
  return exchange(control_port_, bytes, 20000);
}

Answer Simulator::vendor(std::string const& function, std::string const& body,
                         std::map<std::string, std::string> changed, int wait_ms) const {
  auto take = [&](std::string const& name, std::string otherwise) {
    auto found = changed.find(name);
    return found == changed.end() ? otherwise : found->second;
  };
  auto timestamp = take("timestamp", beijing(std::time(nullptr)));
  auto sig = take("sig", md5_upper(account_sid + auth_token + timestamp));
  std::string text = take("method", "POST") + " /2016-01-01/Accounts/" + account_sid + "/" +
                     take("function", function) + "?sig=" + sig + " HTTP/1.1\r\nHost: test\r\n";
  auto header = [&](std::string const& name, std::string const& otherwise) {
    auto value = take(name, otherwise);
    if (!value.empty()) text += name + ": " + value + "\r\n";
  };
  header("Authorization", base64(account_sid + ":" + timestamp));
  header("Accept", "application/json;charset=utf-8");
  header("Content-Type", "application/json;charset=utf-8");
  header("Content-Length", std::to_string(body.size()));
  header("Transfer-Encoding", "");
  return raw(text + "\r\n" + body, wait_ms);
}

Answer Simulator::originate(json::object fields, int wait_ms) const {
  if (!fields.contains("appId")) fields["appId"] = app_id;
  if (!fields.contains("from")) fields["from"] = "13900000001";
  json::object body;
  body["callback"] = std::move(fields);
  return vendor("Calls/callBack", json::serialize(body), {}, wait_ms);
}

Answer Simulator::cancel(std::string const& call_id) const {
  return vendor("Calls/CancelCallback",
                R"({"req":{"appId":")" + app_id + R"(","callId":")" + call_id + R"("}})");
}

Answer Simulator::query(std::string const& call_id) const {
  return vendor("Records/query", R"({"req":{"callId":")" + call_id + R"(","type":1}})");
}

Answer Simulator::control(std::string const& method, std::string const& path,
                          std::string const& body) const {
  return raw_to_control(
      method + " /_control/" + path +
      " HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\nContent-Length: " +
      std::to_string(body.size()) + "\r\n\r\n" + body);
}

void Simulator::script(std::string const& number, std::string const& text) const {
  auto answer = control("PUT", "scripts/" + number, text);
  if (answer.status != 200) throw std::runtime_error(answer.body);
}

json::object Simulator::ended(std::string const& call_id, std::size_t pushes) const {
  json::object truth;
  for (int waited = 0; waited < 20000; waited += 20) {
    truth = control("GET", "calls/" + call_id).json.as_object();
    if (truth.at("phase").as_string() == "ended" && truth.at("pushed").as_array().size() >= pushes)
      return truth;
    rest(20);
  }
  BOOST_ERROR("call " + call_id + " did not end: " + json::serialize(truth));
  return truth;
}

std::vector<json::object> Simulator::journal(std::string const& event,
                                             std::string const& user_data) const {
  std::vector<json::object> found;
  auto answer = control("GET", "journal?since=0");
  for (auto const& line : answer.json.as_object().at("lines").as_array()) {
    auto const& object = line.as_object();
    if (object.at("event").as_string() != event) continue;
    if (!user_data.empty() && object.at("userData") != json::value(user_data)) continue;
    found.push_back(object);
  }
  return found;
}

std::vector<json::object> Simulator::await(std::string const& event, std::string const& user_data,
                                           std::size_t count) const {
  for (int waited = 0;; waited += 20) {
    auto found = journal(event, user_data);
    if (found.size() >= count || waited >= 10000) return found;
    rest(20);
  }
}

}  // namespace rig
