// What is kept of refused requests, and how much of a flood.
#include "query/rejection_store.hpp"

#include <functional>
#include <set>

#include "store_fixture.hpp"

using namespace cc;
using namespace cc::test;

namespace {

struct Fixture : StoreFixture {
  RejectionStore store(RejectionRate rate = {}) { return {*pool, clock, metrics, rate}; }

  static Rejection refused(const std::string& code = "line-busy") {
    Rejection rejection;
    rejection.tenant = "demo";
    rejection.key = "crm";
    rejection.at = now_ms;
    rejection.status = 409;
    rejection.code = code;
    rejection.detail = "phone 139****0001 is in another call";
    rejection.request_id = "r-1";
    rejection.caller = "139****0001";
    rejection.called = "138****5678";
    rejection.agent = "291";
    rejection.user = "zhang";
    rejection.channel = "e9";
    rejection.business = "sales";
    rejection.biz_type = "order";
    rejection.biz_id = "42";
    rejection.call = 77;
    return rejection;
  }

  std::string count() { return sql("SELECT count(*) FROM rejection"); }

  Metrics metrics;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(rejection_store, Fixture)

BOOST_AUTO_TEST_CASE(what_was_kept_is_read_back_whole) {
  RejectionStore rejections = store();
  wait_for(rejections.keep(refused()));
  RejectionFilter filter;
  filter.tenant = "demo";
  const RejectionPage page = wait_for(rejections.page(filter, INT64_MAX, 10));
  BOOST_REQUIRE(page.rejections.size() == 1U);
  BOOST_TEST(!page.next.has_value());
  const Rejection& one = page.rejections[0];
  const Rejection wanted = refused();
  BOOST_TEST(one.id > 0);
  BOOST_TEST(one.at == wanted.at);
  BOOST_TEST(one.status == 409);
  BOOST_TEST(one.key + one.code + one.detail + one.request_id ==
             wanted.key + wanted.code + wanted.detail + wanted.request_id);
  BOOST_TEST((one.caller == wanted.caller && one.called == wanted.called));
  BOOST_TEST((one.agent == wanted.agent && one.user == wanted.user));
  BOOST_TEST((one.channel == wanted.channel && one.business == wanted.business));
  BOOST_TEST((one.biz_type == wanted.biz_type && one.biz_id == wanted.biz_id));
  BOOST_TEST(one.call.value() == 77);
}

BOOST_AUTO_TEST_CASE(what_is_too_long_or_no_text_is_cut_and_repaired) {
  Rejection rejection = refused();
  rejection.detail = std::string(5000, 'x');
  rejection.agent = std::string(300, 'a');
  rejection.user = "\xff\xfe";
  rejection.channel = "far too long";
  rejection.biz_id = std::string("a\0b", 3);
  rejection.called = std::string(40, '*');
  RejectionStore rejections = store();
  wait_for(rejections.keep(rejection));
  BOOST_TEST(sql("SELECT length(detail), length(agent), length(channel), biz_id, length(called) "
                 "FROM rejection") == "256|64|8|ab|16");
}

BOOST_AUTO_TEST_CASE(each_filter_finds_its_rows) {
  RejectionStore rejections = store();
  wait_for(rejections.keep(refused()));
  Rejection other = refused("no-channel");
  other.tenant = "other";
  wait_for(rejections.keep(other));
  other.tenant = "demo";
  other.agent = other.user = other.channel = other.biz_type = other.biz_id = "other";
  other.request_id = "r-2";
  other.at = now_ms - day_ms;
  wait_for(rejections.keep(other));
  const auto found = [&](const std::function<void(RejectionFilter&)>& set) {
    RejectionFilter filter;
    filter.tenant = "demo";
    set(filter);
    std::string codes;
    for (const Rejection& one : wait_for(rejections.page(filter, INT64_MAX, 10)).rejections) {
      codes += one.code + " ";
    }
    return codes;
  };
  BOOST_TEST(found([](RejectionFilter&) {}) == "no-channel line-busy ");
  BOOST_TEST(found([](RejectionFilter& f) { f.code = "line-busy"; }) == "line-busy ");
  BOOST_TEST(found([](RejectionFilter& f) { f.agent = "291"; }) == "line-busy ");
  BOOST_TEST(found([](RejectionFilter& f) { f.user = "zhang"; }) == "line-busy ");
  BOOST_TEST(found([](RejectionFilter& f) { f.channel = "e9"; }) == "line-busy ");
  BOOST_TEST(found([](RejectionFilter& f) { f.biz_type = "order"; }) == "line-busy ");
  BOOST_TEST(found([](RejectionFilter& f) { f.biz_id = "42"; }) == "line-busy ");
  BOOST_TEST(found([](RejectionFilter& f) { f.request_id = "r-2"; }) == "no-channel ");
  BOOST_TEST(found([](RejectionFilter& f) { f.from_ms = now_ms; }) == "line-busy ");
  BOOST_TEST(found([](RejectionFilter& f) { f.to_ms = now_ms; }) == "no-channel ");
}

BOOST_AUTO_TEST_CASE(pages_go_on_below_the_last) {
  sql("INSERT INTO rejection (tenant, at, code) SELECT 'demo', " + std::to_string(now_ms) +
      ", 'c' || n FROM generate_series(1, 45) AS n");
  RejectionStore rejections = store();
  RejectionFilter filter;
  filter.tenant = "demo";
  std::set<std::string> codes;
  std::optional<std::int64_t> below = INT64_MAX;
  int pages = 0;
  for (; below && pages < 10; ++pages) {
    const RejectionPage page = wait_for(rejections.page(filter, *below, 20));
    for (const Rejection& one : page.rejections) BOOST_TEST(codes.insert(one.code).second);
    below = page.next;
    wait_for(rejections.keep(refused("new")));  // above what is read
  }
  BOOST_TEST(pages == 3);
  BOOST_TEST(codes.size() == 45U);
}

BOOST_AUTO_TEST_CASE(a_flood_is_thinned_and_counted_one_tenant_s_is_no_other_s) {
  RejectionStore rejections = store({.per_second = 0, .burst = 5});
  for (int i = 0; i < 12; ++i) wait_for(rejections.keep(refused()));
  BOOST_TEST(count() == "5");
  BOOST_TEST(metrics.rejections_left_out.Value() == 7);
  Rejection other = refused();
  other.tenant = "other";
  wait_for(rejections.keep(other));
  BOOST_TEST(count() == "6");
}

BOOST_AUTO_TEST_CASE(what_can_t_be_kept_is_counted_and_nothing_is_thrown) {
  sql("DROP TABLE rejection");
  RejectionStore rejections = store();
  wait_for(rejections.keep(refused()));
  BOOST_TEST(metrics.rejections_left_out.Value() == 1);
}

BOOST_AUTO_TEST_SUITE_END()
