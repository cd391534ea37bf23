// /v1/audit over a trail that only notes what it was asked.
#include <boost/test/unit_test.hpp>

#include "noun_rig.hpp"

using namespace cc;
using namespace cc::test;

namespace {

struct NotedTrail final : AuditTrail {
  asio::awaitable<void> keep(AuditEntry) override { co_return; }
  asio::awaitable<void> shown(AuditEntry) override { co_return; }
  asio::awaitable<AuditPage> page(AuditFilter wanted, std::int64_t wanted_below,
                                  std::size_t wanted_limit) override {
    filter = std::move(wanted);
    below = wanted_below;
    limit = wanted_limit;
    co_return answer;
  }
  AuditFilter filter;
  std::int64_t below = 0;
  std::size_t limit = 0;
  AuditPage answer;
};

struct AuditRig : NounRig {
  AuditRig() {
    nouns.audit = &trail;
    build();
  }
  NotedTrail trail;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(audit_routes_test, AuditRig)

BOOST_AUTO_TEST_CASE(a_page_says_who_was_shown_what) {
  AuditEntry entry;
  entry.id = 7;
  entry.at = 5;
  entry.key = "full";
  entry.action = "calls.exported";
  entry.calls = {720'000'000'000'000'001};
  entry.count = 9;
  entry.detail = R"({"state":"close"})";
  trail.answer.entries = {entry};
  trail.answer.next = 7;
  const boost::json::object page = document(ask("GET", "/v1/audit"));
  BOOST_TEST(
      boost::json::serialize(page) ==
      R"({"items":[{"id":"7","at":5,"key":"full","action":"calls.exported","requestId":null,)"
      R"("address":null,"callIds":["720000000000000001"],"count":9,)"
      R"("detail":{"state":"close"}}],"next":"7"})");
  BOOST_TEST(trail.filter.tenant == "acme");
  BOOST_TEST(trail.filter.from_ms == clock.epoch_ms() - std::int64_t{31} * 86'400'000);
  BOOST_TEST(trail.below == INT64_MAX);
  BOOST_TEST(trail.limit == 50U);
}

BOOST_AUTO_TEST_CASE(filters_reach_the_trail) {
  ask("GET",
      "/v1/audit?key=full&action=numbers.shown&from=1970-01-01T00:00:01Z&to=2000&cursor=9&limit=3");
  BOOST_TEST(trail.filter.key.value() == "full");
  BOOST_TEST(trail.filter.action.value() == "numbers.shown");
  BOOST_TEST(trail.filter.from_ms == 1000);
  BOOST_TEST(trail.filter.to_ms == 2000);
  BOOST_TEST(trail.below == 9);
  BOOST_TEST(trail.limit == 3U);
  // What names its rows is looked for at any time.
  ask("GET", "/v1/audit?callId=720000000000000001");
  BOOST_TEST(trail.filter.call.value() == 720'000'000'000'000'001);
  BOOST_TEST(trail.filter.from_ms == 0);
  ask("GET", "/v1/audit?requestId=r1");
  BOOST_TEST(trail.filter.request_id.value() == "r1");
  BOOST_TEST(trail.filter.from_ms == 0);
}

BOOST_AUTO_TEST_CASE(what_is_wrong_is_named_and_only_administrators_ask) {
  const auto wrong = [&](const std::string& query) {
    return invalid(ask("GET", "/v1/audit?" + query));
  };
  BOOST_TEST(wrong("callId=x") == "query callId");
  BOOST_TEST(wrong("from=yesterday") == "query from");
  BOOST_TEST(wrong("from=3&to=2") == "query to");
  BOOST_TEST(wrong("limit=201") == "query limit");
  BOOST_TEST(wrong("who=me") == "query who");
  BOOST_TEST(problem(ask("GET", "/v1/audit", "", "full")) == "missing-scope");
  BOOST_TEST(ask("DELETE", "/v1/audit").status == 405U);
}

BOOST_AUTO_TEST_SUITE_END()
