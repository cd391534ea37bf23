// The streams in Redis as the recorder sees them: whether they take deliveries just now, and adding
// some. Only check() finds out that Redis is well again, so that nobody else waits for one that is
// away.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "config.hpp"
#include "io/clock.hpp"
#include "io/redis.hpp"
#include "spool_format.hpp"

namespace cc {

namespace asio = boost::asio;

class Streams {
 public:
  Streams(asio::any_io_executor executor, const Config& config, Clock& clock);
  Streams(const Streams&) = delete;

  /// Why no delivery is to be put into them now; empty = it may be.
  std::string problem() const;
  /// They hold as much as they should. They would still take more.
  bool full() const noexcept { return full_; }
  /// There is a connection, and nothing was refused.
  bool taking() const noexcept { return connected() && refused_.empty(); }

  /// Connects where there is no connection, and each second counts the entries. False = Redis is
  /// away. Not twice at a time.
  asio::awaitable<bool> check();

  /// Adds one, within 200 ms. Not empty = Redis has not said that it took it, and why. What the
  /// record views must live until then.
  asio::awaitable<std::string> add(SpoolRecord record);

  /// Adds several, all under way at the same time, in this order. Returns how many Redis took
  /// before the first that it did not; of the others some may stand in the stream as well. All of
  /// them: what was refused before is forgiven.
  asio::awaitable<std::size_t> add_all(std::vector<SpoolRecord> records);

  /// Redis refused something, and there is nothing left to try it with: the next delivery may.
  void forgive() { refused_.clear(); }

 private:
  using Link = std::shared_ptr<redis::Connection>;

  bool connected() const noexcept { return link_ != nullptr && link_->usable(); }
  std::vector<std::string> xadd(const SpoolRecord& record) const;
  asio::awaitable<Link> connect();
  asio::awaitable<void> count(Link link);

  asio::any_io_executor executor_;
  const redis::Options options_;
  const std::string prefix_;
  const unsigned partitions_;
  const std::uint64_t high_water_;
  Clock& clock_;
  Link link_;
  std::string lost_ = "Redis has not been asked yet";  // why there is no connection
  std::string refused_;                                // Redis' error reply
  bool full_ = false;
  std::chrono::steady_clock::time_point counted_{};
};

}  // namespace cc
