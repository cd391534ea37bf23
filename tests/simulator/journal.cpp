#include "journal.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/serialize.hpp>

#include "clock.hpp"

namespace jiuyun {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {
constexpr std::size_t most_lines = 200'000;
constexpr std::size_t most_bytes = 128u << 20;
}  // namespace

Journal::Journal(asio::any_io_executor executor, std::string const& file)
    : executor_(executor), file_name_(file), written_(executor) {
  written_.expires_at(asio::steady_timer::time_point::max());
  if (file.empty()) return;
  file_.open(file, std::ios::app | std::ios::binary);
  if (!file_)
    throw std::runtime_error(
        "--journal " + file +
        ": can't be opened for appending; name a file in a directory that exists and is writable");
}

void Journal::write(std::string_view event, CallName const& call, json::object fields) {
  json::object line;
  line["seq"] = ++last_seq_;
  line["at"] = now_ms();
  line["event"] = event;
  if (call.call_id.empty())
    line["callId"] = nullptr;
  else
    line["callId"] = call.call_id;
  if (call.user_data.empty())
    line["userData"] = nullptr;
  else
    line["userData"] = call.user_data;
  for (auto& field : fields) line[field.key()] = std::move(field.value());

  auto text = json::serialize(line);
  if (file_.is_open()) {
    file_ << text << '\n' << std::flush;
    if (!file_)
      throw std::runtime_error("--journal " + file_name_ +
                               ": writing failed (disk full?); free space and start again");
  }
  recent_bytes_ += text.size();
  recent_.push_back({last_seq_, std::move(text)});
  while (recent_.size() > most_lines || (recent_bytes_ > most_bytes && recent_.size() > 1)) {
    recent_bytes_ -= recent_.front().text.size();
    recent_.pop_front();
  }
  written_.cancel();
}

void Journal::violation(std::string_view what, CallName const& call, json::object fields) {
  ++violations_;
  json::object line;
  line["violation"] = what;
  for (auto& field : fields) line[field.key()] = std::move(field.value());
  write("violation", call, std::move(line));
}

std::int64_t Journal::oldest_seq() const {
  return recent_.empty() ? last_seq_ + 1 : recent_.front().seq;
}

std::vector<std::string> Journal::lines(std::int64_t since, std::size_t limit) const {
  auto first = std::upper_bound(recent_.begin(), recent_.end(), since,
                                [](std::int64_t seq, Line const& line) { return seq < line.seq; });
  std::vector<std::string> found;
  for (; first != recent_.end() && found.size() < limit; ++first) found.push_back(first->text);
  return found;
}

asio::awaitable<void> Journal::wait(std::int64_t since, std::int64_t wait_ms) {
  // written_ serves everybody, so the deadline is a timer of its own that wakes everybody too:
  // cheap and simple.
  auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(wait_ms);
  asio::steady_timer alarm(executor_);
  alarm.expires_at(deadline);
  alarm.async_wait([this](boost::system::error_code error) {
    if (!error) written_.cancel();
  });
  while (last_seq_ <= since && std::chrono::steady_clock::now() < deadline) {
    boost::system::error_code ignored;
    co_await written_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
}

}  // namespace jiuyun
