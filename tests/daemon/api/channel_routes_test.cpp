// /v1/channels over a fake: what is shown to whom, what may be set.
#include "noun_rig.hpp"

using namespace cc;
using namespace cc::test;

namespace {

namespace json = boost::json;

struct FakeDesk final : ChannelDesk {
  asio::awaitable<std::vector<ChannelReport>> list(std::string tenant, OptText channel) override {
    asked = tenant + " " + channel.value_or("*");
    std::vector<ChannelReport> reports;
    if (there) reports.push_back(report);
    co_return reports;
  }
  asio::awaitable<std::optional<ChannelReport>> set(std::string tenant, std::string channel,
                                                    ChannelWish what, std::string who) override {
    asked = tenant + " " + channel + " " + who;
    wish = what;
    if (!there) co_return std::nullopt;
    co_return report;
  }

  ChannelReport report;
  ChannelWish wish;
  std::string asked;
  bool there = true;
};

struct Fixture : NounRig {
  Fixture() {
    ChannelReport& report = desk.report;
    report.channel = report.kind = "e9";
    report.state = "open";
    report.standing = "out";
    report.since = 5;
    report.why = "7 of 10 failed: no answer of 13900000002";
    report.next_trial = 20;
    report.judged = 10;
    report.failed = 7;
    report.originated = 4;
    report.answered = 3;
    report.event_p50 = 800;
    report.missing = 2;
    report.query_backlog = 9;
    report.lines_free = 1;
    report.lines_busy = 2;
    report.lines_offline = 3;
    report.refused_numbers.push_back({"4001234567", "1003", 7, 2});
    report.changes.push_back({5, "closed", "open", "7 of 10 failed"});
    nouns.channels = &desk;
    build();
  }
  FakeDesk desk;
};

const std::string path = "/v1/channels/e9";

}  // namespace

BOOST_FIXTURE_TEST_SUITE(channel_routes_test, Fixture)

BOOST_AUTO_TEST_CASE(a_channel_is_shown_in_words_and_figures) {
  const api::Response shown = ask("GET", path);
  BOOST_TEST(desk.asked == "acme e9");
  BOOST_TEST(json::serialize(document(shown)) ==
             R"({"channel":"e9","kind":"e9","state":"open","standing":"out","since":5,)"
             R"("why":"7 of 10 failed: no answer of 139****0002","nextTrial":20,"enabled":true,)"
             R"("force":null,"priority":100,"weight":1,"judged":10,"failed":7,"errorRate":7E-1,)"
             R"("originated":4,"answered":3,"answerRate":7.5E-1,)"
             R"("callbackDelay":{"p50":800,"p99":null},"missingEvents":2,"queryBacklog":9,)"
             R"("lines":{"free":1,"busy":2,"offline":3},)"
             R"("refusedNumbers":[{"number":"4001234567","code":"1003","last":7,"count":2}],)"
             R"("changes":[{"at":5,"was":"closed","state":"open","why":"7 of 10 failed"}]})");
  const api::Response masked = ask("GET", path, {}, "reader");
  BOOST_TEST(masked.status == 200U);
  BOOST_TEST(!holds(masked.body, "4001234567"));
  desk.report = {};
  const json::object calm = document(ask("GET", path));
  for (const char* name : {"since", "why", "nextTrial", "errorRate", "answerRate"}) {
    BOOST_TEST(calm.at(name).is_null(), name);
  }
  desk.there = false;
  BOOST_TEST(problem(ask("GET", path)) == "channel-not-found");
  BOOST_TEST(problem(ask("PATCH", path, R"({"enabled":true})")) == "channel-not-found");
  BOOST_TEST(!holds(logged.str(), "audit"));
}

BOOST_AUTO_TEST_CASE(all_are_listed) {
  BOOST_TEST(document(ask("GET", "/v1/channels")).at("items").as_array().size() == 1U);
  BOOST_TEST(desk.asked == "acme *");
  BOOST_TEST(problem(ask("GET", "/v1/channels?x=1")) == "invalid-request");
}

BOOST_AUTO_TEST_CASE(what_is_named_is_set) {
  BOOST_TEST(ask("PATCH", path, R"({"enabled":false,"force":"open","priority":0,"weight":10000})")
                 .status == 200U);
  BOOST_TEST(desk.asked == "acme e9 acme/admin");
  BOOST_TEST(desk.wish.enabled.value().value() == false);
  BOOST_TEST(desk.wish.forced.value().value() == "open");
  BOOST_TEST(desk.wish.priority.value().value() == 0);
  BOOST_TEST(desk.wish.weight.value().value() == 10'000);
  BOOST_TEST(holds(logged.str(),
                   "audit request=request-1 tenant=acme key=admin sets=channel/e9 enabled=false "
                   "force=open priority=0 weight=10000"),
             logged.str());
  ask("PATCH", path, R"({"force":null,"priority":null})");
  BOOST_TEST(!desk.wish.enabled);
  BOOST_TEST(!desk.wish.weight);
  BOOST_TEST(desk.wish.forced.has_value());
  BOOST_TEST(!*desk.wish.forced);
  BOOST_TEST(desk.wish.priority.has_value());
  BOOST_TEST(!*desk.wish.priority);
  ask("PATCH", path, R"({"enabled":null,"weight":null})");
  BOOST_TEST(desk.wish.enabled.has_value());
  BOOST_TEST(!*desk.wish.enabled);
  BOOST_TEST(desk.wish.weight.has_value());
}

BOOST_AUTO_TEST_CASE(a_wrong_body_is_told) {
  const auto wrong = [&](const std::string& body) { return invalid(ask("PATCH", path, body)); };
  BOOST_TEST(wrong(R"({"enabled":1,"force":"half","priority":-1,"weight":0,"state":"open"})") ==
             "enabled force priority weight state");
  BOOST_TEST(wrong(R"({"priority":10001,"weight":1.5})") == "priority weight");
  BOOST_TEST(wrong("{}") == "body");
  BOOST_TEST(problem(ask("PATCH", path)) == "unsupported-media-type");
  BOOST_TEST(desk.asked == "");
}

BOOST_AUTO_TEST_CASE(who_may_what) {
  BOOST_TEST(ask("GET", path, {}, "reader").status == 200U);
  BOOST_TEST(problem(ask("GET", path, {}, "caller")) == "missing-scope");
  BOOST_TEST(problem(ask("PATCH", path, R"({"enabled":true})", "full")) == "missing-scope");
  nouns = {};
  build();
  BOOST_TEST(problem(ask("GET", path)) == "not-found");
}

BOOST_AUTO_TEST_SUITE_END()
