// A thread for work on files that would block the loop.
#pragma once

#include <optional>
#include <type_traits>
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace cc {

namespace asio = boost::asio;

/// Must go before the loops that wait for it. One thing after the other.
class FileThread {
 public:
  FileThread() : pool_(1) {}
  ~FileThread() { pool_.join(); }
  FileThread(const FileThread&) = delete;

  /// What `work` returns or throws, on the caller's own loop. What `work` refers to in the waiting
  /// coroutine's frame is there until it has ended, even if the wait is cancelled.
  template <class Work>
  asio::awaitable<std::invoke_result_t<Work&>> run(Work work) {
    std::optional<std::invoke_result_t<Work&>> result;
    auto body = [&]() -> asio::awaitable<void> {
      result.emplace(work());
      co_return;
    };
    auto done = asio::co_spawn(pool_.get_executor(), body, asio::use_awaitable);
    co_await std::move(done);
    co_return *std::move(result);
  }

  /// By and by, with nobody waiting; it must not throw.
  template <class Work>
  void post(Work work) {
    asio::post(pool_, std::move(work));
  }

 private:
  asio::thread_pool pool_;
};

}  // namespace cc
