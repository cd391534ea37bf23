#include "recorder/streams.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "io/waiter.hpp"

namespace cc {
namespace {

constexpr Millis put_patience{200};  // rules.md, "Spool"
constexpr Millis patience{1000};     // where nobody waits for the outcome
constexpr Millis count_every{1000};

/// Several XADDs under way; shared with each of them, as they may outlive the one who waits.
struct Under {
  std::vector<std::string> problems;  // empty = taken
  std::string refusal;                // the first error reply
  std::size_t left = 0;
  Waiter* waiter = nullptr;
};

asio::awaitable<void> add_one(std::shared_ptr<redis::Connection> link,
                              std::vector<std::string> words, std::shared_ptr<Under> under,
                              std::size_t index) {
  std::string problem = "no answer";
  try {
    const redis::Reply reply = co_await link->command(std::move(words), patience);
    problem = reply.is_error() ? reply.text : "";
    if (reply.is_error() && under->refusal.empty()) under->refusal = reply.text;
  } catch (const redis::Failure& failure) {
    problem = failure.what();
  }
  under->problems[index] = std::move(problem);
  if (--under->left == 0 && under->waiter != nullptr) under->waiter->wake();
}

}  // namespace

Streams::Streams(asio::any_io_executor executor, const Config& config, Clock& clock)
    : executor_(std::move(executor)),
      options_(config.redis),
      prefix_(config.stream.prefix),
      partitions_(std::max(config.stream.partitions, 1U)),
      high_water_(config.stream.high_water),
      clock_(clock) {}

std::string Streams::problem() const {
  if (!connected()) return lost_;
  if (!refused_.empty()) return "Redis refuses: " + refused_;
  if (full_) return "the streams are above their high-water mark: nobody drains them";
  return {};
}

std::vector<std::string> Streams::xadd(const SpoolRecord& record) const {
  std::vector<std::string> words{
      "XADD", prefix_ + std::to_string(record.partition_hash % partitions_), "*"};
  words.emplace_back(record.channel);
  words.emplace_back(record.envelope);
  return words;
}

asio::awaitable<bool> Streams::check() {
  Link link = connected() ? link_ : nullptr;
  const bool is_new = link == nullptr;
  if (!is_new && clock_.steady() - counted_ < count_every) co_return true;
  std::string problem;
  try {
    if (is_new) link = co_await connect();
    co_await count(link);
  } catch (const redis::Failure& failure) {
    problem = failure.what();
  }
  if (!problem.empty()) {
    lost_ = "Redis: " + problem;
    co_return false;
  }
  if (is_new) {
    link_ = std::move(link);
    lost_ = "Redis: the connection broke";
  }
  co_return connected();
}

/// One that answers: while Redis loads its data it takes connections and nothing else.
asio::awaitable<Streams::Link> Streams::connect() {
  redis::Options options = options_;
  Link link = co_await redis::Connection::connect(executor_, std::move(options), patience);
  std::vector<std::string> words{"PING"};
  const redis::Reply reply = co_await link->command(std::move(words), patience);
  if (reply.is_error()) throw redis::Failure(reply.text);
  co_return link;
}

asio::awaitable<void> Streams::count(Link link) {
  std::uint64_t entries = 0;
  for (unsigned partition = 0; partition < partitions_; ++partition) {
    std::vector<std::string> words{"XLEN", prefix_ + std::to_string(partition)};
    const redis::Reply reply = co_await link->command(std::move(words), patience);
    if (reply.type == redis::Reply::Type::integer) {
      entries += static_cast<std::uint64_t>(reply.integer);
    }
  }
  counted_ = clock_.steady();
  full_ = entries > high_water_;
}

asio::awaitable<std::string> Streams::add(SpoolRecord record) {
  if (!connected()) co_return lost_;
  const Link link = link_;
  std::string problem;
  try {
    const redis::Reply reply = co_await link->command(xadd(record), put_patience);
    if (reply.is_error()) {
      refused_ = reply.text;
      problem = this->problem();
    }
  } catch (const redis::Failure& failure) {
    problem = lost_ = std::string("Redis: ") + failure.what();
  }
  co_return problem;
}

asio::awaitable<std::size_t> Streams::add_all(std::vector<SpoolRecord> records) {
  if (!connected() || records.empty()) co_return 0;
  const auto under = std::make_shared<Under>();
  under->problems.resize(records.size());
  under->left = records.size();
  for (std::size_t i = 0; i < records.size(); ++i) {
    asio::co_spawn(executor_, add_one(link_, xadd(records[i]), under, i), asio::detached);
  }
  while (under->left > 0) {
    Waiter waiter(executor_, std::chrono::steady_clock::now() + 2 * patience);
    struct Leaving {
      Under& under;
      ~Leaving() { under.waiter = nullptr; }
    } const guard{*under};
    under->waiter = &waiter;
    co_await waiter.wait();  // each has a deadline of its own
  }
  refused_ = under->refusal;
  std::size_t taken = 0;
  while (taken < records.size() && under->problems[taken].empty()) ++taken;
  co_return taken;
}

}  // namespace cc
