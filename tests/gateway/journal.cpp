#include "journal.hpp"

#include <algorithm>
#include <stdexcept>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/serialize.hpp>

#include "clock.hpp"

namespace gateway {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {
constexpr std::size_t most_lines = 400'000;
constexpr std::size_t most_bytes = 192u << 20;
}  // namespace

Journal::Journal(asio::any_io_executor executor, std::string const& file, JournalLevel level)
    : executor_(std::move(executor)), name_(file), level_(level) {
  if (name_.empty()) return;
  file_.open(name_, std::ios::app | std::ios::binary);
  if (!file_.is_open())
    throw std::runtime_error("--journal " + name_ +
                             ": can't be opened; name a file in a writable directory");
}

bool Journal::wants(About about) const {
  if (about == About::always) return true;
  return level_ == JournalLevel::all || (level_ == JournalLevel::calls && about == About::call);
}

void Journal::write(About about, std::string_view event, json::object fields) {
  if (!wants(about)) return;
  json::object line{{"seq", ++last_}, {"at", now_ms()}, {"event", event}};
  for (auto& field : fields) line[field.key()] = std::move(field.value());
  kept_.push_back(json::serialize(line));
  kept_bytes_ += kept_.back().size();
  if (file_.is_open() && !(file_ << kept_.back() << '\n' << std::flush))
    throw std::runtime_error("--journal " + name_ + ": can't be written; is the disk full?");
  while (kept_.size() > most_lines || (kept_bytes_ > most_bytes && kept_.size() > 1)) {
    kept_bytes_ -= kept_.front().size();
    kept_.pop_front();
  }
  for (auto timer : waiting_) timer->cancel();
}

void Journal::violation(std::string_view what, json::object fields) {
  ++violations_;
  fields["what"] = what;
  write(About::always, "violation", std::move(fields));
}

std::string Journal::page(std::int64_t since, std::size_t limit) const {
  std::string text = "{\"oldest\":" + std::to_string(oldest()) +
                     ",\"last\":" + std::to_string(last_) + ",\"lines\":[";
  auto const first = static_cast<std::size_t>(std::max<std::int64_t>(since + 1 - oldest(), 0));
  for (std::size_t i = first; i < kept_.size() && i - first < limit; ++i)
    text += (i == first ? "\n" : ",\n") + kept_[i];
  return text + "]}\n";
}

asio::awaitable<void> Journal::wait(std::int64_t since, std::int64_t ms) {
  asio::steady_timer timer(executor_, Steady::now() + milliseconds(ms));
  waiting_.push_back(&timer);
  while (last_ <= since && Steady::now() < timer.expiry()) {
    boost::system::error_code ignored;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  std::erase(waiting_, &timer);
}

}  // namespace gateway
