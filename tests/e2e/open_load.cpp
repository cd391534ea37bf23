#include "open_load.hpp"

#include <algorithm>
#include <exception>
#include <memory>
#include <optional>

#include "../module/http.hpp"

namespace cc::test {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::duration_cast;

/// On a connection that is kept while it lives. 0: no answer.
int exchange(std::unique_ptr<Connection>& connection, unsigned short port,
             const std::string& request) {
  try {
    if (!connection) connection = std::make_unique<Connection>(port);
    std::optional<Response> response;
    if (connection->send(request)) response = connection->receive();
    if (!response || response->headers["connection"] == "close") connection.reset();
    return response ? response->status : 0;
  } catch (const std::exception&) {  // nobody listens just now
    connection.reset();
    return 0;
  }
}

}  // namespace

OpenLoad::OpenLoad(Settings settings, std::function<std::string(long)> body)
    : settings_(std::move(settings)), body_(std::move(body)) {
  for (unsigned i = 0; i < settings_.senders; ++i) {
    threads_.emplace_back([this, i] { send(i); });
  }
}

OpenLoad::~OpenLoad() {
  stop();
}

void OpenLoad::send(unsigned sender) {
  std::unique_ptr<Connection> connection;
  for (long n = sender; !stopping_; n += settings_.senders) {
    const auto due = begin_ + duration_cast<Clock::duration>(std::chrono::duration<double>(
                                  static_cast<double>(n) / settings_.per_second));
    std::this_thread::sleep_until(due);
    std::string body = body_(n);
    const int status = exchange(connection, settings_.port, post(settings_.path, body));
    const auto took = duration_cast<std::chrono::microseconds>(Clock::now() - due);
    std::lock_guard guard(lock_);
    ++result_.statuses[status];
    if (status / 100 != 2) continue;
    ++accepted_;
    times_.push_back(took);
    result_.accepted.push_back(std::move(body));
  }
}

OpenLoad::Result OpenLoad::stop() {
  stopping_ = true;
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  if (!times_.empty()) {
    std::ranges::sort(times_);
    result_.p99 = duration_cast<std::chrono::milliseconds>(times_[times_.size() * 99 / 100]);
    result_.longest = duration_cast<std::chrono::milliseconds>(times_.back());
    times_.clear();
  }
  return result_;
}

}  // namespace cc::test
