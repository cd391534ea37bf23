#include "load.hpp"

#include <memory>

#include <boost/test/unit_test.hpp>

#include "stack.hpp"

namespace cc::test {
namespace {

std::multiset<std::string> stored_in(const RedisServer& redis) {
  std::multiset<std::string> bodies;
  for (const auto& entry : entries(redis.socket())) bodies.insert(raw_of(entry));
  return bodies;
}

}  // namespace

Sender plain_sender(const Nginx& nginx) {
  auto connection = std::make_shared<std::unique_ptr<Connection>>();
  return [connection, socket = nginx.socket()](const std::string& body) {
    if (!*connection) *connection = std::make_unique<Connection>(socket);
    std::optional<Response> response;
    if ((*connection)->send(post(callback_path(token_now), body))) {
      response = (*connection)->receive();
    }
    if (!response || response->headers["connection"] == "close") connection->reset();
    return response ? response->status : 0;
  };
}

Load::Load(const std::function<Sender()>& make_sender, unsigned senders) {
  for (unsigned i = 0; i < senders; ++i) {
    threads_.emplace_back(
        [this, send = make_sender(), first = i * 1'000'000] { run(send, first); });
  }
}

Load::Load(const Nginx& nginx, unsigned senders)
    : Load([&nginx] { return plain_sender(nginx); }, senders) {}

Load::~Load() {
  stop();
}

void Load::run(const Sender& send, unsigned number) {
  while (!stopping_) {
    try {
      std::string body = callback_body(++number);
      if (send(body) != 200) continue;
      std::lock_guard guard(lock_);
      answered_.insert(std::move(body));
    } catch (const std::exception&) {
      std::this_thread::sleep_for(Millis{1});  // nobody listens just now
    }
  }
}

bool Load::goes_on(std::size_t more, Millis timeout) const {
  auto before = answered();
  return eventually([&] { return answered() >= before + more; }, timeout);
}

std::size_t Load::answered() const {
  std::lock_guard guard(lock_);
  return answered_.size();
}

std::set<std::string> Load::stop() {
  stopping_ = true;
  for (auto& thread : threads_) thread.join();
  threads_.clear();
  return answered_;
}

void expect_all_stored(const std::set<std::string>& answered, const RedisServer& redis) {
  BOOST_TEST(answered.size() > 0U);
  std::size_t missing = 0;
  eventually([&] {
    const auto stored = stored_in(redis);
    missing = 0;
    for (const auto& body : answered) missing += stored.count(body) == 0;
    return missing == 0;
  });
  BOOST_TEST(missing == 0U);
}

void expect_all_stored_once(const std::set<std::string>& answered, const RedisServer& redis) {
  expect_all_stored(answered, redis);
  const auto stored = stored_in(redis);
  std::size_t twice = 0;
  for (const auto& body : answered) twice += stored.count(body) > 1;
  BOOST_TEST(twice == 0U);
}

}  // namespace cc::test
