// Callbacks at a steady rate, whatever becomes of them, and for each event of some of their calls
// the time until the API shows it. Each call's four events come half a second apart, so that any
// moment has as many of each kind.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "link.hpp"

namespace cc::bench {

using Clock = std::chrono::steady_clock;

struct Settings {
  unsigned short nginx_port = 0, api_port = 0;  // on 127.0.0.1
  std::string path, app_id;                     // of callbacks
  std::string key;                              // for the API
  std::int64_t first_call = 0;                  // the others follow it by one each
  std::int64_t version = 0;                     // of their records before the first event
  std::string call_prefix;                      // of the channel's call ids, before the number
  long calls = 0;
  double per_second = 0;                  // events
  long sample_each = 0;                   // every so many-th call is looked at
  std::chrono::milliseconds pause{0};     // between looks; 0: one long poll
  std::chrono::milliseconds warm_up{0};   // not measured,
  std::chrono::milliseconds measured{0};  // measured
};

class Load {
 public:
  using Times = std::vector<std::chrono::microseconds>;
  struct Result {
    long events = 0, refused = 0;  // of the measured time; refused: NGINX said anything but 200
    long unseen = 0;               // samples that the API did not show within ten seconds
    long looks = 0;                // GETs
    Clock::time_point first_sent, last_sent;
    Times late;      // due → sent: how late this program was itself
    Times answered;  // due → NGINX's 200
    Times visible;   // NGINX's 200 → the API's answer that shows the event
    Times whole;     // due → the same answer
  };

  explicit Load(Settings settings);
  asio::awaitable<void> run();
  const Result& result() const { return result_; }

 private:
  struct Event {
    long call = 0;
    int kind = 0;
  };
  bool event_at(long slot, Event& event) const;
  std::string callback(Event event) const;
  std::string question(std::int64_t call, std::int64_t version) const;
  asio::awaitable<void> send(Event event, Clock::time_point due, bool measured);
  asio::awaitable<void> look(Event event, Clock::time_point due, Clock::time_point answered,
                             bool measured);

  const Settings settings_;
  const long apart_;  // slots between two events of a call
  Links nginx_, api_;
  std::map<long, std::int64_t> versions_;  // that have been seen of the sampled calls
  long under_way_ = 0;
  Result result_;
};

}  // namespace cc::bench
