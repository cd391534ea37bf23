#include "recorder/spool_writer.hpp"

#include <algorithm>
#include <utility>

#include "log.hpp"

namespace cc {
namespace {

constexpr std::size_t most_in_write = std::size_t{1} << 20;  // bytes, more for a larger delivery
constexpr std::uint64_t most_in_file = 16ULL << 20;  // then the next one: room is gained by file
constexpr Millis pace{5};                            // from one write's end to the next
constexpr std::chrono::hours wake_up{1};             // no limit: put() goes on waiting

std::size_t size_of(const SpoolItem& recording) {
  return recording.envelope.size() + recording.channel.size();
}

}  // namespace

SpoolWriter::SpoolWriter(asio::any_io_executor executor, const Config::Spool& config,
                         SpoolStock& stock, Metrics& metrics)
    : executor_(std::move(executor)),
      config_(config),
      stock_(stock),
      metrics_(metrics),
      directory_(config_.directory),
      timer_(executor_) {
  // Now, as later there may be no descriptor left. It is opened then if this fails.
  if (configured()) (void)directory_.open();
}

asio::awaitable<std::string> SpoolWriter::put(SpoolItem recording) {
  const auto self = shared_from_this();
  const auto item = std::make_shared<Item>();
  item->recording = std::move(recording);
  struct Leaving {
    Item& item;
    ~Leaving() { item.waiter = nullptr; }
  };
  waiting_.push_back(item);
  schedule();
  while (!item->done) {
    Waiter waiter(executor_, std::chrono::steady_clock::now() + wake_up);
    const Leaving guard{*item};
    item->waiter = &waiter;
    co_await waiter.wait();
  }
  co_return std::move(item->problem);
}

/// At the end of this turn of the loop, or some ms after the last write.
void SpoolWriter::schedule() {
  if (scheduled_ || waiting_.empty()) return;
  scheduled_ = true;
  timer_.expires_at(std::max(not_before_, std::chrono::steady_clock::now()));
  timer_.async_wait([self = weak_from_this()](boost::system::error_code error) {
    const auto writer = self.lock();
    if (error || !writer) return;
    writer->scheduled_ = false;
    writer->flush();
  });
}

void SpoolWriter::flush() {
  Batch batch = take();
  const std::string problem = write(batch);
  complain(problem);
  for (const auto& item : batch) {
    if (item->problem.empty()) item->problem = problem;
    item->done = true;
    if (item->waiter != nullptr) item->waiter->wake();
  }
  not_before_ = std::chrono::steady_clock::now() + pace;
  schedule();
}

/// What one write may hold, at least one.
SpoolWriter::Batch SpoolWriter::take() {
  Batch batch;
  std::size_t bytes = 0;
  while (!waiting_.empty()) {
    bytes += size_of(waiting_.front()->recording);
    if (!batch.empty() && bytes > most_in_write) break;
    batch.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  return batch;
}

/// In the file that is open; if that one fails, once more in a new one.
std::string SpoolWriter::write(Batch& batch) {
  std::size_t bytes = 0;
  std::int64_t oldest = batch.front()->recording.received_ms;
  for (const auto& item : batch) {
    bytes += size_of(item->recording);
    oldest = std::min(oldest, item->recording.received_ms);
  }
  if (stock_.bytes() + bytes > config_.max) stock_.look();  // others remove, too
  if (stock_.bytes() + bytes > config_.max) {
    return "spool: the directory holds as much as spool.max allows: \"" + config_.directory +
           "\", " + std::to_string(stock_.bytes()) + " bytes; bring Redis back, or raise it";
  }
  // A file's name says how old its oldest delivery is, so an older one begins a file of its own.
  if (file_ != nullptr && oldest < created_ms_) seal();
  for (;;) {
    const bool is_new = file_ == nullptr;
    if (is_new) {
      if (std::string problem = begin_file(oldest); !problem.empty()) return problem;
    }
    std::string problem = append(batch);
    if (problem.empty()) return {};
    seal();  // what it holds from before is replayed
    if (is_new) return problem;
    log().warn("{}; trying another file", problem);
  }
}

std::string SpoolWriter::begin_file(std::int64_t created_ms) {
  created_ms_ = std::max<std::int64_t>(created_ms, 1);  // 0 would be no time
  auto made = SpoolFile::create(directory_, "ccd", created_ms_);
  if (!made) return made.error().message;
  file_ = *std::move(made);
  return {};
}

std::string SpoolWriter::append(Batch& batch) {
  std::string bytes;
  for (const auto& item : batch) {
    item->problem.clear();
    if (!append_spool_record(bytes, file_->salt(), item->recording.record())) {
      item->problem = "spool: the delivery is beyond what a record may hold (64 MB)";
    }
  }
  if (bytes.empty()) return {};
  const auto appended = file_->append(bytes);
  metrics_.spool_writes.Increment();
  if (!appended) return appended.error().message;
  stock_.wrote(created_ms_, bytes.size());
  if (file_->bytes() >= most_in_file) seal();
  return {};
}

bool SpoolWriter::seal() noexcept {
  return std::exchange(file_, nullptr) != nullptr;
}

/// Once for each trouble, until the spool is well again.
void SpoolWriter::complain(const std::string& problem) {
  if (problem.empty() && !complaint_.empty()) {
    log().warn("the spool can be written again");
  } else if (trouble_kind(problem) != trouble_kind(complaint_)) {
    log().error("{}", problem);
  }
  complaint_ = problem;
}

}  // namespace cc
