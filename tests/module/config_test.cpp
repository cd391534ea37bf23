// What the configuration may say, and how it is told what it may not.
#include <fstream>
#include <sys/stat.h>

#include <boost/test/unit_test.hpp>

#include "stack.hpp"

using namespace cc::test;

namespace {

const std::string redis = "cc_redis unix:/nowhere/redis.sock;";

struct Fixture {
  TempDir folder;

  std::string file(const std::string& name, const std::string& content, mode_t mode = 0600) {
    std::ofstream(folder.file(name)) << content;
    ::chmod(folder.file(name).c_str(), mode);
    return folder.file(name);
  }

  /// nginx -t refuses it, and says each of these.
  void expect_refused(const NginxSettings& settings, const std::vector<std::string>& texts) {
    auto outcome = check_configuration(folder, settings);
    BOOST_TEST(outcome.status != 0);
    for (const auto& text : texts) {
      BOOST_TEST(outcome.output.find(text) != std::string::npos,
                 text << " is not in " << outcome.output);
    }
    BOOST_TEST(outcome.output.find(token_now) == std::string::npos);
  }

  void expect_fine(const NginxSettings& settings) {
    auto outcome = check_configuration(folder, settings);
    BOOST_TEST(outcome.status == 0, outcome.output);
    BOOST_TEST(outcome.output.find("[warn]") == std::string::npos, outcome.output);
  }

  NginxSettings channel(const std::string& arguments) {
    file("e9.tokens", token_now + "\n");
    return {.http = redis, .channel = "cc_channel " + arguments + ";"};
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(config_test, Fixture)

BOOST_AUTO_TEST_CASE(a_good_configuration_passes) {
  expect_fine(channel("e9 tokens=e9.tokens"));
  expect_fine(channel("e9b kind=e9 tokens=e9.tokens app_ids=a,b,c"));
  file("apps", "# ours\na\nb\n");
  expect_fine(channel("e9 tokens=e9.tokens app_ids_file=apps"));
  auto settings = channel("e9 tokens=e9.tokens");
  file("password", "secret\n");
  settings.http =
      "cc_redis 127.0.0.1:6379 password-file=password timeout=250ms;"
      "cc_stream cc:events: partitions=8; cc_limits pending=100 bytes=1m;";
  expect_fine(settings);
  settings.http = "cc_redis [::1]:6379;";
  expect_fine(settings);
}

BOOST_AUTO_TEST_CASE(the_module_does_not_mind_being_unused) {
  file("nginx.conf", std::string("load_module ") + CC_TEST_MODULE + "; error_log " +
                         folder.file("error.log") + "; pid " + folder.file("pid") +
                         "; events {}\n");
  auto outcome = check_file(folder, folder.file("nginx.conf"));
  BOOST_TEST(outcome.status == 0, outcome.output);
}

BOOST_AUTO_TEST_CASE(hiding_requests_needs_no_channel) {
  file("nginx.conf", std::string("load_module ") + CC_TEST_MODULE + "; error_log " +
                         folder.file("error.log") + "; pid " + folder.file("pid") +
                         "; events {} http { cc_hide_requests on; server { listen unix:" +
                         folder.file("s") + "; location / { cc_hide_requests off; } } }\n");
  auto outcome = check_file(folder, folder.file("nginx.conf"));
  BOOST_TEST(outcome.status == 0, outcome.output);
}

BOOST_AUTO_TEST_CASE(an_unknown_kind_is_refused) {
  expect_refused(channel("zz tokens=e9.tokens"),
                 {"\"zz\"", "no known kind", "known: e9", "kind=KIND", "nginx.conf:"});
  expect_refused(channel("e9b kind=zz tokens=e9.tokens"), {"\"e9b\"", "\"zz\""});
}

BOOST_AUTO_TEST_CASE(a_code_that_is_none_is_refused) {
  expect_refused(channel("much-too-long tokens=e9.tokens"), {"\"much-too-long\"", "1 to 8"});
  expect_refused(channel("E9 tokens=e9.tokens"), {"\"E9\""});
}

BOOST_AUTO_TEST_CASE(no_tokens_never_mean_accept_all) {
  expect_refused(channel("e9"), {"\"e9\"", "no tokens", "tokens=FILE"});
  expect_refused(channel("e9 tokens=missing.tokens"),
                 {"missing.tokens", "cannot be read", "No such file", "create it"});
  file("empty.tokens", "");
  expect_refused(channel("e9 tokens=empty.tokens"), {"empty.tokens", "holds no value"});
  file("comment.tokens", "# nothing here\n\n   \n");
  expect_refused(channel("e9 tokens=comment.tokens"), {"comment.tokens", "holds no value"});
  expect_refused(channel("e9 tokens=/"), {"not a regular file"});
}

BOOST_AUTO_TEST_CASE(weak_or_odd_tokens_are_refused_without_being_shown) {
  file("short.tokens", token_now + "\nsecret-15-bytes\n");
  expect_refused(channel("e9 tokens=short.tokens"), {"token 2 of", "15 characters", "at least 16"});
  BOOST_TEST(
      check_configuration(folder, channel("e9 tokens=short.tokens")).output.find("secret-15") ==
      std::string::npos);
  file("odd.tokens", "0123456789abcdef/0123456789\n");
  expect_refused(channel("e9 tokens=odd.tokens"), {"token 1 of", "escape"});
  file("three.tokens", token_now + "\n" + token_next + "\nthird-0123456789abcdef\n");
  expect_refused(channel("e9 tokens=three.tokens"), {"3 tokens", "at most two"});
}

BOOST_AUTO_TEST_CASE(a_file_of_secrets_that_all_can_read_is_warned_of) {
  auto settings = channel("e9 tokens=open.tokens");
  file("open.tokens", token_now + "\n", 0644);
  auto outcome = check_configuration(folder, settings);
  BOOST_TEST(outcome.status == 0);
  BOOST_TEST(outcome.output.find("[warn]") != std::string::npos);
  BOOST_TEST(outcome.output.find("chmod 0600") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(app_ids_that_name_none_are_refused) {
  expect_refused(channel("e9 tokens=e9.tokens app_ids=,"), {"names none"});
  expect_refused(channel("e9 tokens=e9.tokens app_ids_file=missing"),
                 {"missing", "cannot be read"});
}

BOOST_AUTO_TEST_CASE(addresses_that_are_no_networks_are_refused) {
  expect_fine(channel("e9 tokens=e9.tokens addresses=203.0.113.0/24,2001:db8::/32,127.0.0.1"));
  file("addresses", "# Jiuyun's\n203.0.113.0/24\n198.51.100.7\n");
  expect_fine(channel("e9 tokens=e9.tokens addresses_file=addresses"));
  expect_refused(channel("e9 tokens=e9.tokens addresses=,"), {"names none"});
  expect_refused(channel("e9 tokens=e9.tokens addresses=example.com"),
                 {"'example.com'", "no numeric address"});
  expect_refused(channel("e9 tokens=e9.tokens addresses=203.0.113.7/24"),
                 {"203.0.113.7/24", "behind its prefix"});
  expect_refused(channel("e9 tokens=e9.tokens addresses=203.0.113.0/33"), {"prefix length"});
  expect_refused(channel("e9 tokens=e9.tokens addresses_file=missing"),
                 {"missing", "cannot be read"});
}

BOOST_AUTO_TEST_CASE(unknown_options_are_refused) {
  expect_refused(channel("e9 tokens=e9.tokens tokns=x"), {"\"tokns=…\"", "it takes"});
  auto settings = channel("e9 tokens=e9.tokens");
  settings.http = "cc_redis unix:/x retries=3;";
  expect_refused(settings, {"\"retries=…\"", "timeout=TIME"});
  settings.http = redis + "cc_stream cc:events: parts=3;";
  expect_refused(settings, {"\"parts=…\"", "partitions=P"});
  settings.http = redis + "cc_limits files=3;";
  expect_refused(settings, {"\"files=…\""});
  settings.http = redis + "cc_rejects cc:rejects min=3;";
  expect_refused(settings, {"\"min=…\"", "max=N"});
  settings.http = redis;
  settings.spool = "cc_spool spool min=3;";
  expect_refused(settings, {"\"min=…\"", "max=SIZE"});
}

BOOST_AUTO_TEST_CASE(a_secret_in_the_wrong_place_is_not_repeated) {
  auto settings = channel("e9 tokens=e9.tokens");
  for (std::string http : {"cc_redis unix:/x password=hunter2;", "cc_redis redis://:hunter2@host;",
                           "cc_redis user:hunter2@127.0.0.1:6379;"}) {
    settings.http = http;
    auto outcome = check_configuration(folder, settings);
    BOOST_TEST(outcome.status != 0);
    BOOST_TEST(outcome.output.find("hunter2") == std::string::npos, outcome.output);
    BOOST_TEST(outcome.output.find("password") != std::string::npos, outcome.output);
  }
}

BOOST_AUTO_TEST_CASE(a_key_of_rejects_among_the_streams_is_refused) {
  auto settings = channel("e9 tokens=e9.tokens");
  settings.http = redis + "cc_rejects cc:events:rejects;";
  expect_refused(settings, {"cc:events:rejects", "another one"});
}

BOOST_AUTO_TEST_CASE(numbers_out_of_range_are_refused) {
  auto settings = channel("e9 tokens=e9.tokens");
  for (std::string http : {"cc_redis unix:/x timeout=1ms;", "cc_redis unix:/x timeout=soon;"}) {
    settings.http = http;
    expect_refused(settings, {"10ms to 60s"});
  }
  for (std::string p : {"0", "-1", "257", "x", "1.5"}) {
    settings.http = redis + "cc_stream cc:events: partitions=" + p + ";";
    expect_refused(settings, {"partitions=" + p, "1 to 256"});
  }
  settings.http = redis + "cc_limits pending=0;";
  expect_refused(settings, {"pending=0"});
  settings.http = redis + "cc_limits bytes=1k;";
  expect_refused(settings, {"bytes=1k", "64k"});
  settings.http = redis + "cc_stream cc:events: high_water=12;";
  expect_refused(settings, {"high_water=12", "256 to"});
  settings.http = redis + "cc_rejects cc:rejects max=0;";
  expect_refused(settings, {"max=0"});
  settings.http = redis;
  settings.spool = "cc_spool spool max=1k;";
  expect_refused(settings, {"max=1k", "1m"});
  settings.spool = "cc_spool spool replay=0;";
  expect_refused(settings, {"replay=0", "1 to 6000"});
}

BOOST_AUTO_TEST_CASE(addresses_that_are_none_are_refused) {
  auto settings = channel("e9 tokens=e9.tokens");
  settings.http = "cc_redis unix:relative.sock;";
  expect_refused(settings, {"unix:relative.sock", "absolute"});
  settings.http = "cc_redis unix:/" + std::string(120, 'x') + ";";
  expect_refused(settings, {"107 bytes"});
  settings.http = "cc_redis 127.0.0.1:99999;";
  expect_refused(settings, {"127.0.0.1:99999", "invalid port"});
}

BOOST_AUTO_TEST_CASE(what_is_missing_or_given_twice_is_refused) {
  auto settings = channel("e9 tokens=e9.tokens");
  settings.http = "";
  expect_refused(settings, {"cc_redis", "add e.g."});
  settings.http = redis + redis;
  expect_refused(settings, {"cc_redis is given twice"});
  settings.http = redis;
  settings.spool = "";
  expect_refused(settings, {"cc_spool", "Redis is away", "cc_spool off"});
  settings.spool = "cc_spool spool; cc_spool off;";
  expect_refused(settings, {"cc_spool is given twice"});
  settings.spool = "cc_spool body;";  // client_body_temp_path's
  expect_refused(settings, {"used for something else"});
  settings.spool = "cc_spool '';";
  expect_refused(settings, {"is no directory"});
  settings.spool = "cc_spool max=4g;";
  expect_refused(settings, {"\"max=4g\" is no directory"});
  settings.spool = "cc_spool missing/parent;";
  expect_refused(settings, {"missing/parent"});
  settings = channel("e9 tokens=e9.tokens; cc_channel e9 tokens=e9.tokens");
  expect_refused(settings, {"cc_channel is given twice"});
  settings = channel("e9 tokens=e9.tokens; cc_status");
  expect_refused(settings, {"cc_status", "location of its own"});
}

BOOST_AUTO_TEST_CASE(the_configuration_that_we_ship_passes) {
  // As it is, but for the paths and ports of a machine that CC is installed on.
  auto text = read_file(CC_TEST_CONF);
  auto put = [&](const std::string& from, const std::string& to) {
    BOOST_TEST(text.find(from) != std::string::npos, from);
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
      text.replace(at, from.size(), to);
    }
  };
  run({.command = {"/usr/bin/openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj",
                   "/CN=x", "-keyout", folder.file("callbacks.key"), "-out",
                   folder.file("callbacks.crt")}});
  file("api.key", read_file(folder.file("callbacks.key")));
  file("api.crt", read_file(folder.file("callbacks.crt")));
  file("e9.tokens", token_now + "\n");
  file("e9.app-id", our_app + "\n");
  put("user www-data;", "");
  put("modules/ngx_http_cc_module.so", CC_TEST_MODULE);
  put("/run/nginx.pid", folder.file("nginx.pid"));
  put("/var/log/nginx", folder.path());
  put("/var/spool", folder.path());
  put("/etc/cc/tls", folder.path());
  put("/etc/cc", folder.path());
  put("listen 443", "listen " + std::to_string(free_port()));  // -t binds what it listens on
  put("[::]:443", "[::]:" + std::to_string(free_port()));
  put("8443", std::to_string(free_port()));
  put("8082", std::to_string(free_port()));
  put("8080", std::to_string(free_port()));
  put("8081", std::to_string(free_port()));
  std::ofstream(folder.file("shipped.conf")) << text;
  auto outcome = check_file(folder, folder.file("shipped.conf"));
  BOOST_TEST(outcome.status == 0, outcome.output);
  BOOST_TEST(outcome.output.find("[warn]") == std::string::npos, outcome.output);
}

BOOST_AUTO_TEST_CASE(tokens_are_rotated_by_a_reload) {
  Stack stack;
  const std::string third = "third-0123456789abcdef";
  BOOST_TEST(stack.call_back(callback_body(1), third)->status == 403);
  std::ofstream(stack.nginx.folder().file("e9.tokens")) << token_next << "\n" << third << "\n";
  stack.nginx.reload();
  BOOST_TEST(eventually([&] { return stack.call_back(callback_body(2), third)->status == 200; }));
  BOOST_TEST(eventually([&] { return stack.nginx.workers().size() == 1; }));
  BOOST_TEST(stack.call_back(callback_body(3), token_next)->status == 200);
  BOOST_TEST(stack.call_back(callback_body(4), token_now)->status == 403);
}

BOOST_AUTO_TEST_CASE(blocks_of_a_location_keep_its_channel) {
  Stack stack({.channel = "cc_channel e9 tokens=e9.tokens; limit_except POST { deny all; }"
                          "if ($http_x_any) { set $any 1; }"});
  BOOST_TEST(stack.call_back(callback_body(1))->status == 200);
  BOOST_TEST(
      ask(stack.nginx.socket(), post(callback_path(token_now), callback_body(2), "X-Any: 1\r\n"))
          ->status == 200);
  BOOST_TEST(
      ask(stack.nginx.socket(), "GET " + callback_path(token_now) + " HTTP/1.1\r\nHost: x\r\n\r\n")
          ->status == 403);
}

BOOST_AUTO_TEST_SUITE_END()
