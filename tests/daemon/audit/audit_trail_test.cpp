// Rows are there before anything is shown, many share a transaction, and nothing waits for ever.
#include "audit/audit_trail.hpp"

#include <optional>

#include <boost/asio/detached.hpp>

#include "store/purge.hpp"
#include "store_fixture.hpp"

using namespace cc;
using namespace cc::test;

namespace {

AuditEntry entry_of(const std::string& action, std::vector<std::int64_t> calls = {}) {
  AuditEntry entry;
  entry.at = now_ms;
  entry.tenant = "acme";
  entry.key = "full";
  entry.action = action;
  entry.request_id = "request-1";
  entry.address = "203.0.113.7";
  entry.count = static_cast<std::int64_t>(calls.size());
  entry.calls = std::move(calls);
  return entry;
}

StoredAuditTrail::Limits hasty() {
  StoredAuditTrail::Limits limits;
  limits.deadline = 300ms;
  limits.waiting = 3;
  return limits;
}

struct Fixture : StoreFixture {
  void make(StoredAuditTrail::Limits limits = {}) {
    trail.emplace(executor, *pool, clock, metrics, limits);
  }

  /// The state of what keep() threw; empty = it was kept.
  asio::awaitable<void> keep(AuditEntry entry, std::string* state, int* left) {
    const auto failure = co_await failure_of(trail->keep(std::move(entry)));
    if (failure) *state = failure->sqlstate;
    --*left;
  }

  asio::awaitable<void> keep_all(std::vector<AuditEntry> entries,
                                 std::vector<std::string>* states) {
    int left = static_cast<int>(entries.size());
    states->assign(entries.size(), "");
    for (std::size_t i = 0; i < entries.size(); ++i) {
      asio::co_spawn(io, keep(std::move(entries[i]), &(*states)[i], &left), asio::detached);
    }
    while (left > 0) co_await pause(5ms);
  }

  /// Keeps them all at the same time.
  std::vector<std::string> at_once(std::vector<AuditEntry> entries) {
    std::vector<std::string> states;
    wait_for(keep_all(std::move(entries), &states));
    return states;
  }

  AuditPage page(const AuditFilter& filter, std::int64_t below = INT64_MAX,
                 std::size_t limit = 100) {
    return wait_for(trail->page(filter, below, limit));
  }

  std::string rows() { return sql("SELECT count(*) FROM audit"); }

  Metrics metrics;
  std::optional<StoredAuditTrail> trail;
};

AuditFilter of_acme() {
  AuditFilter filter;
  filter.tenant = "acme";
  return filter;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(audit_trail, Fixture)

BOOST_AUTO_TEST_CASE(a_row_says_all_and_is_committed) {
  make();
  AuditEntry entry = entry_of("numbers.shown", {720'000'000'000'000'001, 5});
  entry.count = 7;
  entry.detail = R"({"a":"b\"c"})";
  wait_for(trail->keep(entry));
  BOOST_TEST(sql("SELECT at, tenant, key, action, request_id, address, calls, count, detail FROM "
                 "audit") ==
             std::to_string(now_ms) +
                 "|acme|full|numbers.shown|request-1|203.0.113.7|{720000000000000001,5}|7|"
                 "{\"a\": \"b\\\"c\"}");
  AuditEntry bare;
  bare.tenant = "acme";
  bare.key = "command:root";
  bare.action = "key.created";
  wait_for(trail->keep(bare));
  BOOST_TEST(sql("SELECT request_id IS NULL AND address IS NULL AND calls IS NULL AND detail IS "
                 "NULL AND at > " +
                 std::to_string(now_ms) + " FROM audit WHERE key = 'command:root'") == "t");
  const AuditPage all = page(of_acme());
  BOOST_REQUIRE(all.entries.size() == 2U);
  BOOST_TEST((all.entries[1].calls == std::vector<std::int64_t>{720'000'000'000'000'001, 5}));
  BOOST_TEST(all.entries[1].count == 7);
  BOOST_TEST(all.entries[0].calls.empty());
  BOOST_TEST(all.entries[0].detail == "");
  BOOST_TEST(!all.next.has_value());
}

BOOST_AUTO_TEST_CASE(nothing_that_is_too_long_spoils_the_rows_beside_it) {
  make();
  AuditEntry entry = entry_of(std::string(100, 'a'), std::vector<std::int64_t>(3000, 4));
  entry.tenant = "acme";
  entry.key = std::string(300, 'k');
  entry.request_id = std::string(300, 'r') + "\xff";
  entry.address = std::string(300, '1');
  const auto states = at_once({entry_of("a"), entry, entry_of("b")});
  BOOST_TEST(states == (std::vector<std::string>{"", "", ""}));
  BOOST_TEST(sql("SELECT max(array_length(calls, 1)), max(count) FROM audit") == "1000|3000");
}

BOOST_AUTO_TEST_CASE(who_comes_at_the_same_time_shares_a_transaction) {
  make();
  std::vector<AuditEntry> entries;
  for (int i = 0; i < 400; ++i) entries.push_back(entry_of("numbers.shown", {i + 1}));
  for (const std::string& state : at_once(std::move(entries))) BOOST_TEST(state == "");
  BOOST_TEST(rows() == "400");
  BOOST_TEST(sql("SELECT count(DISTINCT calls[1]) FROM audit") == "400");
  BOOST_TEST(metrics.audit_rows.Value() == 400);
  BOOST_TEST(metrics.audit_batches.Value() == 1 + 1);  // the first alone, all others after it
  BOOST_TEST(metrics.audit_waiting.Value() == 0);
  BOOST_TEST(sql("SELECT count(DISTINCT xmin::text) FROM audit") == "2");
}

BOOST_AUTO_TEST_CASE(a_failure_is_everybodys_and_passes) {
  make();
  sql("ALTER TABLE audit RENAME TO elsewhere");
  const auto states = at_once({entry_of("a"), entry_of("b"), entry_of("c")});
  for (const std::string& state : states) BOOST_TEST(state == "42P01");
  BOOST_TEST(metrics.audit_failures.Value() == 3);
  sql("ALTER TABLE elsewhere RENAME TO audit");
  wait_for(trail->keep(entry_of("d")));
  BOOST_TEST(sql("SELECT string_agg(action, ' ') FROM audit") == "d");
}

BOOST_AUTO_TEST_CASE(nobody_waits_beyond_the_deadline_and_few_wait_at_all) {
  make(hasty());
  const auto blocked = [&]() -> asio::awaitable<std::vector<std::string>> {
    pg::Transaction other = co_await pool->begin();
    co_await other.query("LOCK TABLE audit IN ACCESS EXCLUSIVE MODE");
    std::vector<AuditEntry> entries;
    for (const char* action : {"a", "b", "c", "d", "e"}) entries.push_back(entry_of(action));
    std::vector<std::string> states;
    co_await keep_all(std::move(entries), &states);
    co_await other.commit();
    co_return states;
  };
  const auto states = wait_for(blocked());
  // The first is in a transaction that waits; three may stand behind it.
  for (const std::size_t i : {0U, 1U, 2U}) BOOST_TEST(states[i] == "57014", i);
  BOOST_TEST(states[4] == "53400");
  wait_for(trail->keep(entry_of("f")));
  // What nobody was shown is not told of, but for what was being committed already.
  BOOST_TEST(sql("SELECT string_agg(action, ' ' ORDER BY id) FROM audit WHERE action <> 'a'") ==
             "f");
}

BOOST_AUTO_TEST_CASE(a_database_that_is_away_shows_nothing) {
  make(hasty());
  pool = std::make_unique<pg::Pool>(executor, "host=/nowhere dbname=none", 1);
  make(hasty());
  const auto states = at_once({entry_of("a")});
  BOOST_TEST(states[0] != "");
}

BOOST_AUTO_TEST_CASE(what_was_shown_a_moment_ago_is_not_told_twice) {
  make();
  wait_for(trail->shown(entry_of("numbers.shown", {1, 2})));
  wait_for(trail->shown(entry_of("numbers.shown", {2, 1})));
  BOOST_TEST(rows() == "1");
  wait_for(trail->shown(entry_of("numbers.shown", {2, 3})));
  BOOST_TEST(sql("SELECT calls, count FROM audit ORDER BY id DESC LIMIT 1") == "{3}|1");
  AuditEntry other = entry_of("numbers.shown", {1});
  other.key = "root";
  wait_for(trail->shown(other));
  BOOST_TEST(rows() == "3");
  // More than a row names: the rest is counted.
  AuditEntry many = entry_of("numbers.shown", {1, 4});
  many.count = 5000;
  wait_for(trail->shown(many));
  BOOST_TEST(sql("SELECT calls, count FROM audit ORDER BY id DESC LIMIT 1") == "{4}|4999");
}

BOOST_AUTO_TEST_CASE(what_could_not_be_told_is_told_the_next_time) {
  make();
  sql("ALTER TABLE audit RENAME TO elsewhere");
  BOOST_CHECK_THROW(wait_for(trail->shown(entry_of("numbers.shown", {1}))), pg::Failure);
  sql("ALTER TABLE elsewhere RENAME TO audit");
  wait_for(trail->shown(entry_of("numbers.shown", {1})));
  BOOST_TEST(rows() == "1");
}

BOOST_AUTO_TEST_CASE(pages_go_on_where_they_ended_whatever_comes_in) {
  make();
  for (int i = 1; i <= 7; ++i) wait_for(trail->keep(entry_of("a" + std::to_string(i))));
  AuditEntry foreign = entry_of("x");
  foreign.tenant = "other";
  wait_for(trail->keep(foreign));
  std::string seen;
  std::optional<std::int64_t> below = INT64_MAX;
  while (below) {
    const AuditPage part = page(of_acme(), *below, 3);
    for (const AuditEntry& entry : part.entries) seen += entry.action + " ";
    below = part.next;
    wait_for(trail->keep(entry_of("late")));
  }
  BOOST_TEST(seen == "a7 a6 a5 a4 a3 a2 a1 ");
}

BOOST_AUTO_TEST_CASE(filters_find_what_they_say) {
  make();
  const auto put = [&](const std::string& action, std::int64_t at, const std::string& key,
                       std::vector<std::int64_t> calls, const std::string& request) {
    AuditEntry entry = entry_of(action, std::move(calls));
    entry.at = at;
    entry.key = key;
    entry.request_id = request;
    wait_for(trail->keep(entry));
  };
  put("a", now_ms - 3 * day_ms, "full", {1, 2}, "r1");
  put("b", now_ms - 2 * day_ms, "root", {2}, "r2");
  put("c", now_ms - day_ms - 60'000, "full", {3}, "r3");
  put("d", now_ms - day_ms, "full", {2, 3}, "r4");  // another daemon's clock
  put("e", now_ms - day_ms - 30'000, "full", {}, "r5");
  put("f", now_ms, "root", {}, "");
  const auto found = [&](const std::function<void(AuditFilter&)>& set) {
    AuditFilter filter = of_acme();
    set(filter);
    std::string actions;
    for (const AuditEntry& entry : page(filter).entries) actions += entry.action;
    return actions;
  };
  BOOST_TEST(found([](AuditFilter&) {}) == "fedcba");
  BOOST_TEST(found([](AuditFilter& filter) { filter.key = "root"; }) == "fb");
  BOOST_TEST(found([](AuditFilter& filter) { filter.action = "c"; }) == "c");
  BOOST_TEST(found([](AuditFilter& filter) { filter.request_id = "r4"; }) == "d");
  BOOST_TEST(found([](AuditFilter& filter) { filter.call = 2; }) == "dba");
  BOOST_TEST(found([](AuditFilter& filter) { filter.from_ms = now_ms - day_ms; }) == "fd");
  BOOST_TEST(found([](AuditFilter& filter) { filter.to_ms = now_ms - day_ms; }) == "ecba");
  BOOST_TEST(found([](AuditFilter& filter) {
               filter.from_ms = now_ms - 2 * day_ms;
               filter.to_ms = now_ms - day_ms - 30'000;
             }) == "cb");
  BOOST_TEST(found([](AuditFilter& filter) { filter.tenant = "other"; }) == "");
  BOOST_TEST(found([](AuditFilter& filter) { filter.from_ms = now_ms + 1; }) == "");
}

BOOST_AUTO_TEST_CASE(rows_go_when_they_have_served_their_time) {
  make();
  for (const int days : {731, 729, 1}) {
    AuditEntry entry = entry_of("d" + std::to_string(days));
    entry.at = now_ms - days * day_ms;
    wait_for(trail->keep(entry));
  }
  Retention retention;
  retention.audit = 0;
  wait_for(purge(*pool, retention, now_ms));
  BOOST_TEST(rows() == "3");
  retention.audit = 730;
  wait_for(purge(*pool, retention, now_ms));
  BOOST_TEST(sql("SELECT string_agg(action, ' ' ORDER BY id) FROM audit") == "d729 d1");
}

BOOST_AUTO_TEST_SUITE_END()
