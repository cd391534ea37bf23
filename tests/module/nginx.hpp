// A private NGINX with our module.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "process.hpp"

namespace cc::test {

inline const std::string token_now = "now-Gm3vPq8sLx2tRb6yWd4k";
inline const std::string token_next = "next-Zt7hNc5mJf9aVe1uQo3i";
inline const std::string our_app = "feff3cbd52c041a1bd5b0492bee56423";

inline const std::string no_spool = "cc_spool off;";

/// What a test changes in its configuration (tests/module/nginx.conf).
struct NginxSettings {
  std::string http = {};  // cc_redis and more, into http{}
  std::string channel = "cc_channel e9 tokens=e9.tokens app_ids=" + our_app + ";";
  std::string server = {};                // more locations
  std::string main = {};                  // outside of http{}
  std::string spool = "cc_spool spool;";  // in the test's folder
  int workers = 1;
  std::map<std::string, std::string> env = {};
  std::string before = {};              // outside of http{} and before our module is loaded
  bool daemon = false;                  // in the background, as a binary upgrade needs it
  std::vector<std::string> under = {};  // a command that runs NGINX: valgrind and its options
};

std::vector<pid_t> children_of(pid_t parent);

class Nginx {
 public:
  /// Running and listening when this returns; throws with error.log otherwise.
  explicit Nginx(NginxSettings settings);
  ~Nginx();

  std::string socket() const { return folder_.file("http.sock"); }
  std::string h2_socket() const { return folder_.file("h2.sock"); }
  unsigned short port() const noexcept { return port_; }
  const TempDir& folder() const noexcept { return folder_; }
  /// The master's; while a binary upgrade is under way, the new one's.
  pid_t pid() const;
  std::vector<pid_t> workers() const { return children_of(pid()); }

  void send(int signal);  // to the master
  void reload() { send(SIGHUP); }
  void quit() { send(SIGQUIT); }
  /// Its exit status; throws when it doesn't end.
  int wait_for_end(Millis timeout = Millis{10000});

  std::string error_log() const { return read_file(folder_.file("error.log")); }
  std::string access_log() const { return read_file(folder_.file("access.log")); }
  /// Lines that must never be there: [alert], [crit], [emerg], a sanitizer's.
  std::string bad_lines() const;

 private:
  void write_files();
  pid_t pid_in_file() const;

  TempDir folder_;
  NginxSettings settings_;
  unsigned short port_ = 0;
  std::unique_ptr<Process> process_;
};

/// `nginx -t`: its status and all it says.
Outcome check_file(const TempDir& folder, const std::string& path);
Outcome check_configuration(const TempDir& folder, const NginxSettings& settings);

}  // namespace cc::test
