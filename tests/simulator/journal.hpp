// The journal: every thing that the platform did, one JSON object a line. Its schema is in
// README.md.
#pragma once

#include <cstdint>
#include <deque>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json/object.hpp>

namespace jiuyun {

// Which call a line is about; both may be empty.
struct CallName {
  std::string call_id;
  std::string user_data;
};

class Journal {
 public:
  // `file` empty: kept in memory only.
  Journal(boost::asio::any_io_executor executor, std::string const& file);

  void write(std::string_view event, CallName const& call, boost::json::object fields = {});
  void write(std::string_view event, boost::json::object fields = {}) {
    write(event, CallName{}, std::move(fields));
  }
  void violation(std::string_view what, CallName const& call, boost::json::object fields = {});

  std::int64_t last_seq() const { return last_seq_; }
  std::int64_t oldest_seq() const;
  std::int64_t violations() const { return violations_; }
  void forget_violations() { violations_ = 0; }

  // Lines with seq > since, at most `limit`, already serialised.
  std::vector<std::string> lines(std::int64_t since, std::size_t limit) const;
  // Returns when a line with seq > since exists or the time is up.
  boost::asio::awaitable<void> wait(std::int64_t since, std::int64_t wait_ms);

 private:
  struct Line {
    std::int64_t seq;
    std::string text;
  };

  boost::asio::any_io_executor executor_;
  std::string file_name_;
  std::ofstream file_;
  std::deque<Line> recent_;
  std::size_t recent_bytes_ = 0;
  std::int64_t last_seq_ = 0;
  std::int64_t violations_ = 0;
  boost::asio::steady_timer written_;  // cancelled at each line: wakes who waits
};

}  // namespace jiuyun
