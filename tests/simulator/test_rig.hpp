// What the simulator's own test stands on: the program as a child, a client and a receiver of
// callbacks. Plain sockets on purpose: nothing of the simulator's code is used to judge it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

namespace rig {

inline std::string const account_sid = "0123456789abcdef0123456789abcdef";
inline std::string const auth_token = "fedcba9876543210fedcba9876543210";
inline std::string const app_id = "00112233445566778899aabbccddeeff";

struct Answer {
  int status = 0;  // 0 = the connection ended without an answer, -1 = none within the time
  std::string head;
  std::string body;
  boost::json::value json;   // null if the body is none
  std::string code() const;  // resp.statusCode, or ""
  boost::json::object const& resp() const;
};

std::string md5_upper(std::string const& text);
std::string base64(std::string const& text);
std::string beijing(long long epoch_seconds);  // yyyyMMddHHmmss

// Takes callbacks on a TCP port or a unix socket.
class Receiver {
 public:
  struct Got {
    std::string head;
    std::string body;
  };
  explicit Receiver(std::string const& socket_path = "");
  ~Receiver();
  Receiver(Receiver const&) = delete;
  Receiver& operator=(Receiver const&) = delete;

  std::string url() const { return url_; }
  std::atomic<int> delay_ms{0};  // before each answer
  std::vector<Got> wait_for(std::size_t count, int ms = 20000);
  std::vector<Got> got();

 private:
  void accept_all();
  int socket_ = -1;
  std::string url_;
  std::string path_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Got> got_;
  std::atomic<bool> over_{false};
  std::thread thread_;
};

// The program; ended by SIGTERM when it goes out of scope.
class Simulator {
 public:
  explicit Simulator(std::vector<std::string> options);
  ~Simulator();
  Simulator(Simulator const&) = delete;
  Simulator& operator=(Simulator const&) = delete;

  int port() const { return port_; }
  bool refused() const;  // connecting to the vendor's port is
  // A connection to the vendor's port that says nothing.
  class Silent {
   public:
    explicit Silent(int socket) : socket_(socket) {}
    Silent(Silent const&) = delete;
    Silent& operator=(Silent const&) = delete;
    ~Silent();
    bool ended() const;  // by the other end, within 5 s

   private:
    int socket_;
  };
  Silent connect() const;
  int end();  // SIGTERM; its exit status

  // A request as it stands, head and body, and its answer.
  Answer raw(std::string const& bytes, int wait_ms = 20000) const;
  Answer raw_to_control(
      std::string const& bytes) const;  // to --control's listener, if there is one
  // A vendor request. `changed` replaces or (empty) removes "sig", "function", "timestamp" or
  // headers by name.
  Answer vendor(std::string const& function, std::string const& body,
                std::map<std::string, std::string> changed = {}, int wait_ms = 20000) const;
  Answer originate(boost::json::object fields,
                   int wait_ms = 20000) const;  // appId and from are filled in
  Answer cancel(std::string const& call_id) const;
  Answer query(std::string const& call_id) const;
  Answer control(std::string const& method, std::string const& path,
                 std::string const& body = "") const;
  void script(std::string const& number, std::string const& json) const;

  // The truth about a call, once it has ended and `pushes` callbacks were pushed or lost.
  boost::json::object ended(std::string const& call_id, std::size_t pushes) const;
  // Lines of the journal with this event; userData empty = any.
  std::vector<boost::json::object> journal(std::string const& event,
                                           std::string const& user_data = "") const;
  // Waits for so many such lines, at most 10 s.
  std::vector<boost::json::object> await(std::string const& event, std::string const& user_data,
                                         std::size_t count) const;

 private:
  int child_ = 0;
  int port_ = 0;
  int control_port_ = 0;
  std::string folder_;
};

std::string const& program();  // its path, given to the test after "--"
std::string temporary_folder();
long long now_ms();

}  // namespace rig
