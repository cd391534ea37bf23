#include "world.hpp"

#include <algorithm>
#include <exception>
#include <iterator>
#include <utility>

#include <boost/asio/co_spawn.hpp>

#include "door.hpp"
#include "presets.hpp"

namespace jiuyun {

namespace asio = boost::asio;

namespace {
constexpr std::size_t most_calls_kept = 300'000;  // ended ones go first come, first gone
constexpr std::size_t most_user_data_kept = 1'000'000;

std::uint64_t seed(std::uint64_t asked) {
  if (asked != 0) return asked;
  std::random_device device;
  return (static_cast<std::uint64_t>(device()) << 32) | device();
}
}  // namespace

void run(asio::any_io_executor executor, asio::awaitable<void> work) {
  asio::co_spawn(executor, std::move(work), [](std::exception_ptr error) {
    if (error) std::rethrow_exception(error);
  });
}

World::World(asio::any_io_executor given_executor, Options const& given)
    : executor(given_executor),
      options(given),
      clock(given.clock_skew_ms),
      journal(given_executor, given.journal),
      random(seed(given.seed)) {
  if (!given.callback_url.empty()) callback_url = CallbackUrl::parse(given.callback_url);
}

World::~World() = default;

Script const World::script_for(std::string const& called) const {
  auto found = scripts.find(called);
  if (found != scripts.end()) return found->second;
  if (options.number_table)
    if (auto script = script_by_digits(called)) return *script;
  return default_script;
}

std::shared_ptr<Call> World::new_call(CallRequest request, Script script) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string call_id;
  std::uniform_int_distribution<int> digit(0, 15);
  do {
    call_id.clear();
    for (int i = 0; i < 32; ++i) call_id += digits[digit(random)];
  } while (calls_.contains(call_id));
  auto call =
      std::make_shared<Call>(*this, executor, call_id, std::move(request), std::move(script));
  calls_.emplace(call_id, call);
  order_.push_back(call);
  ++living_;
  while (order_.size() > most_calls_kept && order_.front()->ended()) {
    calls_.erase(order_.front()->id());
    order_.pop_front();
  }
  return call;
}

void World::forget(Call& call) {
  call.abandon();
  auto found = std::find_if(order_.rbegin(), order_.rend(),
                            [&](auto const& known) { return known.get() == &call; });
  if (found == order_.rend()) return;  // a reset was faster
  --living_;
  auto const id = call.id();
  order_.erase(std::next(found).base());
  calls_.erase(id);
}

std::shared_ptr<Call> World::find_call(std::string const& call_id) const {
  auto found = calls_.find(call_id);
  return found == calls_.end() ? nullptr : found->second;
}

bool World::seen_before(std::string const& user_data) {
  if (user_data.empty()) return false;
  if (++user_data_[user_data] > 1) return true;
  user_data_order_.push_back(user_data);
  if (user_data_order_.size() > most_user_data_kept) {
    user_data_.erase(user_data_order_.front());
    user_data_order_.pop_front();
  }
  return false;
}

void World::reset() {
  for (auto const& call : order_) call->abandon();
  calls_.clear();
  order_.clear();
  living_ = 0;
  phones.forget();
  scripts.clear();
  default_script = Script{};
  outages = Outages{};
  random_faults.off();
  if (door) door->open();
  queries.clear();
  user_data_.clear();
  user_data_order_.clear();
  journal.forget_violations();
}

}  // namespace jiuyun
