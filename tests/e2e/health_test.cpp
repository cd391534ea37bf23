// One verdict over all parts, and canaries through the real callback location: what is out is
// named, with its remedy, and is well again when it is back.
#include <csignal>
#include <fstream>

#include <boost/test/unit_test.hpp>

#include "stack.hpp"

using namespace cc::test;

namespace {

constexpr Millis patience{30'000};

void write(const std::string& path, const std::string& text) {
  std::ofstream(path) << text;
}

/// A stack that sends a canary each second. Where to is known only once it is up: it is told by a
/// reload.
struct Watched {
  Watched() {
    write(folder.file("cc.yaml"),
          read_file(CC_SOURCE_DIR "/scripts/stack.d/cc.yaml") + "\nhealth: {canaryEvery: 1s}\n");
    stack = std::make_unique<Stack>("20",
                                    std::vector<std::string>{"--cc-yaml", folder.file("cc.yaml")});
    write(folder.file("canary.url"), stack->env("CC_CALLBACK_URL") + "\n");
    stack->reconfigure("nginx:\n", "nginx:\n  canaries: [{channel: e9, url: \"file:" +
                                       folder.file("canary.url") + "\"}]\n");
  }

  void send_to(const std::string& url) const {
    write(folder.file("canary.url"), url);
    ::kill(stack->pid("ccd"), SIGHUP);
  }

  TempDir folder;
  std::unique_ptr<Stack> stack;
};

Watched& watched() {
  static Watched one;
  return one;
}

Stack& stack() {
  return *watched().stack;
}

/// The part whose name begins so; null where there is none.
json::value part(const std::string& name) {
  const json::value document = stack().get("/v1/health").body();
  if (!document.is_object()) return nullptr;
  for (const json::value& item : document.at("parts").as_array()) {
    if (text_at(item, "part").starts_with(name)) return item;
  }
  return nullptr;
}

bool becomes(const std::string& name, const std::string& grade, const std::string& says = {}) {
  json::value last;
  const bool did = eventually(
      [&] {
        last = part(name);
        return last.is_object() && text_at(last, "grade") == grade &&
               text_at(last, "says").find(says) != std::string::npos;
      },
      patience);
  if (!did) BOOST_TEST_MESSAGE(name << " is " << json::serialize(last));
  return did;
}

bool all_well() {
  Answer last;
  const bool well = eventually(
      [&] {
        last = stack().get("/v1/health");
        return last.at("status") == "ok" && text_at(part("canary"), "says").starts_with("came");
      },
      patience);
  if (!well) BOOST_TEST_MESSAGE(last.status << " " << last.text);
  return well;
}

std::string stored() {
  return stack().sql(
      "SELECT concat_ws(' ', (SELECT count(*) FROM call_record), (SELECT count(*) FROM "
      "call_event), "
      "(SELECT count(*) FROM call_attempt), (SELECT count(*) FROM waiting_event), "
      "(SELECT count(*) FROM dead_letter))");
}

std::string metric(const std::string& name) {
  const std::string text = send({.url = stack().env("CC_API") + "/metrics"}).text;
  const std::size_t at = text.find("\n" + name + " ");
  if (at == std::string::npos) return {};
  const std::size_t begin = at + name.size() + 2;
  return text.substr(begin, text.find('\n', begin) - begin);
}

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t found = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

std::size_t canaries_in_stream() {
  return count(stack().redis({"XRANGE", "cc:events:0", "-", "+"}), "<action>Canary</action>");
}

}  // namespace

BOOST_AUTO_TEST_CASE(all_is_well_and_a_canary_leaves_nothing_behind) {
  BOOST_REQUIRE(all_well());
  const Answer answer = stack().get("/v1/health");
  BOOST_TEST(answer.status == 200);
  BOOST_TEST(answer.at("summary") == "Everything works.");
  for (const char* name :
       {"postgresql", "dispatcher", "recorder", "spool", "agents", "partitions", "redis", "streams",
        "drained", "nginx 127.0.0.1:", "canary http://127", "channel e9"}) {
    BOOST_TEST(text_at(part(name), "grade") == "ok", name);
    BOOST_TEST(!text_at(part(name), "since").empty(), name);
  }
  BOOST_TEST(send({.url = stack().env("CC_API") + "/v1/health"}).status == 401);
  const Answer ready = send({.url = stack().env("CC_API") + "/readyz"});
  BOOST_TEST(ready.status == 200);
  BOOST_TEST(ready.text.find("\"grade\":\"ok\"") != std::string::npos);
  const std::string token = stack().env("CC_CALLBACK_URL");
  const std::string secret = token.substr(token.rfind('/') + 1);
  BOOST_TEST(answer.text.find(secret) == std::string::npos);
  BOOST_TEST(stack().log("ccd").find(secret) == std::string::npos);

  BOOST_REQUIRE(eventually([] { return canaries_in_stream() >= 3; }));
  BOOST_TEST(stack().sql("SELECT status FROM canary WHERE arrived IS NOT NULL") == "200");
  BOOST_TEST(stored() == "0 0 0 0 0");
  BOOST_TEST(metric("cc_events_total") == "0");
  BOOST_TEST(metric("cc_deliveries_total") == "0");
  BOOST_TEST(metric("cc_part_health{part=\"redis\"}") == "0");
}

BOOST_AUTO_TEST_CASE(one_daemon_of_two_sends) {
  BOOST_REQUIRE(all_well());
  const auto second = stack().further_ccd("stack-2", watched().folder);
  BOOST_REQUIRE(eventually(
      [] {
        return stack().sql("SELECT count(*) FROM daemon WHERE seen > now() - interval '6 s'") ==
               "2";
      },
      patience));
  const auto posted = [] { return std::stoll(stack().sql("SELECT posted FROM canary")); };
  const std::size_t before = canaries_in_stream();
  const long long begun = posted();
  BOOST_REQUIRE(eventually([&] { return posted() >= begun + 5'000; }, patience));
  const std::size_t more = canaries_in_stream() - before;
  BOOST_TEST(more >= 2U);
  // One each second, and one more that was under way at either end.
  BOOST_TEST(more <= static_cast<std::size_t>((posted() - begun) / 1000 + 2));
}

BOOST_AUTO_TEST_CASE(a_wrong_token_is_named) {
  BOOST_REQUIRE(all_well());
  const std::string url = stack().env("CC_CALLBACK_URL");
  watched().send_to(url.substr(0, url.rfind('/')) + "/another-token");
  BOOST_TEST(becomes("canary", "failing", "(403): the URL's token is none of the location's"));
  BOOST_TEST(stack().get("/v1/health").at("status") == "failing");
  BOOST_TEST(stack().get("/v1/health").at("summary").find("Failing: canary http://127") == 0U);
  BOOST_TEST(send({.url = stack().env("CC_API") + "/readyz"}).status == 200);
  BOOST_TEST(stack().get("/v1/health").text.find("another-token") == std::string::npos);
  watched().send_to(url.substr(0, url.rfind("/callback")) + "/nowhere/token");
  BOOST_TEST(becomes("canary", "failing", "there is no such location (404)"));
  watched().send_to(url);
  BOOST_TEST(all_well());
}

BOOST_AUTO_TEST_CASE(redis_is_out_and_comes_back) {
  BOOST_REQUIRE(all_well());
  const std::size_t told = count(stack().log("ccd"), "health: redis is failing");
  stack().part("stop", "redis");
  BOOST_TEST(becomes("redis", "failing"));
  BOOST_TEST(becomes("dispatcher", "failing"));
  BOOST_TEST(becomes("nginx", "degraded", "its spool holds"));
  BOOST_TEST(becomes("canary", "failing", "none has come out of the streams"));
  const std::string since = text_at(part("redis"), "since");
  BOOST_TEST(stack().get("/v1/health").at("status") == "failing");
  stack().part("start", "redis");
  BOOST_TEST(all_well());
  BOOST_TEST(text_at(part("redis"), "since") > since);
  BOOST_TEST(count(stack().log("ccd"), "health: redis is failing") == told + 1);
  BOOST_TEST(stored() == "0 0 0 0 0");
}

BOOST_AUTO_TEST_CASE(nginx_is_out_and_comes_back) {
  BOOST_REQUIRE(all_well());
  stack().part("stop", "nginx");
  BOOST_TEST(becomes("nginx", "failing", "its status page"));
  BOOST_TEST(becomes("canary", "failing", "cannot be reached"));
  // No load balancer must take the daemons out for it.
  BOOST_TEST(send({.url = stack().env("CC_API") + "/readyz"}).status == 200);
  stack().part("start", "nginx");
  BOOST_TEST(all_well());
  BOOST_TEST(stored() == "0 0 0 0 0");
}

BOOST_AUTO_TEST_CASE(postgresql_is_out_and_comes_back) {
  BOOST_REQUIRE(all_well());
  stack().part("stop", "postgres");
  BOOST_TEST(becomes("postgresql", "failing"));
  BOOST_TEST(send({.url = stack().env("CC_API") + "/readyz"}).status == 503);
  BOOST_TEST(becomes("canary", "degraded", "PostgreSQL"));
  stack().part("start", "postgres");
  BOOST_TEST(all_well());
  BOOST_TEST(stack().nginx_alarms() == "");
}
