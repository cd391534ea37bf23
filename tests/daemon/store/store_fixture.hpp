// A database with CC's schema for each test, and calls in it with the history that they would have.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "channel/channels.hpp"
#include "dispatch/batch.hpp"
#include "dispatch/waiting.hpp"
#include "io/clock.hpp"
#include "io/http_client.hpp"
#include "migrate.hpp"
#include "pg_fixture.hpp"
#include "record.hpp"

namespace cc::test {

inline constexpr std::int64_t now_ms = 1'781'524'800'000;  // 2026-06-15T12:00:00Z
inline constexpr std::int64_t day_ms = 86'400'000;

struct StoreFixture : PgFixture {
  StoreFixture() {
    static int number = 0;
    const bool first = number == 0;
    database = "store_" + std::to_string(++number);
    if (first) {
      server.create_database("store_template");
      run_until_done(io, make_schema());
    }
    server.sql("CREATE DATABASE " + database + " TEMPLATE store_template");
    pool = std::make_unique<pg::Pool>(executor, server.conninfo(database), 4);
    ChannelConfig e9;
    e9.code = e9.kind = "e9";
    e9.default_tenant = "demo";
    channels.configure({{"e9", e9}});
  }
  ~StoreFixture() {
    pool.reset();
    io.restart();
    io.poll();
  }
  StoreFixture(const StoreFixture&) = delete;

  asio::awaitable<void> make_schema() {
    auto connection =
        co_await pg::Connection::connect(executor, server.conninfo("store_template"), 5000ms);
    co_await migrate(*connection);
  }

  std::string sql(const std::string& text) { return server.sql(text, database); }

  template <class T>
  T wait_for(asio::awaitable<T> work) {
    std::optional<T> result;
    run_until_done(io, keep_result(std::move(work), result));
    return *std::move(result);
  }
  void wait_for(asio::awaitable<void> work) { run_until_done(io, std::move(work)); }

  /// The months of [from, to) get their partitions.
  void make_months(std::int64_t from_ms, std::int64_t to_ms) {
    sql("SELECT cc_make_partitions(" + std::to_string(from_ms) + ", " + std::to_string(to_ms) +
        ")");
  }

  /// A call as it is created and sent. What the channel says of it comes by hear().
  std::int64_t make_call(std::int64_t at_ms, int sequence, const std::string& customer) {
    const std::int64_t id = make_call_id(at_ms, sequence);
    const std::string number = std::to_string(id), at = std::to_string(at_ms);
    sql("INSERT INTO call_record (id, tenant, direction, initiator, caller, called, max_duration, "
        "created, updated) VALUES (" +
        number + ", 'demo', 'out', 'agent', '13900000001', '" + customer + "', 3600, " + at + ", " +
        at +
        "); INSERT INTO call_attempt (call, attempt, tenant, channel, agent, handset, caller, "
        "called, state, created, sent) VALUES (" +
        number + ", 1, 'demo', 'e9', '13900000001', '13900000001', '13900000001', '" + customer +
        "', 'sending', " + at + ", " + at + ")");
    Facts line;
    line.channel = "e9";
    line.agent = "13900000001";
    NewEvents events;
    events[id].push_back(own_event(id, 1, EventName::attempt_planned, at_ms, line));
    events[id].push_back(own_event(id, 1, EventName::attempt_sent, at_ms));
    wait_for(store(std::move(events), at_ms));
    return id;
  }

  /// A callback of the channel about it, through understanding.
  void hear(std::int64_t id, const std::string& action, std::int64_t at_ms,
            const std::string& more = {}) {
    Delivery delivery;
    delivery.received_ms = at_ms;
    delivery.body = "<req><action>" + action + "</action><appId>a</appId><callId>" +
                    channel_call(id) + "</callId><userFlag>0</userFlag><userData>cc1." +
                    std::to_string(id) + ".1</userData>" + more + "</req>";
    std::vector<StreamEntry> entries(1);
    entries[0].field = "e9";
    entries[0].value = encode_envelope(delivery);
    Batch batch = understand_batch(entries, channels, at_ms);
    BOOST_REQUIRE(batch.unreadable.empty());
    BOOST_REQUIRE_EQUAL(batch.events.size(), 1U);
    wait_for(store_heard(std::move(batch), at_ms));
  }

  /// A whole call.
  std::int64_t make_closed_call(std::int64_t at_ms, int sequence, const std::string& customer) {
    const std::int64_t id = make_call(at_ms, sequence, customer);
    hear(id, "CallInvite", at_ms + 1000);
    hear(id, "CallEstablish", at_ms + 9000, "<type>1</type>");
    hear(id, "Hangup", at_ms + 69'000, "<duration>60</duration><byeType>1</byeType>");
    return id;
  }

  static std::string channel_call(std::int64_t id) {
    const std::string digits = std::to_string(id);
    return std::string(32 - digits.size(), '0') + digits;
  }

  std::string database;
  std::unique_ptr<pg::Pool> pool;
  HttpClient http{executor};
  SystemClock clock;
  Channels channels{http, clock};

 private:
  template <class T>
  static asio::awaitable<void> keep_result(asio::awaitable<T> work, std::optional<T>& result) {
    result = co_await std::move(work);
  }
  asio::awaitable<void> store(NewEvents events, std::int64_t at_ms) {
    pg::Transaction transaction = co_await pool->begin();
    const FoldReport report = co_await fold_events(transaction, events, at_ms);
    BOOST_REQUIRE(report.unknown.empty());
    co_await transaction.commit();
  }
  asio::awaitable<void> store_heard(Batch batch, std::int64_t at_ms) {
    pg::Transaction transaction = co_await pool->begin();
    const Known known = co_await look_up(transaction, batch.events);
    co_await store_events(transaction, channels, std::move(batch.events), known, at_ms);
    co_await transaction.commit();
  }
};

}  // namespace cc::test
