// The OSS store where all goes well, against a bucket that checks every signature and digest.
#include <ctime>
#include <fstream>

#include "oss_bucket.hpp"
#include "recording/make_store.hpp"

namespace cc::test {

BOOST_FIXTURE_TEST_SUITE(oss_store, OssBucket)

BOOST_AUTO_TEST_CASE(a_small_one_is_put_at_once) {
  const std::string bytes = some_bytes(1234);
  check_stored(put(bytes), bytes);
  const json::object object = objects()[0].as_object();
  BOOST_TEST(object.at("contentType").as_string() == "audio/mpeg");
  BOOST_TEST(object.at("type").as_string() == "Normal");
  BOOST_TEST(object.at("encryption").is_null());
  BOOST_TEST(begun.empty());
  BOOST_TEST(operations("PutObject") == 1);
  BOOST_TEST(the_store().address(name, 7) == "http://127.0.0.1:" + port + "/calls/cc/" + name);
  BOOST_TEST(the_store().kind() == "oss");
}

BOOST_AUTO_TEST_CASE(what_is_longer_than_a_part_goes_up_in_parts) {
  struct Case {
    std::size_t size;
    int parts;  // 0 = with PutObject
  };
  for (const Case c : {Case{1, 0},
                       {part - 1, 0},
                       {part, 0},
                       {part + 1, 2},
                       {2 * part, 2},
                       {2 * part + 1, 3},
                       {20 * part + 77, 21}}) {
    control("POST", "clear");
    const int before = operations("UploadPart");
    begun.clear();
    const std::string bytes = some_bytes(c.size, static_cast<unsigned>(c.size));
    check_stored(put(bytes), bytes);
    BOOST_TEST(operations("UploadPart") - before == c.parts);
    BOOST_TEST(begun.size() == (c.parts == 0 ? 0U : 1U));
    BOOST_TEST(objects()[0].at("type").as_string() == (c.parts == 0 ? "Normal" : "Multipart"));
    BOOST_TEST(objects()[0].at("contentType").as_string() == "audio/mpeg");
  }
}

BOOST_AUTO_TEST_CASE(an_empty_one_and_one_that_is_too_large_leave_nothing) {
  check_not_stored(put(""), "empty");
  check_not_stored(put(some_bytes(1001), 1000), "too_large");
  check_not_stored(put(some_bytes(part + 1), part), "too_large");
  check_not_stored(put(some_bytes(5 * part), 5 * part - 1), "too_large");
  const std::string bytes = some_bytes(5 * part);
  check_stored(put(bytes, bytes.size()), bytes);
}

BOOST_AUTO_TEST_CASE(encryption_and_storage_class_go_with_it_either_way) {
  account.encryption = "KMS";
  account.kms_key = "9468da86-3509-4f8d-a61e-6eab1eac0000";
  account.storage_class = "IA";
  for (const std::size_t size : {std::size_t{10}, part + 10}) {
    const std::string bytes = some_bytes(size);
    check_stored(put(bytes), bytes);
    const json::object object = objects()[0].as_object();
    BOOST_TEST(object.at("encryption").as_string() == "KMS");
    BOOST_TEST(object.at("kmsKey").as_string() == account.kms_key);
    BOOST_TEST(object.at("storageClass").as_string() == "IA");
  }
  store.reset();
  account.encryption = "AES256";  // a key belongs to KMS only
  BOOST_TEST(put("bytes").stored.has_value());
  BOOST_TEST(objects()[0].at("encryption").as_string() == "AES256");
  BOOST_TEST(objects()[0].at("kmsKey").is_null());
}

BOOST_AUTO_TEST_CASE(a_bucket_may_be_a_host_of_its_own) {
  start({"--addressing", "virtual"});
  account.path_style = false;
  account.endpoint = "http://localhost:" + port + "/";
  const std::string bytes = some_bytes(2 * part + 5);
  check_stored(put(bytes), bytes);
  const std::string url =
      the_store().signed_url({name, clock.epoch_ms(), 60, "call.mp3", "audio/x-wav"}).url;
  BOOST_TEST(url.starts_with("http://calls.localhost:" + port + "/cc/tenant_1/"), url);
  BOOST_TEST((get(url).body == bytes));
  BOOST_TEST(!remove().has_value());
}

BOOST_AUTO_TEST_CASE(a_signed_url_gives_the_object_and_its_ranges_until_its_time_is_over) {
  const std::string bytes = some_bytes(2 * part + 5);
  check_stored(put(bytes), bytes);
  const std::string url =
      the_store().signed_url({name, clock.epoch_ms(), 60, "call \"1\".mp3", "audio/x-wav"}).url;
  const HttpExchange whole = get(url);
  BOOST_TEST(whole.status == 200U);
  BOOST_TEST((whole.body == bytes));
  const auto header = [&](const std::string& its_name) {
    for (const auto& [key, value] : whole.headers) {
      if (key == its_name) return value;
    }
    return std::string();
  };
  BOOST_TEST(header("content-type") == "audio/x-wav");
  BOOST_TEST(contains(header("content-disposition"), "filename=\"call _1_.mp3\""),
             header("content-disposition"));
  const HttpExchange range = get(url, "1000-1999");
  BOOST_TEST(range.status == 206U);
  BOOST_TEST((range.body == bytes.substr(1000, 1000)));
  // Another object, another time, no signature.
  std::string other = url;
  other.replace(other.find("7260123456789"), 13, "7260123456780");
  BOOST_TEST(get(other).status == 403U);
  std::string longer = url;
  longer.replace(longer.find("x-oss-expires=60"), 16, "x-oss-expires=61");
  BOOST_TEST(get(longer).status == 403U);
  BOOST_TEST(get(url.substr(0, url.find('?'))).status == 403U);
  BOOST_TEST(get(the_store().signed_url({name, clock.epoch_ms() - 61'000, 60, "", ""}).url).status ==
             403U);
  // As it is put where nobody wishes for more.
  const HttpExchange plain = get(the_store().signed_url({name, clock.epoch_ms(), 60, "", ""}).url);
  BOOST_TEST(plain.status == 200U);
}

BOOST_AUTO_TEST_CASE(an_sts_token_is_signed_with_everything_and_renewed) {
  start({"--security-token", "first/token"});
  check_not_stored(put("bytes"), "InvalidAccessKeyId", true);  // without the token
  account.security_token = "first/token";
  store.reset();
  const std::string bytes = some_bytes(part + 3);
  check_stored(put(bytes), bytes);
  BOOST_TEST((get(the_store().signed_url({name, clock.epoch_ms(), 60, "", ""}).url).body == bytes));
  BOOST_TEST(!remove().has_value());

  account.access_key_id = account.access_key_secret = account.security_token = "";
  account.credentials = folder.file("sts.json");
  const auto write = [&](const std::string& token) {
    std::ofstream(folder.file("next"))
        << R"({"Credentials":{"AccessKeyId":"LTAI-test","AccessKeySecret":"hush-hush",)"
        << R"("SecurityToken":")" << token << R"(","Expiration":"2099-01-01T00:00:00Z"}})";
    BOOST_REQUIRE(::rename(folder.file("next").c_str(), account.credentials.c_str()) == 0);
  };
  store.reset();
  check_not_stored(put("bytes"), "credentials", true);  // there is no such file yet
  BOOST_CHECK_THROW(the_store().signed_url({name, clock.epoch_ms(), 60, "", ""}),
                    StoreAway);
  BOOST_TEST(prepare_store(the_store(), {}).has_value());
  write("first/token");
  clock.shift_ms += 1001;
  BOOST_TEST(!prepare_store(the_store(), {}).has_value());
  check_stored(put(bytes), bytes);
  BOOST_TEST(!remove().has_value());
  control("PUT", "credentials", {{"securityToken", "second"}});
  check_not_stored(put(bytes), "SecurityTokenExpired", true);
  write("second");
  clock.shift_ms += 1001;
  check_stored(put(bytes), bytes);
}

static std::string utc(std::int64_t ms) {
  const std::time_t seconds = ms / 1000;
  std::tm fields{};
  ::gmtime_r(&seconds, &fields);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &fields)};
}

BOOST_AUTO_TEST_CASE(a_link_ends_with_the_credentials_that_sign_it) {
  check_stored(put("bytes"), "bytes");
  const auto with = [&](std::int64_t lives_ms) {
    store.reset();
    account.access_key_id = account.access_key_secret = "";
    account.credentials = folder.file("sts.json");
    std::ofstream(account.credentials)
        << R"({"AccessKeyId":"LTAI-test","AccessKeySecret":"hush-hush","Expiration":")"
        << utc(clock.epoch_ms() + lives_ms) << R"("})";
  };
  const std::int64_t now_ms = clock.epoch_ms();
  SignedUrl link = the_store().signed_url({name, now_ms, 60, "", ""});
  BOOST_TEST(link.expires_ms == (now_ms / 1000 + 60) * 1000);
  with(100'000);
  const std::int64_t ends_ms = clock.epoch_ms() + 100'000;
  link = the_store().signed_url({name, clock.epoch_ms(), 3600, "", ""});
  BOOST_TEST(link.expires_ms <= ends_ms);
  BOOST_TEST(link.expires_ms > ends_ms - 10'000);
  BOOST_TEST(get(link.url).status == 200U);
  BOOST_TEST(the_store().signed_url({name, now_ms, 60, "", ""}).expires_ms ==
             (now_ms / 1000 + 60) * 1000);
  with(25'000);
  BOOST_CHECK_THROW(the_store().signed_url({name, clock.epoch_ms(), 5, "", ""}), StoreAway);
}

BOOST_AUTO_TEST_CASE(the_bucket_and_the_prefix_tell_which_store_it_is) {
  BOOST_TEST(the_store().identity() == "oss:calls/cc/");
}

BOOST_AUTO_TEST_CASE(removing_is_fine_whether_there_is_one_or_not) {
  BOOST_TEST(!remove().has_value());
  BOOST_REQUIRE(put("bytes").stored.has_value());
  BOOST_TEST(!remove().has_value());
  BOOST_TEST(objects().empty());
  BOOST_TEST(!remove().has_value());
  BOOST_TEST(!abort("0004B9895DBBB6EC98E36").has_value());
}

BOOST_AUTO_TEST_CASE(the_configuration_chooses_the_store) {
  Config config;
  BOOST_TEST((make_object_store(io.get_executor(), config, http, clock) == nullptr));
  config.recordings.store = RecordingsConfig::Store::oss;
  config.recordings.oss = account;
  const auto oss = make_object_store(io.get_executor(), config, http, clock);
  BOOST_TEST(oss->kind() == "oss");
  BOOST_TEST((shelf_of(*oss) == nullptr));
  BOOST_TEST(!prepare_store(*oss, config.recordings).has_value());
  config.recordings.store = RecordingsConfig::Store::directory;
  config.recordings.directory = folder.file("no/where");
  const auto directory = make_object_store(io.get_executor(), config, http, clock);
  BOOST_TEST(directory->kind() == "directory");
  BOOST_TEST((shelf_of(*directory) != nullptr));
  BOOST_TEST(prepare_store(*directory, config.recordings).has_value());
  // Only itself is missing: it is made.
  config.recordings.directory = folder.file("new");
  const auto made = make_object_store(io.get_executor(), config, http, clock);
  BOOST_TEST(!prepare_store(*made, config.recordings).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cc::test
