// /v1/files/…: what a signed URL gives, over a fake shelf and over real sockets.
#include <boost/test/unit_test.hpp>

#include "noun_rig.hpp"
#include "recording_fakes.hpp"

using namespace cc;
using namespace cc::test;

namespace {

const std::string path = "/v1/files/acme/2026/11/22/720000000000000001.mp3";
const std::string good = path + "?expires=9&signature=good";

/// An answer with its body read to the end.
struct Whole {
  api::Response response;
  std::string body;
  bool broken = false;

  std::string header(std::string_view wanted) const {
    std::string all;
    for (const auto& [name, value] : response.headers) {
      if (name == wanted) all += (all.empty() ? "" : "|") + value;
    }
    return all;
  }
};

struct FileRig : NounRig {
  FileRig() {
    nouns.files = &shelf;
    build();
  }

  Whole ask_for(const std::string& target, api::Headers headers = {},
                const std::string& method = "GET") {
    request = {};
    request.id = "request-1";
    request.method = method;
    request.target = target;
    request.headers = std::move(headers);
    Whole whole;
    asio::io_context loop;
    const auto all = [&]() -> asio::awaitable<void> {
      auto answering = router->answer(request);
      api::Answer answer = co_await std::move(answering);
      trace = answer.trace;
      whole.response = std::move(answer.response);
      whole.body = whole.response.body;
      while (whole.response.more) {
        auto getting = whole.response.more();
        const auto part = co_await std::move(getting);
        if (!part) break;
        longest = std::max(longest, part->size());
        whole.body += *part;
      }
    };
    asio::co_spawn(loop, all(),
                   [&](const std::exception_ptr& error) { whole.broken = error != nullptr; });
    loop.run();
    return whole;
  }

  FakeShelf shelf;
  std::size_t longest = 0;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(file_routes_test, FileRig)

BOOST_AUTO_TEST_CASE(a_file_comes_whole_and_says_what_it_is) {
  const Whole whole = ask_for(good);
  BOOST_TEST(whole.response.status == 200U);
  BOOST_TEST(whole.body == "0123456789");
  BOOST_TEST(whole.response.length.value() == 10U);
  BOOST_TEST(whole.response.content_type == "audio/mpeg");
  BOOST_TEST(whole.header("Accept-Ranges") == "bytes");
  BOOST_TEST(whole.header("ETag") == "\"v1\"");
  BOOST_TEST(whole.header("Last-Modified") == "Sun, 22 Nov 2026 10:00:00 GMT");
  BOOST_TEST(whole.header("Content-Disposition") == "inline; filename=\"720000000000000001.mp3\"");
  BOOST_TEST(whole.header("X-Content-Type-Options") == "nosniff");
  BOOST_TEST(whole.header("Referrer-Policy") == "no-referrer");
  BOOST_TEST(whole.header("Cache-Control") == "no-store");
  BOOST_TEST(whole.header("Content-Range") == "");
  BOOST_TEST(shelf.looked_at == good);
  BOOST_TEST(trace.route == "/v1/files/{tenant}/{year}/{month}/{day}/{file}");
  BOOST_TEST(trace.tenant == "acme");
  BOOST_TEST(trace.call == "720000000000000001");
}

BOOST_AUTO_TEST_CASE(a_long_one_comes_in_pieces) {
  shelf.put(std::string(1'000'000, 'x') + "end");
  const Whole whole = ask_for(good);
  BOOST_TEST((whole.body == shelf.content));
  BOOST_TEST(longest == 65'536U);
  shelf.step = 1000;  // the disk gives less at a time
  BOOST_TEST((ask_for(good).body == shelf.content));
}

BOOST_AUTO_TEST_CASE(a_range_is_answered_with_its_bytes) {
  const Whole part = ask_for(good, {{"range", "bytes=2-4"}});
  BOOST_TEST(part.response.status == 206U);
  BOOST_TEST(part.body == "234");
  BOOST_TEST(part.response.length.value() == 3U);
  BOOST_TEST(part.header("Content-Range") == "bytes 2-4/10");
  BOOST_TEST(part.header("ETag") == "\"v1\"");
  BOOST_TEST(ask_for(good, {{"range", "bytes=-3"}}).body == "789");
  BOOST_TEST(ask_for(good, {{"range", "bytes=8-"}}).header("Content-Range") == "bytes 8-9/10");
  const Whole several = ask_for(good, {{"range", "bytes=0-1,4-5"}});
  BOOST_TEST(several.response.status == 200U);
  BOOST_TEST(several.body == "0123456789");
  const Whole other = ask_for(good, {{"range", "bytes=2-4"}, {"if-range", "\"v0\""}});
  BOOST_TEST(other.response.status == 200U);
  BOOST_TEST(other.body == "0123456789");
}

BOOST_AUTO_TEST_CASE(bytes_that_it_does_not_have_are_refused) {
  const Whole none = ask_for(good, {{"range", "bytes=10-"}});
  BOOST_TEST(none.response.status == 416U);
  BOOST_TEST(problem(none.response) == "range-not-satisfiable");
  BOOST_TEST(none.header("Content-Range") == "bytes */10");
  BOOST_TEST(shelf.opened == 0);
}

BOOST_AUTO_TEST_CASE(an_empty_file_is_empty) {
  shelf.put("");
  const Whole whole = ask_for(good);
  BOOST_TEST(whole.response.status == 200U);
  BOOST_TEST(whole.response.length.value() == 0U);
  BOOST_TEST(whole.body == "");
}

BOOST_AUTO_TEST_CASE(who_has_it_need_not_take_it_again) {
  const Whole same = ask_for(good, {{"if-none-match", "\"v1\""}, {"range", "bytes=99-"}});
  BOOST_TEST(same.response.status == 304U);
  BOOST_TEST(!same.response.more);
  BOOST_TEST(same.header("ETag") == "\"v1\"");
  BOOST_TEST(shelf.opened == 0);
}

BOOST_AUTO_TEST_CASE(head_says_the_same_and_opens_nothing) {
  const Whole head = ask_for(good, {{"range", "bytes=2-4"}}, "HEAD");
  BOOST_TEST(head.response.status == 200U);
  BOOST_TEST(head.response.length.value() == 10U);
  BOOST_TEST(head.header("Accept-Ranges") == "bytes");
  BOOST_TEST(head.body == "");
  BOOST_TEST(shelf.opened == 0);
}

BOOST_AUTO_TEST_CASE(what_was_not_signed_is_not_looked_for) {
  const Whole forged = ask_for(path + "?expires=9&signature=13812345678");
  BOOST_TEST(forged.response.status == 403U);
  BOOST_TEST(problem(forged.response) == "link-invalid");
  BOOST_TEST(forged.header("Cache-Control") == "no-store");
  BOOST_TEST(trace.tenant == "");
  BOOST_TEST(trace.call == "");
  BOOST_TEST(problem(ask_for(path).response) == "link-invalid");
  shelf.verdict = FileShelf::Verdict::expired;
  BOOST_TEST(ask_for(good).response.status == 403U);
  BOOST_TEST(problem(ask_for(good).response) == "link-expired");
  BOOST_TEST(trace.call == "720000000000000001");  // it was signed once
  shelf.verdict = FileShelf::Verdict::gone;
  BOOST_TEST(ask_for(good).response.status == 410U);
  BOOST_TEST(problem(ask_for(good).response) == "recording-gone");
  BOOST_TEST(shelf.opened == 0);
  // Not even the shape of one.
  for (const char* other : {"/v1/files", "/v1/files/", "/v1/files/a/b", "/v1/files/a/b/c/d/",
                            "/v1/files/a/b/c/d/e/f", "/v1/files//b/c/d/e"}) {
    BOOST_TEST(problem(ask_for(other).response) == "not-found", other);
  }
  BOOST_TEST(ask_for(good, {}, "POST").response.status == 405U);
}

BOOST_AUTO_TEST_CASE(where_none_lie_no_url_leads_anywhere) {
  FakeRecordings recordings;
  nouns.files = nullptr;
  nouns.recordings = &recordings;
  build();
  BOOST_TEST(problem(ask_for(good).response) == "link-invalid");
}

BOOST_AUTO_TEST_CASE(the_shelf_sees_the_target_without_its_host) {
  BOOST_TEST(ask_for("http://cc.example.com" + good).response.status == 200U);
  BOOST_TEST(shelf.looked_at == good);
}

BOOST_AUTO_TEST_CASE(what_a_channel_sent_is_never_a_page) {
  for (const char* type :
       {"text/html", "audio/mpeg\r\nX: y", "image/svg+xml", "", "audio/mpeg; charset=utf-7"}) {
    shelf.what.content_type = type;
    BOOST_TEST(ask_for(good).response.content_type == "application/octet-stream", type);
  }
  shelf.what.content_type = "audio/x-wav";
  BOOST_TEST(ask_for(good).response.content_type == "audio/x-wav");
  for (const char* name : {"", "a\"b.mp3", "a\r\nX: y", "录音.mp3"}) {
    shelf.what.file_name = name;
    BOOST_TEST(ask_for(good).header("Content-Disposition") == "", name);
  }
}

BOOST_AUTO_TEST_CASE(a_file_that_fails_is_cut_and_never_ends_early) {
  shelf.breaks_after = 4;
  shelf.step = 2;
  const Whole broken = ask_for(good);
  BOOST_TEST(broken.broken);
  BOOST_TEST(broken.body == "0123");
  shelf.breaks_after = SIZE_MAX;
  shelf.what.size = 20;  // it shrank
  BOOST_TEST(ask_for(good).broken);
  shelf.locked = true;
  const Whole locked = ask_for(good);
  BOOST_TEST(locked.response.status == 503U);
  BOOST_TEST(problem(locked.response) == "storage-unavailable");
  shelf.lost = true;
  BOOST_TEST(problem(ask_for(good).response) == "storage-unavailable");
  BOOST_TEST(!holds(locked.response.body, "permission"));
  BOOST_TEST(!holds(logged.str(), "signature"));
}

BOOST_AUTO_TEST_CASE(so_many_are_given_at_a_time) {
  std::vector<api::Response> held;
  for (int i = 0; i < 200; ++i) ask_for(good, {}, i % 2 == 0 ? "HEAD" : "GET");  // over at once
  for (long i = 0; i < api::FileGate::most; ++i) held.push_back(ask("GET", good));
  BOOST_TEST(held.back().status == 200U);
  shelf.looked_at.clear();
  for (const char* method : {"GET", "HEAD"}) {
    const Whole refused = ask_for(good, {}, method);
    BOOST_TEST(refused.response.status == 503U);
    BOOST_TEST(problem(refused.response) == "overloaded");
    BOOST_TEST(refused.header("Retry-After") == "5");
    BOOST_TEST(refused.header("Cache-Control") == "no-store");
  }
  BOOST_TEST(shelf.looked_at == "");  // nor is the disk troubled
  held.pop_back();
  BOOST_TEST(ask_for(good).response.status == 200U);
}

BOOST_AUTO_TEST_CASE(who_reads_too_slowly_has_so_much_time) {
  using std::chrono::seconds;
  const auto time_of = [&](std::uint64_t size) {
    shelf.what.size = size;
    return ask("GET", good).within.value();
  };
  BOOST_TEST((time_of(10) == seconds(60)));
  BOOST_TEST((time_of(32U << 20) == seconds(60 + 1024)));
  BOOST_TEST((time_of(std::uint64_t{4} << 30) == seconds(7200)));
  BOOST_TEST((time_of(UINT64_MAX) == seconds(7200)));
  shelf.what.size = 32U << 20;
  BOOST_TEST((ask_for(good, {{"range", "bytes=0-9"}}).response.within == seconds(60)));
}

BOOST_AUTO_TEST_CASE(over_the_wire_it_has_its_length_and_leaves_no_trace) {
  shelf.put(std::string(3'000'000, 'x') + "end");
  shelf.what.size = shelf.content.size();
  api::Nouns served;
  served.files = &shelf;
  Rig rig(make_config(), served);
  {
    Client client(rig.address);
    client.send(request_text("GET", good, ""));
    const Reply whole = client.receive();
    BOOST_TEST(whole.status == 200);
    BOOST_TEST(whole.header("content-length") == "3000003");
    BOOST_TEST(!whole.headers.contains("transfer-encoding"));
    BOOST_TEST((whole.body == shelf.content));
    client.send(request_text("GET", good, "Range: bytes=-4\r\n"));
    const Reply part = client.receive();
    BOOST_TEST(part.status == 206);
    BOOST_TEST(part.header("content-length") == "4");
    BOOST_TEST(part.header("content-range") == "bytes 2999999-3000002/3000003");
    BOOST_TEST(part.body == "xend");
    client.send(request_text("HEAD", good, ""));
    BOOST_TEST(client.receive(true).header("content-length") == "3000003");
    client.send(request_text("GET", good, "Range: bytes=3000003-\r\n"));
    const Reply none = client.receive();
    BOOST_TEST(none.problem() == "range-not-satisfiable");
    BOOST_TEST(none.header("content-range") == "bytes */3000003");
    client.send(request_text("GET", path + "?signature=forged", ""));
    BOOST_TEST(client.receive().problem() == "link-invalid");
  }
  shelf.breaks_after = 1'000'000;
  {
    Client client(rig.address);
    client.send(request_text("GET", good, ""));
    BOOST_TEST(client.closed_within(std::chrono::seconds(5)));
    BOOST_TEST(client.unread().size() < 1'100'000U);
  }
  for (int i = 0; i < 1000 && rig.log().size() < 6; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  const auto entries = rig.log();
  BOOST_REQUIRE(entries.size() == 6U);
  for (const api::AccessEntry& entry : entries) api::log_access(entry);
  const std::string lines = logged.str();
  BOOST_TEST(holds(lines, "GET /v1/files/{tenant}/{year}/{month}/{day}/{file} status=206"));
  BOOST_TEST(holds(lines, "call=720000000000000001"));
  BOOST_TEST(holds(lines, " cut"));
  for (const char* secret : {"signature", "expires", ".mp3", "/2026/"}) {
    BOOST_TEST(!holds(lines, secret), secret);
  }
}

BOOST_AUTO_TEST_SUITE_END()
