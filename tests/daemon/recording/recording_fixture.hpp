// Calls with recordings in a database of their own, a channel that serves files, a store in memory,
// and daemons that work on them, at a time that stands still until it is moved.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>

#include "call/watch.hpp"
#include "channel/session.hpp"
#include "fleet/membership.hpp"
#include "health/channel_health.hpp"
#include "http_stage.hpp"
#include "memory_store.hpp"
#include "metrics.hpp"
#include "recording/recording_work.hpp"
#include "store_fixture.hpp"

namespace cc::test {

struct StandingClock final : Clock {
  std::int64_t epoch_ms() const override { return at_ms; }
  std::chrono::steady_clock::time_point steady() const override {
    return std::chrono::steady_clock::time_point{std::chrono::milliseconds{at_ms}};
  }
  asio::awaitable<void> sleep_for(Millis) override { co_await pause(1ms); }
  std::int64_t at_ms = now_ms;
};

struct NoLines final : Lines {
  bool serves(std::string_view, std::string_view) const override { return false; }
  asio::awaitable<Lease> lease(std::string, std::string, std::string, Millis) override {
    co_return Lease{};
  }
  void lost(std::string_view, std::string_view, const std::shared_ptr<LineSession>&) override {}
  std::int64_t line_ms() const override { return 0; }
};

inline std::string mp3(std::size_t size, char filling = 'x') {
  return "ID3" + std::string(size - 3, filling);
}

inline std::string http_answer(const std::string& head, const std::string& body) {
  return "HTTP/1.1 " + head + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         body;
}

struct RecordingFixture : StoreFixture {
  /// One ccd.
  struct Site {
    Site(RecordingFixture& its, const std::string& id)
        : fixture(its),
          membership(*its.pool, its.at, id, "test", [] { return MemberNews{}; }),
          health(its.config, *its.pool, its.channels, membership, its.at, its.metrics) {
      its.wait_for(membership.join());
      work = std::make_unique<RecordingWork>(parts(), its.http, its.store, its.executor,
                                             [&its] { return its.fleet_ms.value_or(its.at.at_ms); });
    }
    Parts parts() {
      return {fixture.config,  *fixture.pool, fixture.channels, membership, fixture.at,
              fixture.metrics, fixture.watch, fixture.lines,    health};
    }
    /// One pass, and all that it began.
    void run() {
      look();
      fixture.await([&] { return work->in_hand() == 0; });
    }
    void look() {
      BOOST_REQUIRE(fixture.wait_for(membership.beat()));
      fixture.wait_for(work->look());
    }
    void die() { fixture.sql("UPDATE daemon SET seen = 'epoch' WHERE id = '" + id() + "'"); }
    std::string id() const { return membership.id(); }

    RecordingFixture& fixture;
    Membership membership;
    ChannelHealth health;
    std::unique_ptr<RecordingWork> work;
  };

  RecordingFixture() {
    config.recordings.at_once = 4;
    configure();
    make_months(now_ms - 60 * day_ms, now_ms + 30 * day_ms);
  }
  ~RecordingFixture() {
    // What is under way refers to the sites.
    for (const auto& site : sites) wait_for(site->work->stop(at.steady() + std::chrono::hours{1}));
    pool.reset();
    sites.clear();
  }

  void configure() {
    ChannelConfig e9;
    e9.code = e9.kind = "e9";
    e9.default_tenant = "demo";
    e9.e9.account_sid = std::string(32, 'a');
    e9.e9.auth_token = std::string(32, 'b');
    e9.recordings.ready_after = std::chrono::minutes{10};
    e9.recordings.kept = std::chrono::hours{30 * 24};
    e9.recordings.hosts = hosts;
    e9.e9.base_url = base_url;
    ChannelConfig hw;
    hw.code = hw.kind = "hw";
    hw.default_tenant = "demo";
    hw.recordings.ready_after = std::chrono::minutes{1};
    hw.hw.files.url = stage.url("/CCFS/resource/ccfs/downloadRecord");
    hw.hw.files.access_key = "ak";
    hw.hw.files.secret_key = "sk";
    channels.configure({{"e9", e9}, {"hw", hw}});
  }

  Site& site(const std::string& id = "a") {
    sites.push_back(std::make_unique<Site>(*this, id));
    return *sites.back();
  }

  /// The loop goes on until it is so.
  template <class Condition>
  void await(Condition condition) {
    bool met = false;
    const auto look = [&]() -> asio::awaitable<void> {
      const auto until = std::chrono::steady_clock::now() + 30s;
      while (!(met = condition()) && std::chrono::steady_clock::now() < until) co_await pause(1ms);
    };
    wait_for(look());
    BOOST_REQUIRE(met);
  }

  /// A call whose end named a file of the channel's.
  std::int64_t make_recorded_call(int sequence, const std::string& path,
                                  std::int64_t at_ms = now_ms - 3'600'000) {
    return make_call_with(sequence, stage.url(path), at_ms);
  }
  std::int64_t make_call_with(int sequence, const std::string& url,
                              std::int64_t at_ms = now_ms - 3'600'000) {
    const std::int64_t id = make_call(at_ms, sequence, "13812340000");
    hear(id, "Hangup", at_ms + 60'000,
         "<duration>60</duration><byeType>0</byeType><recordUrl>" + url + "</recordUrl>");
    return id;
  }

  std::string row(std::int64_t call, const std::string& columns,
                  const std::string& file = "audio") {
    return sql("SELECT " + columns + " FROM recording WHERE call = " + std::to_string(call) +
               " AND file = '" + file + "'");
  }
  std::string record(std::int64_t call, const std::string& columns) {
    return sql("SELECT " + columns + " FROM call_record WHERE id = " + std::to_string(call));
  }
  std::string changes(std::int64_t call, const std::string& kind) {
    return sql("SELECT count(*) FROM change WHERE call = " + std::to_string(call) +
               " AND kind = '" + kind + "'");
  }
  static std::string object_of(std::int64_t call, const std::string& ending = ".mp3") {
    return "demo/2026/06/15/" + std::to_string(call) + ending;
  }

  /// Of the channel: a path's answers, one after the other, the last again and again.
  std::map<std::string, std::deque<std::string>> answers;

  asio::awaitable<void> serve(HttpStage::Guest& guest) {
    for (;;) {
      const std::size_t before = guest.received.size();
      const bool more = co_await read_request(guest);
      if (!more) co_return;
      const std::size_t from = guest.received.find(' ', before) + 1;
      const std::string path =
          guest.received.substr(from, guest.received.find_first_of(" ?", from) - from);
      ++asked[path];
      std::string answer = http_answer("404 Not Found", "");
      if (auto& list = answers[path]; !list.empty()) {
        answer = list.front();
        if (list.size() > 1) list.pop_front();
      }
      if (answer.empty()) co_return;
      co_await write_all(guest, answer);
      // A body that is shorter than it was said to be ends with the link.
      const std::size_t head = answer.find("\r\n\r\n");
      const std::size_t length = answer.find("Content-Length: ");
      if (std::stoul(answer.substr(length + 16)) != answer.size() - head - 4) co_return;
    }
  }

  Config config;
  StandingClock at;
  std::optional<std::int64_t> fleet_ms;  // nothing: as `at`
  Metrics metrics;
  NoLines lines;
  Watch watch{*pool, at};
  MemoryStore store;
  std::vector<std::string> hosts{"127.0.0.1"};
  std::string base_url = "https://e9.example.com";
  std::map<std::string, int> asked;
  HttpStage stage{io, [this](HttpStage::Guest& guest) { return serve(guest); }};
  std::vector<std::unique_ptr<Site>> sites;
};

}  // namespace cc::test
