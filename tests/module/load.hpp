// Senders that never stop, and the account of what they were told.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "nginx.hpp"
#include "servers.hpp"

namespace cc::test {

/// Delivers one body; the answer's status, or 0 where none came. Called by one thread only.
using Sender = std::function<int(const std::string& body)>;

/// HTTP/1.1 over NGINX's plain unix socket, on one connection for as long as that lasts.
Sender plain_sender(const Nginx& nginx);

/// Sends callbacks until told to stop, no body twice; remembers which were answered 200.
class Load {
 public:
  Load(const std::function<Sender()>& make_sender, unsigned senders);
  Load(const Nginx& nginx, unsigned senders);
  ~Load();

  /// Whether `more` callbacks are answered 200 from now on.
  bool goes_on(std::size_t more = 200, Millis timeout = Millis{20000}) const;
  std::size_t answered() const;
  std::set<std::string> stop();

 private:
  void run(const Sender& send, unsigned number);

  std::atomic<bool> stopping_{false};
  mutable std::mutex lock_;  // of answered_
  std::set<std::string> answered_;
  std::vector<std::thread> threads_;
};

/// Fails the test where a body is not in the stream, and does not come there soon.
void expect_all_stored(const std::set<std::string>& answered, const RedisServer& redis);

/// The same, and where one is there twice: for as long as no answer of Redis' was lost.
void expect_all_stored_once(const std::set<std::string>& answered, const RedisServer& redis);

}  // namespace cc::test
