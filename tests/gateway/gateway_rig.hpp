// What the simulator's own test stands on: the program as a child, and clients of it over libcurl.
#pragma once

#include <map>
#include <string>
#include <sys/types.h>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

namespace rig {

struct Answer {
  int status = 0;  // 0 = no answer
  bool timed_out = false;
  std::string body;
  boost::json::value json;                     // null if the body is none
  std::map<std::string, std::string> headers;  // names in lower case
  long ms = 0;

  std::string retcode() const;  // "" if there is none
  std::string text(char const* member) const;
};

// One keep-alive connection at most; not for two threads at once.
class Client {
 public:
  explicit Client(std::string base, std::string ca_file = "");
  ~Client();
  Client(Client const&) = delete;
  Client& operator=(Client const&) = delete;

  long timeout_ms = 5000;
  std::vector<std::string> headers;  // of the next requests
  bool keep_cookies = true;
  bool fresh_connections = false;  // libcurl silently asks again where a used one breaks

  Answer request(std::string const& method, std::string const& path, std::string const& body = "");

 private:
  std::string base_;
  std::string ca_file_;
  void* handle_;
};

// An agent: adopts every guid, keeps its cookies.
class Seat {
 public:
  Seat(std::string const& url, int agent, std::string const& ca_file = "");

  Answer sign_in(boost::json::object changed = {}, bool forced = false);
  Answer reset_skills();
  Answer sign_out();
  Answer poll();
  Answer call_out(std::string const& called, boost::json::object more = {});
  Answer release();
  Answer drop(std::string const& call_id);
  Answer query(std::string const& call_id);
  Answer send(std::string const& method, std::string const& path, std::string const& body = "");

  // Polls until an answer without event, or `until` came. Types and what matters of the contents.
  std::string story(std::string const& until = "");

  int const agent;
  std::string guid;
  std::string call_id;  // of the latest callout
  Client client;
};

class Simulator {
 public:
  explicit Simulator(std::vector<std::string> options = {});
  ~Simulator();
  Simulator(Simulator const&) = delete;
  Simulator& operator=(Simulator const&) = delete;

  int end();  // its exit status
  std::string url() const;
  Answer control(std::string const& method, std::string const& path, std::string const& body = "");
  std::int64_t health(char const* member);
  std::vector<boost::json::object> journal(std::string const& event);
  // Waits for so many such lines, at most 5 s.
  std::vector<boost::json::object> await(std::string const& event, std::size_t count);
  std::string violations();  // what they are, each once, sorted
  int violations_of(std::string const& what);
  std::string folder() const { return folder_; }

 private:
  std::string folder_;
  pid_t child_ = 0;
  int port_ = 0;
  int control_port_ = 0;
  bool tls_ = false;
};

// Runs the program to its end. Its exit status; what it wrote to stderr.
int run_program(std::vector<std::string> const& options, std::string& errors);
// A self-signed certificate for 127.0.0.1: folder/cert.pem and folder/key.pem.
void make_certificate(std::string const& folder);
std::string temporary_folder();
void rest(long ms);

}  // namespace rig
