#include "load.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <exception>
#include <string_view>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace cc::bench {
namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;
using namespace std::chrono_literals;

constexpr int kinds = 4;
constexpr std::array<std::string_view, kinds> actions{"CallInvite", "CallInvite", "CallEstablish",
                                                      "Hangup"};
// What a record doesn't say before the event of this kind.
constexpr std::array<std::string_view, kinds> missing{"\"aCallTime\":null", "\"bCallTime\":null",
                                                      "\"connTime\":null", "\"closeTime\":null"};
constexpr auto patience = 10s;

void add(Load::Times& times, Clock::duration time) {
  times.push_back(duration_cast<microseconds>(time));
}

/// With zeros in front, as tests/bench/drain/calls.sql makes numbers and ids.
std::string padded(std::string text, std::size_t width) {
  text.insert(0, width - std::min(text.size(), width), '0');
  return text;
}

std::int64_t version_in(std::string_view record) {
  constexpr std::string_view name = "\"version\":";
  std::int64_t version = 0;
  const auto at = record.rfind(name);
  if (at != std::string_view::npos) {
    std::from_chars(record.data() + at + name.size(), record.data() + record.size(), version);
  }
  return version;
}

asio::awaitable<void> sleep_until(Clock::time_point time) {
  asio::steady_timer timer(co_await asio::this_coro::executor, time);
  co_await timer.async_wait(asio::use_awaitable);
}

}  // namespace

Load::Load(Settings settings)
    : settings_(std::move(settings)),
      // A multiple of four, and one: then every slot has at most one event.
      apart_(static_cast<long>(settings_.per_second / 2 / kinds) * kinds + 1),
      nginx_(settings_.nginx_port),
      api_(settings_.api_port) {}

/// Slots are 1 / per_second apart. Call n begins in slot 4 n.
bool Load::event_at(long slot, Event& event) const {
  event.kind = static_cast<int>(slot % kinds);
  const long begins = slot - event.kind * apart_;
  event.call = begins / kinds;
  return begins >= 0 && event.call < settings_.calls;
}

std::string Load::callback(Event event) const {
  const std::string number = std::to_string(event.call);
  const std::string phone = padded(number, 8);
  std::string body = "<?xml version='1.0'?><req><action>";
  body.append(actions.at(static_cast<std::size_t>(event.kind)));
  body += "</action><type>1</type><appId>" + settings_.app_id + "</appId><caller>139" + phone +
          "</caller><called>138" + phone + "</called>";
  if (event.kind < 2) body += "<userFlag>" + std::to_string(event.kind) + "</userFlag>";
  body += "<subType>0</subType><callId>" + padded(settings_.call_prefix + number, 32) +
          "</callId><dateCreated></dateCreated><userData>cc1." +
          std::to_string(settings_.first_call + event.call) + ".1</userData>";
  if (event.kind == 3) body += "<duration>9</duration><recordUrl></recordUrl><byeType>0</byeType>";
  body += "</req>";
  return "POST " + settings_.path +
         " HTTP/1.1\r\nHost: callbacks.example\r\nContent-Type: application/xml\r\n"
         "Content-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string Load::question(std::int64_t call, std::int64_t version) const {
  std::string target = "/v1/calls/" + std::to_string(call);
  if (settings_.pause == 0ms) target += "?version=" + std::to_string(version) + "&wait=10";
  return "GET " + target + " HTTP/1.1\r\nHost: cc.example\r\nAuthorization: Bearer " +
         settings_.key + "\r\n\r\n";
}

asio::awaitable<void> Load::run() {
  const auto executor = co_await asio::this_coro::executor;
  const auto begin = Clock::now() + 100ms;
  const auto measured_from = begin + settings_.warm_up;
  const auto measured_to = measured_from + settings_.measured;
  const long slots = settings_.calls * kinds + (kinds - 1) * apart_;
  for (long slot = 0; slot < slots; ++slot) {
    Event event;
    if (!event_at(slot, event)) continue;
    const std::chrono::duration<double> after(static_cast<double>(slot) / settings_.per_second);
    const auto due = begin + duration_cast<Clock::duration>(after);
    if (due > Clock::now()) {
      co_await sleep_until(due);
    } else {  // late: what is due leaves at once, but the others have their turn too
      co_await asio::post(executor, asio::use_awaitable);
    }
    ++under_way_;
    asio::co_spawn(executor, send(event, due, due >= measured_from && due < measured_to),
                   [this](const std::exception_ptr& error) {
                     --under_way_;
                     if (error) std::rethrow_exception(error);
                   });
  }
  while (under_way_ > 0) co_await sleep_until(Clock::now() + 10ms);
}

asio::awaitable<void> Load::send(Event event, Clock::time_point due, bool measured) {
  std::string request = callback(event);
  const auto sent = Clock::now();
  auto posting = nginx_.exchange(std::move(request));
  const Reply reply = co_await std::move(posting);
  const auto answered = Clock::now();
  if (measured) {
    if (result_.events++ == 0) result_.first_sent = sent;
    result_.last_sent = std::max(result_.last_sent, sent);
    add(result_.late, sent - due);
    add(result_.answered, answered - due);
    if (reply.status != 200) ++result_.refused;
  }
  if (reply.status != 200 || event.call % settings_.sample_each != 0) co_return;
  auto looking = look(event, due, answered, measured);
  co_await std::move(looking);
}

asio::awaitable<void> Load::look(Event event, Clock::time_point due, Clock::time_point answered,
                                 bool measured) {
  const auto at = versions_.try_emplace(event.call, settings_.version).first;
  const auto not_yet = missing.at(static_cast<std::size_t>(event.kind));
  for (;;) {
    auto asking = api_.exchange(question(settings_.first_call + event.call, at->second));
    const Reply reply = co_await std::move(asking);
    const auto now = Clock::now();
    if (measured) ++result_.looks;
    if (reply.status == 200) {
      at->second = std::max(at->second, version_in(reply.body));
      if (reply.body.find(not_yet) == std::string::npos) {
        if (!measured) co_return;
        add(result_.visible, now - answered);
        add(result_.whole, now - due);
        co_return;
      }
    }
    if (now - answered > patience) {  // counts for as long as it was looked for
      if (!measured) co_return;
      ++result_.unseen;
      add(result_.visible, now - answered);
      add(result_.whole, now - due);
      co_return;
    }
    // An answer that isn't 200 comes at once: not again without a pause.
    if (settings_.pause > 0ms || reply.status != 200) {
      co_await sleep_until(now + std::max(settings_.pause, 1ms));
    }
  }
}

}  // namespace cc::bench
