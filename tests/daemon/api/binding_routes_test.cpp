// /v1/bindings over a fake: what it asks for, what it answers, what it keeps to itself.
#include "io/pg.hpp"
#include "noun_rig.hpp"

using namespace cc;
using namespace cc::test;

namespace {

namespace json = boost::json;
using Code = BindingRefusal::Code;

struct FakeBindings final : Bindings {
  asio::awaitable<std::variant<Put, BindingRefusal>> put(Binding wish) override {
    wishes.push_back(wish);
    if (away) throw pg::Failure("", "connection lost");
    if (refusal) co_return *refusal;
    Put done;
    done.binding = binding;
    done.binding.user = wish.user;
    done.created = created;
    co_return done;
  }
  asio::awaitable<std::optional<Binding>> get(std::string tenant, std::string user) override {
    asked = tenant + " " + user;
    if (refusal) co_return std::nullopt;
    co_return binding;
  }
  asio::awaitable<std::vector<Binding>> list(std::string tenant, BindingFilter wanted) override {
    asked = tenant;
    filter = wanted;
    std::vector<Binding> list(3, binding);
    list[1].user = "王";
    if (list.size() > static_cast<std::size_t>(wanted.limit)) {
      list.resize(static_cast<std::size_t>(wanted.limit));
    }
    co_return list;
  }
  asio::awaitable<bool> remove(std::string tenant, std::string user) override {
    asked = tenant + " " + user;
    co_return !refusal;
  }

  Binding binding{"acme", "zhang", {{"hw", "291"}, {"e9", "13900000001"}}, "13900000002", false, 6};
  bool created = true, away = false;
  std::optional<BindingRefusal> refusal;
  std::vector<Binding> wishes;
  std::string asked;
  BindingFilter filter;
};

struct Fixture : NounRig {
  Fixture() {
    nouns.bindings = &bindings;
    build();
  }
  FakeBindings bindings;
};

const std::string path = "/v1/bindings/zhang";
const std::string body =
    R"({"lines":[{"channel":"hw","agent":"291"},{"agent":"139 0000 0001","channel":"e9"}],)"
    R"("phone":"139 0000 0002","fallback":"never"})";

}  // namespace

BOOST_FIXTURE_TEST_SUITE(binding_routes_test, Fixture)

BOOST_AUTO_TEST_CASE(a_binding_is_put) {
  const api::Response made = ask("PUT", path, body);
  BOOST_TEST(made.status == 201U);
  BOOST_TEST((made.headers.at(0) == std::pair<std::string, std::string>("Location", path)));
  BOOST_TEST(json::serialize(document(made)) ==
             R"({"user":"zhang","lines":[{"channel":"hw","agent":"291"},)"
             R"({"channel":"e9","agent":"13900000001"}],"phone":"13900000002",)"
             R"("fallback":"never","updated":6})");
  const Binding& wish = bindings.wishes.at(0);
  BOOST_TEST(wish.tenant == "acme");
  BOOST_TEST(wish.user == "zhang");
  BOOST_TEST(wish.lines.size() == 2U);
  BOOST_TEST((wish.lines[1] == Binding::Line{"e9", "139 0000 0001"}));
  BOOST_TEST(wish.phone.value() == "139 0000 0002");
  BOOST_TEST(!wish.fallback);
  BOOST_TEST(holds(logged.str(),
                   "audit request=request-1 tenant=acme key=admin creates=binding/zhang "
                   "lines=hw/291,e9/139****0001 phone=139****0002 fallback=never"),
             logged.str());
  bindings.created = false;
  const api::Response set = ask(
      "PUT", path, R"({"lines":[{"channel":"hw","agent":"291"}],"phone":null,"fallback":null})");
  BOOST_TEST(set.status == 200U);
  BOOST_TEST(set.headers.size() == 1U);  // Cache-Control
  BOOST_TEST(!bindings.wishes.at(1).phone);
  BOOST_TEST(bindings.wishes.at(1).fallback);
  BOOST_TEST(holds(logged.str(), "sets=binding/zhang"));
  BOOST_TEST(!holds(logged.str(), "13900000001"));
}

BOOST_AUTO_TEST_CASE(users_are_any_text) {
  const api::Response made = ask("PUT", "/v1/bindings/%E7%8E%8B%2F1%3F", body);
  BOOST_TEST(bindings.wishes.at(0).user == "王/1?");
  BOOST_TEST(made.headers.at(0).second == "/v1/bindings/%E7%8E%8B%2F1%3F");
  ask("DELETE", "/v1/bindings/139%200000%200001");
  BOOST_TEST(bindings.asked == "acme 139 0000 0001");
  BOOST_TEST(holds(logged.str(), "deletes=binding/139****0001"), logged.str());
  BOOST_TEST(trace.route == "/v1/bindings/{user}");
}

BOOST_AUTO_TEST_CASE(a_wrong_body_is_told) {
  const auto wrong = [&](const std::string& text) { return invalid(ask("PUT", path, text)); };
  BOOST_TEST(
      wrong(R"({"lines":[{"channel":1,"x":2},3],"phone":4,"fallback":"no","13812345678":1})") ==
      "lines[0].channel lines[0].x lines[0].agent lines[1] phone fallback 138****5678");
  BOOST_TEST(wrong("{}") == "lines");
  BOOST_TEST(wrong(R"({"lines":[]})") == "lines");
  BOOST_TEST(wrong(R"({"lines":null})") == "lines");
  BOOST_TEST(wrong(R"({"lines":[1,2,3,4,5,6,7,8,9]})") == "lines");
  BOOST_TEST(wrong(R"({"lines":[{"channel":"hw","agent":"291"}],"fallback":true})") == "fallback");
  BOOST_TEST(problem(ask("PUT", path, "[]")) == "invalid-request");
  BOOST_TEST(problem(ask("PUT", path, "{")) == "malformed-request");
  BOOST_TEST(problem(ask("PUT", path)) == "unsupported-media-type");
  BOOST_TEST(problem(ask("PUT", path + "?dry=1", body)) == "invalid-request");
  BOOST_TEST(bindings.wishes.empty());
}

BOOST_AUTO_TEST_CASE(refusals_are_problems) {
  const auto refuse = [&](Code code, const std::string& field) {
    bindings.refusal = BindingRefusal{code, field, "because of the test"};
    return ask("PUT", path, body);
  };
  api::Response answer = refuse(Code::unknown_line, "lines[0].agent");
  BOOST_TEST(problem(answer) == "invalid-request");
  BOOST_TEST(invalid(answer) == "lines[0].agent");
  BOOST_TEST(invalid(refuse(Code::invalid, "user")) == "path user");
  answer = refuse(Code::unknown_channel, "lines[1].channel");
  BOOST_TEST(problem(answer) == "unknown-channel");
  BOOST_TEST(invalid(answer) == "lines[1].channel");
  BOOST_TEST(!holds(logged.str(), "audit"));
  bindings.away = true;
  BOOST_TEST(problem(ask("PUT", path, body)) == "storage-unavailable");
}

BOOST_AUTO_TEST_CASE(one_is_shown_and_deleted) {
  BOOST_TEST(ask("GET", path).status == 200U);
  BOOST_TEST(bindings.asked == "acme zhang");
  const api::Response gone = ask("DELETE", path);
  BOOST_TEST(gone.status == 204U);
  BOOST_TEST(gone.body == "");
  bindings.refusal = BindingRefusal{Code::not_found, "user", "none"};
  logged.str("");
  for (const char* method : {"GET", "DELETE"}) {
    const api::Response none = ask(method, path);
    BOOST_TEST(none.status == 404U);
    BOOST_TEST(problem(none) == "binding-not-found");
  }
  BOOST_TEST(!holds(logged.str(), "audit"));
  bindings.asked = "";
  for (const char* method : {"GET", "DELETE"}) {
    BOOST_TEST(problem(ask(method, "/v1/bindings/%FF")) == "binding-not-found");
  }
  BOOST_TEST(bindings.asked == "");
}

BOOST_AUTO_TEST_CASE(lists_have_pages) {
  json::object page =
      document(ask("GET", "/v1/bindings?channel=hw&agent=291&prefix=zh%25&limit=2"));
  BOOST_TEST(bindings.filter.channel.value() == "hw");
  BOOST_TEST(bindings.filter.agent.value() == "291");
  BOOST_TEST(bindings.filter.prefix.value() == "zh%");
  BOOST_TEST(bindings.filter.limit == 3);
  BOOST_TEST(page.at("items").as_array().size() == 2U);
  const std::string next(page.at("next").as_string());
  page = document(ask("GET", "/v1/bindings?cursor=" + next));
  BOOST_TEST(bindings.filter.after_user.value() == "王");
  BOOST_TEST(page.at("items").as_array().size() == 3U);
  BOOST_TEST(page.at("next").is_null());
  for (const char* query : {"cursor=xyz", "cursor=ff", "limit=0", "limit=1001",
                            "channel=", "channel=toolongname", "surprise=1"}) {
    BOOST_TEST(problem(ask("GET", "/v1/bindings?" + std::string(query))) == "invalid-request",
               query);
  }
}

BOOST_AUTO_TEST_CASE(only_for_admins) {
  for (const char* key : {"caller", "reader", "full"}) {
    BOOST_TEST(problem(ask("GET", "/v1/bindings", {}, key)) == "missing-scope");
    BOOST_TEST(problem(ask("GET", path, {}, key)) == "missing-scope");
    BOOST_TEST(problem(ask("PUT", path, body, key)) == "missing-scope");
    BOOST_TEST(problem(ask("DELETE", path, {}, key)) == "missing-scope");
  }
  ask("GET", "/v1/bindings", {}, "stranger");
  BOOST_TEST(bindings.asked == "other");
  nouns = {};
  build();
  BOOST_TEST(problem(ask("GET", "/v1/bindings")) == "not-found");
}

BOOST_AUTO_TEST_SUITE_END()
