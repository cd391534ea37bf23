// A Redis that misbehaves as a test tells it to.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace cc::test {

class FakeRedis {
 public:
  using Command = std::vector<std::string>;

  /// One accepted connection, as the script sees it.
  class Peer {
   public:
    explicit Peer(int fd) : fd_(fd) {}
    void send(const std::string& bytes);
    void send_bytewise(const std::string& bytes);
    void close();                                     // the script's last word
    unsigned sent() const noexcept { return sent_; }  // how often something was

    /// An answer was left out, so all later ones must be: they come in order.
    bool stuck = false;

   private:
    friend class FakeRedis;
    int fd_;
    bool closed_ = false;
    unsigned sent_ = 0;
  };

  /// Called for each command, in order, on the fake's own thread. One connection at a time.
  using Script = std::function<void(Peer&, const Command&)>;

  FakeRedis(std::string unix_path, Script script);
  ~FakeRedis();

  std::string address() const { return "unix:" + path_; }
  unsigned connections() const noexcept { return connections_; }
  /// How many XADDs came with each read.
  std::vector<unsigned> batches() const;

 private:
  void serve();
  void talk(int fd);
  unsigned play(Peer& peer, std::string& input);

  std::string path_;
  Script script_;
  int listener_ = -1;
  std::atomic<bool> stopping_{false};
  std::atomic<unsigned> connections_{0};
  mutable std::mutex lock_;  // of batches_
  std::vector<unsigned> batches_;
  std::thread thread_;
};

/// Greets as Redis does and hands XADDs to `on_xadd`.
FakeRedis::Script greeting_then(std::function<void(FakeRedis::Peer&)> on_xadd);

}  // namespace cc::test
