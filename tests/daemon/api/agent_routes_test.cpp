// /v1/agents over a fake: what it asks for, what it answers, what it keeps to itself.
#include "io/pg.hpp"
#include "noun_rig.hpp"

using namespace cc;
using namespace cc::test;

namespace {

namespace json = boost::json;
using Code = AgentRefusal::Code;

struct FakeAgents final : Agents {
  asio::awaitable<std::variant<Put, AgentRefusal>> put(AgentWish wish) override {
    wishes.push_back(wish);
    if (away) throw pg::Failure("", "connection lost");
    if (refusal) co_return *refusal;
    co_return Put{agent, created};
  }
  asio::awaitable<std::optional<Agent>> get(std::string tenant, std::string channel,
                                            std::string number) override {
    asked = tenant + " " + channel + " " + number;
    if (refusal) co_return std::nullopt;
    co_return agent;
  }
  asio::awaitable<std::vector<Agent>> list(std::string tenant, AgentFilter wanted) override {
    asked = tenant;
    filter = wanted;
    std::vector<Agent> agents(3, agent);
    agents[1].agent = "292";
    if (agents.size() > static_cast<std::size_t>(wanted.limit)) {
      agents.resize(static_cast<std::size_t>(wanted.limit));
    }
    co_return agents;
  }
  asio::awaitable<std::optional<AgentRefusal>> remove(std::string tenant, std::string channel,
                                                      std::string number) override {
    asked = tenant + " " + channel + " " + number;
    co_return refusal;
  }
  asio::awaitable<std::variant<Agent, AgentRefusal>> retry(std::string tenant, std::string channel,
                                                           std::string number) override {
    asked = tenant + " " + channel + " " + number;
    if (refusal) co_return *refusal;
    co_return agent;
  }

  asio::awaitable<std::variant<Release, AgentRefusal>> release(ReleaseOrder wanted) override {
    order = wanted;
    if (refusal) co_return *refusal;
    Release done;
    done.agent = agent;
    done.call = held;
    co_return done;
  }

  Agent agent{"hw",
              "291",
              "acme",
              "13900000001",
              true,
              "online",
              "failing",
              "no answer of 13900000002",
              5,
              6,
              720'000'000'000'000'001};
  bool created = true, away = false;
  std::optional<AgentRefusal> refusal;
  std::vector<AgentWish> wishes;
  std::string asked;
  AgentFilter filter;
  ReleaseOrder order;
  std::optional<std::int64_t> held = 720'000'000'000'000'001;
};

struct Fixture : NounRig {
  Fixture() {
    nouns.agents = &agents;
    build();
  }
  FakeAgents agents;
};

const std::string path = "/v1/agents/hw/291";

}  // namespace

BOOST_FIXTURE_TEST_SUITE(agent_routes_test, Fixture)

BOOST_AUTO_TEST_CASE(an_agent_is_put) {
  const api::Response made =
      ask("PUT", path, R"({"handset":"139 0000 0001","password":"s3cret","desired":"online"})");
  BOOST_TEST(made.status == 201U);
  BOOST_TEST((made.headers.at(0) == std::pair<std::string, std::string>("Location", path)));
  BOOST_TEST(json::serialize(document(made)) ==
             R"({"channel":"hw","agent":"291","handset":"13900000001","hasPassword":true,)"
             R"("desired":"online","actual":"failing","reason":"no answer of 139****0002",)"
             R"("since":5,"updated":6,"call":"720000000000000001"})");
  const AgentWish& wish = agents.wishes.at(0);
  BOOST_TEST(wish.tenant == "acme");
  BOOST_TEST(wish.channel == "hw");
  BOOST_TEST(wish.agent == "291");
  BOOST_TEST(wish.handset.value() == "139 0000 0001");
  BOOST_TEST(wish.password.value() == "s3cret");
  BOOST_TEST(wish.online.value());
  BOOST_TEST(holds(logged.str(),
                   "audit request=request-1 tenant=acme key=admin creates=agent/hw/291 "
                   "handset=139****0001 password=set desired=online"),
             logged.str());
  agents.created = false;
  const api::Response set = ask("PUT", path, "{\"handset\":null}");
  BOOST_TEST(set.status == 200U);
  BOOST_TEST(set.headers.size() == 1U);  // Cache-Control
  BOOST_TEST(!agents.wishes.at(1).handset);
  BOOST_TEST(!agents.wishes.at(1).password);
  BOOST_TEST(!agents.wishes.at(1).online);
  BOOST_TEST(!holds(logged.str(), "s3cret"));
  BOOST_TEST(!holds(made.body, "s3cret"));
}

BOOST_AUTO_TEST_CASE(a_wrong_body_is_told) {
  const api::Response wrong =
      ask("PUT", path,
          R"({"handset":1,"password":["s3cret"],"desired":"yes","tenant":"x","13812345678":1})");
  BOOST_TEST(problem(wrong) == "invalid-request");
  BOOST_TEST(invalid(wrong) == "handset password desired tenant 138****5678");
  BOOST_TEST(!holds(wrong.body, "s3cret"));
  BOOST_TEST(problem(ask("PUT", path, "[]")) == "invalid-request");
  BOOST_TEST(problem(ask("PUT", path, "{")) == "malformed-request");
  BOOST_TEST(problem(ask("PUT", path)) == "unsupported-media-type");
  BOOST_TEST(problem(ask("PUT", path + "?dry=1", "{}")) == "invalid-request");
  BOOST_TEST(agents.wishes.empty());
}

BOOST_AUTO_TEST_CASE(refusals_are_problems) {
  const auto refuse = [&](Code code, const std::string& field) {
    agents.refusal = AgentRefusal{code, field, "because of the test", 77};
    return ask("PUT", path, "{}");
  };
  api::Response answer = refuse(Code::invalid, "handset");
  BOOST_TEST(problem(answer) == "invalid-request");
  BOOST_TEST(invalid(answer) == "handset");
  BOOST_TEST(invalid(refuse(Code::invalid, "agent")) == "path agent");
  answer = refuse(Code::unknown_channel, "channel");
  BOOST_TEST(problem(answer) == "unknown-channel");
  BOOST_TEST(invalid(answer) == "path channel");
  answer = refuse(Code::not_found, "agent");
  BOOST_TEST(answer.status == 404U);
  BOOST_TEST(problem(answer) == "agent-not-found");
  answer = refuse(Code::line_busy, "handset");
  BOOST_TEST(answer.status == 409U);
  BOOST_TEST(problem(answer) == "line-busy");
  BOOST_TEST(document(answer).at("callId").as_string() == "77");
  answer = refuse(Code::no_key, "password");
  BOOST_TEST(answer.status == 503U);
  BOOST_TEST(problem(answer) == "no-agents-key");
  BOOST_TEST(!document(answer).at("retryable").as_bool());
  BOOST_TEST(!holds(logged.str(), "audit"));
  agents.away = true;
  BOOST_TEST(problem(ask("PUT", path, "{}")) == "storage-unavailable");
}

BOOST_AUTO_TEST_CASE(one_is_shown_tried_again_and_deleted) {
  BOOST_TEST(ask("GET", path).status == 200U);
  BOOST_TEST(agents.asked == "acme hw 291");
  BOOST_TEST(ask("POST", path + "/retry").status == 202U);
  BOOST_TEST(holds(logged.str(), "retries=agent/hw/291"));
  const api::Response gone = ask("DELETE", path);
  BOOST_TEST(gone.status == 204U);
  BOOST_TEST(gone.body == "");
  BOOST_TEST(holds(logged.str(), "deletes=agent/hw/291"));
  agents.refusal = AgentRefusal{Code::not_found, "agent", "none", {}};
  for (const char* method : {"GET", "DELETE"}) {
    BOOST_TEST(problem(ask(method, path)) == "agent-not-found");
  }
  BOOST_TEST(problem(ask("POST", path + "/retry")) == "agent-not-found");
  agents.asked = "";
  for (const char* method : {"GET", "DELETE"}) {
    BOOST_TEST(problem(ask(method, "/v1/agents/hw/%FF")) == "agent-not-found");
  }
  BOOST_TEST(agents.asked == "");
}

BOOST_AUTO_TEST_CASE(a_stuck_line_is_released) {
  agents.agent.call.reset();
  api::Response done = ask("POST", path + "/release", R"({"reason":"王's phone 13900000001"})");
  BOOST_TEST(done.status == 200U);
  BOOST_TEST(document(done).at("agent").as_string() == "291");
  BOOST_TEST(document(done).at("released").as_string() == "720000000000000001");
  BOOST_TEST(document(done).at("call").is_null());
  BOOST_TEST(trace.call == "720000000000000001");
  BOOST_TEST(agents.order.tenant == "acme");
  BOOST_TEST(agents.order.channel == "hw");
  BOOST_TEST(agents.order.agent == "291");
  BOOST_TEST(agents.order.reason.value() == "王's phone 13900000001");
  BOOST_TEST(agents.order.request_id == "request-1");
  BOOST_TEST(holds(logged.str(),
                   "releases=agent/hw/291 call=720000000000000001 reason=王's phone 139****0001"),
             logged.str());
  agents.held.reset();
  done = ask("POST", path + "/release");  // the body may be left out
  BOOST_TEST(done.status == 200U);
  BOOST_TEST(document(done).at("released").is_null());
  BOOST_TEST(!agents.order.reason);
  BOOST_TEST(trace.call == "");
  // A line that is no agent.
  agents.agent = {};
  agents.agent.channel = "e9";
  agents.agent.agent = "13900000001";
  done = ask("POST", "/v1/agents/e9/13900000001/release", "{}");
  BOOST_TEST(document(done).at("desired").is_null());
  BOOST_TEST(document(done).at("updated").is_null());
  for (const char* body :
       {R"({"reason":1})", R"({"reason":""})", R"({"reason":"a\nb"})", R"({"why":"x"})", "[]"}) {
    BOOST_TEST(problem(ask("POST", path + "/release", body)) == "invalid-request", body);
  }
  agents.refusal = AgentRefusal{Code::not_found, "agent", "none", {}};
  BOOST_TEST(problem(ask("POST", path + "/release")) == "agent-not-found");
  agents.refusal = AgentRefusal{Code::line_busy, "agent", "held by another tenant", {}};
  BOOST_TEST(problem(ask("POST", path + "/release")) == "line-busy");
  BOOST_TEST(problem(ask("POST", path + "/release", {}, "full")) == "missing-scope");
}

BOOST_AUTO_TEST_CASE(a_phone_in_the_path_is_told_to_nobody) {
  agents.agent.channel = "e9";
  agents.agent.agent = "+4915112345678";
  const api::Response made = ask("PUT", "/v1/agents/e9/+49%20151%2012345678", "{}");
  BOOST_TEST(agents.wishes.at(0).agent == "+49 151 12345678");
  BOOST_TEST(made.headers.at(0).second == "/v1/agents/e9/+4915112345678");
  ask("DELETE", "/v1/agents/e9/139-0000-0001");
  BOOST_TEST(holds(logged.str(), "deletes=agent/e9/139****0001"), logged.str());
  BOOST_TEST(!holds(logged.str(), "12345678"), logged.str());
  BOOST_TEST(trace.route == "/v1/agents/{channel}/{agent}");
  agents.refusal = AgentRefusal{Code::not_found, "agent", "none", {}};
  BOOST_TEST(!holds(ask("GET", "/v1/agents/e9/13900000001").body, "13900000001"));
  BOOST_TEST(!holds(ask("PUT", "/v1/agents/e9/13900000001", "{}").body, "13900000001"));
}

BOOST_AUTO_TEST_CASE(lists_have_pages) {
  json::object page = document(ask("GET", "/v1/agents?channel=hw&actual=failing&limit=2"));
  BOOST_TEST(agents.filter.channel.value() == "hw");
  BOOST_TEST(agents.filter.actual.value() == "failing");
  BOOST_TEST(agents.filter.limit == 3);
  BOOST_TEST(page.at("items").as_array().size() == 2U);
  const std::string next(page.at("next").as_string());
  page = document(ask("GET", "/v1/agents?cursor=" + next));
  BOOST_TEST(agents.filter.after_channel.value() == "hw");
  BOOST_TEST(agents.filter.after_agent.value() == "292");
  BOOST_TEST(page.at("items").as_array().size() == 3U);
  BOOST_TEST(page.at("next").is_null());
  for (const char* query : {"cursor=xyz", "cursor=ff2fff", "cursor=4142", "limit=0", "limit=1001",
                            "actual=asleep", "channel=", "surprise=1"}) {
    BOOST_TEST(problem(ask("GET", "/v1/agents?" + std::string(query))) == "invalid-request", query);
  }
}

BOOST_AUTO_TEST_CASE(only_for_admins) {
  for (const char* key : {"caller", "reader", "full"}) {
    BOOST_TEST(problem(ask("GET", "/v1/agents", {}, key)) == "missing-scope");
    BOOST_TEST(problem(ask("PUT", path, "{}", key)) == "missing-scope");
    BOOST_TEST(problem(ask("DELETE", path, {}, key)) == "missing-scope");
  }
  BOOST_TEST(problem(ask("GET", "/v1/agents", {}, "nobody")) == "unauthorized");
  ask("GET", "/v1/agents", {}, "stranger");
  BOOST_TEST(agents.asked == "other");
}

BOOST_AUTO_TEST_CASE(without_the_noun_there_is_no_such_path) {
  nouns = {};
  build();
  BOOST_TEST(problem(ask("GET", "/v1/agents")) == "not-found");
}

BOOST_AUTO_TEST_SUITE_END()
