// The journal: what really happened, one JSON object a line. Its schema is in README.md.
#pragma once

#include <cstdint>
#include <deque>
#include <fstream>
#include <string>
#include <string_view>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json/object.hpp>

#include "options.hpp"

namespace gateway {

class Journal {
 public:
  // What a line is about decides at which --journal-level it is written.
  enum class About { always, call, event };

  // `file` empty: kept in memory only.
  Journal(boost::asio::any_io_executor executor, std::string const& file, JournalLevel level);

  // Lets a caller leave out the making of fields that nobody will see.
  bool wants(About about) const;
  void write(About about, std::string_view event, boost::json::object fields = {});
  void violation(std::string_view what, boost::json::object fields);

  std::int64_t last() const { return last_; }
  std::int64_t oldest() const { return last_ - static_cast<std::int64_t>(kept_.size()) + 1; }
  std::int64_t violations() const { return violations_; }
  void forget_violations() { violations_ = 0; }

  // {"oldest","last","lines":[…]}: the lines with seq > since, at most `limit`.
  std::string page(std::int64_t since, std::size_t limit) const;
  // Returns when a line with seq > since exists or the time is up.
  boost::asio::awaitable<void> wait(std::int64_t since, std::int64_t ms);

 private:
  boost::asio::any_io_executor executor_;
  std::string name_;
  JournalLevel level_;
  std::ofstream file_;
  std::deque<std::string> kept_;  // consecutive, the last one has seq last_
  std::size_t kept_bytes_ = 0;
  std::int64_t last_ = 0;
  std::int64_t violations_ = 0;
  std::deque<boost::asio::steady_timer*> waiting_;
};

}  // namespace gateway
