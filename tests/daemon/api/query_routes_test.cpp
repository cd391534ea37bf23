// /v1/calls, /v1/calls/search, /v1/export.csv over fakes: what is asked for, what is shown to whom.
#include "api/call_csv.hpp"
#include "api/cursor.hpp"
#include "noun_rig.hpp"
#include "query_fakes.hpp"

using namespace cc;
using namespace cc::test;

namespace {

namespace json = boost::json;

struct Fixture : NounRig {
  Fixture() {
    nouns.query = &query;
    nouns.audit = &audit;
    build();
  }

  /// All that `more` gives. Runs it as the connection does.
  std::string read(const api::Response& response) const {
    empty_parts = 0;
    std::string text = response.body;
    asio::io_context loop;
    const auto all = [&]() -> asio::awaitable<void> {
      while (true) {
        auto reading = response.more();
        const std::optional<std::string> part = co_await std::move(reading);
        if (!part) break;
        if (part->empty()) ++empty_parts;
        text += *part;
      }
    };
    std::exception_ptr thrown;
    asio::co_spawn(loop, all(), [&](const std::exception_ptr& error) { thrown = error; });
    loop.run();
    if (thrown) std::rethrow_exception(thrown);
    return text;
  }

  FakeQuery query;
  FakeAudit audit;
  mutable int empty_parts = 0;
};

const std::int64_t now = StillClock{}.epoch_ms();
const std::int64_t month = 31 * std::int64_t{86'400'000};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(query_routes_test, Fixture)

BOOST_AUTO_TEST_CASE(a_list_asks_for_all_that_is_given) {
  const api::Response response =
      ask("GET",
          "/v1/calls?agent=a&user=%E7%8E%8B&state=open&channel=e9&closeType=2&business=b&bizType=t&"
          "bizId=i&channelCallId=c&ids=7,8&from=2026-11-22T18:00:00%2B08:00&to=1795341600001&"
          "limit=200",
          {}, "reader");
  BOOST_TEST(response.status == 200U, response.body);
  const CallFilter& filter = query.filter;
  BOOST_TEST(filter.tenant == "acme");
  BOOST_TEST((filter.agent == "a" && filter.user == "王" && filter.state == "open"));
  BOOST_TEST((filter.channel == "e9" && filter.close_type == "2" && filter.business == "b"));
  BOOST_TEST((filter.biz_type == "t" && filter.biz_id == "i" && filter.channel_call_id == "c"));
  BOOST_TEST((filter.ids == std::vector<std::int64_t>{7, 8}));
  BOOST_TEST(filter.from_ms == 1'795'341'600'000);
  BOOST_TEST(filter.to_ms == 1'795'341'600'001);
  BOOST_TEST((!filter.caller && !filter.called));
  BOOST_TEST(query.limit == 200U);
}

BOOST_AUTO_TEST_CASE(a_search_asks_for_the_same_and_for_numbers) {
  const api::Response response =
      ask("POST", "/v1/calls/search",
          R"({"agent":"a","user":"u","state":"conn","channel":"e9","closeType":"2","business":"b",
              "bizType":"t","bizId":"i","channelCallId":"c","ids":["7","8"],
              "from":1795341600000,"to":"2026-11-22T10:00:00.001Z","limit":7,
              "caller":"+86 139 0000 1111","called":"0086-138-1234-5678","cursor":null})",
          "full");
  BOOST_TEST(response.status == 200U, response.body);
  const CallFilter& filter = query.filter;
  BOOST_TEST((filter.agent == "a" && filter.user == "u" && filter.state == "conn"));
  BOOST_TEST((filter.channel == "e9" && filter.close_type == "2" && filter.business == "b"));
  BOOST_TEST((filter.biz_type == "t" && filter.biz_id == "i" && filter.channel_call_id == "c"));
  BOOST_TEST((filter.ids == std::vector<std::int64_t>{7, 8}));
  BOOST_TEST((filter.from_ms == 1'795'341'600'000 && filter.to_ms == 1'795'341'600'001));
  BOOST_TEST((filter.caller == "13900001111" && filter.called == "13812345678"));
  BOOST_TEST(query.limit == 7U);
}

BOOST_AUTO_TEST_CASE(without_a_window_it_is_the_last_31_days_but_for_calls_that_are_named) {
  ask("GET", "/v1/calls", {}, "reader");
  BOOST_TEST(query.filter.from_ms == now - month);
  BOOST_TEST(query.filter.to_ms == INT64_MAX);
  BOOST_TEST(query.limit == 50U);
  ask("GET", "/v1/calls?to=" + std::to_string(now - 5), {}, "reader");
  BOOST_TEST(query.filter.from_ms == now - 5 - month);
  ask("GET", "/v1/calls?ids=7", {}, "reader");
  BOOST_TEST(query.filter.from_ms == 0);
  ask("GET", "/v1/calls?channelCallId=7", {}, "reader");
  BOOST_TEST(query.filter.from_ms == 0);
  BOOST_TEST(query.limit == 50U);
  ask("GET", "/v1/calls?ids=7,8,9", {}, "reader");
  BOOST_TEST(query.limit == 3U);  // all that are named
  ask("GET", "/v1/calls?ids=7,8,9&limit=2", {}, "reader");
  BOOST_TEST(query.limit == 2U);
  ask("GET", "/v1/calls?from=0", {}, "reader");
  BOOST_TEST(query.filter.from_ms == 0);
}

BOOST_AUTO_TEST_CASE(next_goes_on_where_the_page_ended_and_keeps_its_window) {
  query.count = 5;
  const json::object first = document(ask("GET", "/v1/calls?limit=3", {}, "reader"));
  BOOST_TEST(first.at("items").as_array().size() == 3U);
  const std::string next(first.at("next").as_string());
  const json::object second =
      document(ask("GET", "/v1/calls?limit=3&agent=other&cursor=" + next, {}, "reader"));
  BOOST_TEST(query.cursor.last == 3);
  BOOST_TEST(query.filter.from_ms == now - month);
  BOOST_TEST(second.at("items").as_array().size() == 2U);
  BOOST_TEST(second.at("next").is_null());
  ask("POST", "/v1/calls/search", R"({"from":5,"cursor":")" + next + "\"}", "full");
  BOOST_TEST(query.cursor.last == 3);
  BOOST_TEST(query.filter.from_ms == 5);  // said again, and otherwise
}

BOOST_AUTO_TEST_CASE(all_that_is_wrong_is_named_at_once) {
  const api::Response list = ask(
      "GET",
      "/v1/calls?state=over&channel=much-too-long&ids=1,x&from=yesterday&to=2026-11-22T10:00:00&"
      "limit=201&cursor=abc&colour=red&agent=",
      {}, "reader");
  BOOST_TEST(list.status == 400U);
  BOOST_TEST(
      invalid(list) ==
      "query agent query state query channel query ids query from query to query limit query "
      "cursor query colour");
  const api::Response search = ask("POST", "/v1/calls/search",
                                   R"({"state":1,"channel":"much-too-long","ids":[],"from":true,
                                       "to":"soon","limit":0,"cursor":"?","colour":"red",
                                       "caller":"x","called":12345,"agent":"a\u0000b"})",
                                   "full");
  BOOST_TEST(search.status == 400U);
  BOOST_TEST(invalid(search) ==
             "agent state channel caller called ids from to limit cursor colour");
  std::string many = "1";
  for (int i = 0; i < 100; ++i) many += ",1";
  BOOST_TEST(invalid(ask("GET", "/v1/calls?ids=" + many, {}, "reader")) == "query ids");
  BOOST_TEST(invalid(ask("GET", "/v1/calls?from=9&to=9", {}, "reader")) == "query from");
  BOOST_TEST(invalid(ask("GET", "/v1/export.csv?limit=5", {}, "reader")) == "query limit");
}

BOOST_AUTO_TEST_CASE(a_number_in_a_url_is_refused_with_the_way_out) {
  for (const char* path : {"/v1/calls?called=13812345678", "/v1/export.csv?caller=13812345678"}) {
    const api::Response response = ask("GET", path, {}, "root");
    BOOST_TEST(response.status == 400U);
    BOOST_TEST(holds(response.body, "POST /v1/calls/search"), response.body);
    BOOST_TEST(!holds(response.body, "13812345678"), response.body);
    BOOST_TEST(document(response).at("invalidParams").as_array().size() == 1U);
  }
}

BOOST_AUTO_TEST_CASE(searching_needs_the_scope_that_sees_numbers) {
  for (const char* key : {"reader", "admin"}) {
    const api::Response response = ask("POST", "/v1/calls/search", "{}", key);
    BOOST_TEST(response.status == 403U, key);
    BOOST_TEST(problem(response) == "missing-scope");
    BOOST_TEST(document(response).at("scope").as_string() == "numbers");
  }
  BOOST_TEST(query.limit == 0U);  // nobody asked
}

BOOST_AUTO_TEST_CASE(whole_numbers_are_shown_to_few_and_told_of) {
  const api::Response masked = ask("GET", "/v1/calls", {}, "reader");
  BOOST_TEST(!holds(masked.body, "13812345678"), masked.body);
  BOOST_TEST(holds(masked.body, "138****5678"), masked.body);
  BOOST_TEST(audit.entries.empty());
  const api::Response whole = ask("GET", "/v1/calls", {}, "full");
  BOOST_TEST(holds(whole.body, "13812345678"), whole.body);
  BOOST_REQUIRE(audit.entries.size() == 1U);
  BOOST_TEST(audit.entries[0].action == "numbers.shown");
  BOOST_TEST((audit.entries[0].calls == std::vector<std::int64_t>{3, 2, 1}));
  audit.away = true;
  const api::Response refused = ask("GET", "/v1/calls", {}, "full");
  BOOST_TEST(refused.status == 503U);
  BOOST_TEST(!holds(refused.body, "13812345678"));
}

BOOST_AUTO_TEST_CASE(an_export_has_a_header_and_a_line_a_call) {
  query.count = 1203;
  const api::Response response = ask("GET", "/v1/export.csv?agent=a", {}, "reader");
  BOOST_TEST(response.status == 200U);
  BOOST_TEST(response.content_type.starts_with("text/csv"));
  BOOST_TEST(query.limit == 0U);  // nothing is read before somebody takes it
  const std::string text = read(response);
  BOOST_TEST(query.filter.agent.value() == "a");
  BOOST_TEST(query.limit == 500U);
  BOOST_TEST(text.starts_with("callId,tenant,"));
  std::size_t lines = 0;
  for (std::size_t at = text.find("\r\n"); at != std::string::npos;
       at = text.find("\r\n", at + 2)) {
    ++lines;
  }
  BOOST_TEST(lines == 1204U);
  for (int id = 1; id <= 1203; ++id) {
    BOOST_TEST(holds(text, "\r\n" + std::to_string(id) + ",acme,"), id);
  }
  BOOST_TEST(!holds(text, "13812345678"));
  BOOST_REQUIRE(audit.entries.size() == 2U);
  for (const AuditEntry& entry : audit.entries) {
    BOOST_TEST(entry.action == "calls.exported");
    BOOST_TEST(entry.request_id == "request-1");
    BOOST_TEST(holds(entry.detail, R"("agent":"a")"), entry.detail);
  }
  BOOST_TEST(holds(audit.entries[0].detail, R"("event":"begin")"));
  BOOST_TEST(holds(audit.entries[1].detail, R"("event":"end")"));
  BOOST_TEST(audit.entries[1].count == 1203);
}

BOOST_AUTO_TEST_CASE(a_page_without_calls_is_an_empty_part) {
  query.empty_pages = 3;
  const std::string text = read(ask("GET", "/v1/export.csv", {}, "reader"));
  for (const char* id : {"3", "2", "1"}) {
    BOOST_TEST(holds(text, "\r\n" + std::string(id) + ",acme,"), id);
  }
  BOOST_TEST(empty_parts == 3);
  query.busy_pages = 2;  // its turn did not come: it is asked for again
  BOOST_TEST(read(ask("GET", "/v1/export.csv", {}, "reader")) == text);
  BOOST_TEST(empty_parts == 2);
}

BOOST_AUTO_TEST_CASE(an_export_ends_with_its_key) {
  query.count = 1203;
  const api::Response response = ask("GET", "/v1/export.csv", {}, "reader");
  std::map<std::string, Tenant> tenants = config.tenants;
  for (auto& [name, tenant] : tenants) tenant.keys.clear();
  router->reconfigure(tenants);
  BOOST_CHECK_THROW(read(response), std::runtime_error);
  BOOST_TEST(query.limit == 0U);  // no page was read any more
}

BOOST_AUTO_TEST_CASE(head_of_an_export_takes_nothing_out_and_is_not_told_of) {
  const api::Response response = ask("HEAD", "/v1/export.csv", {}, "reader");
  BOOST_TEST(response.status == 200U);
  BOOST_TEST(response.content_type.starts_with("text/csv"));
  BOOST_TEST(audit.entries.empty());
}

BOOST_AUTO_TEST_CASE(an_agent_s_phone_is_found_however_it_is_written) {
  for (const char* agent : {"+8613900004445", "%2B8613900004445", "139-0000-4445", "13900004445"}) {
    BOOST_TEST(ask("GET", std::string("/v1/calls?agent=") + agent, {}, "reader").status == 200U);
    BOOST_TEST(query.filter.agent.value() == "13900004445", agent);
  }
  ask("POST", "/v1/calls/search", R"({"agent":"139 0000 4445","closeType":"255"})", "full");
  BOOST_TEST(query.filter.agent.value() == "13900004445");
  ask("GET", "/v1/calls?agent=291", {}, "reader");
  BOOST_TEST(query.filter.agent.value() == "291");
}

BOOST_AUTO_TEST_CASE(an_end_is_one_of_those_that_there_are) {
  for (const char* type : {"8", "00", "256", "busy"}) {
    BOOST_TEST(invalid(ask("GET", std::string("/v1/calls?closeType=") + type, {}, "reader")) ==
               "query closeType");
  }
  BOOST_TEST(invalid(ask("POST", "/v1/calls/search", R"({"closeType":"99"})", "full")) ==
             "closeType");
}

BOOST_AUTO_TEST_CASE(an_export_shows_numbers_to_whom_the_record_would) {
  BOOST_TEST(holds(read(ask("GET", "/v1/export.csv", {}, "full")), "13812345678"));
  const std::string text = read(ask("GET", "/v1/export.csv?bom=true", {}, "full"));
  BOOST_TEST(
      text.starts_with("\xEF\xBB\xBF"
                       "callId,"));
}

BOOST_AUTO_TEST_CASE(an_export_that_cannot_be_told_of_does_not_begin) {
  audit.away = true;
  BOOST_TEST(ask("GET", "/v1/export.csv", {}, "reader").status == 503U);
}

BOOST_AUTO_TEST_CASE(an_export_breaks_where_postgresql_does) {
  query.count = 1500;
  query.fails_below = 600;
  const api::Response response = ask("GET", "/v1/export.csv", {}, "reader");
  BOOST_CHECK_THROW(read(response), pg::Failure);
  BOOST_TEST(audit.entries.size() == 1U);  // it has no end
}

BOOST_AUTO_TEST_CASE(cells_are_quoted_and_formulas_are_made_harmless) {
  const auto cell = [](const std::string& biz_data) {
    StoredRecord record;
    record.constants.biz_data = biz_data;
    const std::string line = api::csv_line(record, {});
    const std::string empty = api::csv_line(StoredRecord{}, {});
    // All but that cell is as it is without.
    std::size_t begin = 0;
    while (begin < empty.size() && line[begin] == empty[begin]) ++begin;
    return line.substr(begin, line.size() - empty.size());
  };
  BOOST_TEST(cell("plain") == "plain");
  BOOST_TEST(cell("a,b") == "\"a,b\"");
  BOOST_TEST(cell("a\"b") == "\"a\"\"b\"");
  BOOST_TEST(cell("a\r\nb") == "\"a\r\nb\"");
  for (const std::string text :
       {"=1+1", "+cmd|' /C calc'!A0", "-2+3", "@sum", "\tx", "＝1", "＠x"}) {
    BOOST_TEST(cell(text) == "'" + text);
  }
  BOOST_TEST(cell("=\"x\"") == "\"'=\"\"x\"\"\"");
  for (const std::string text : {"+441632960961", "-5", "a=b"}) BOOST_TEST(cell(text) == text);
  BOOST_TEST(cell("-") == "'-");
  const std::string header = api::csv_header({});
  const std::string line = api::csv_line(StoredRecord{}, {});
  BOOST_TEST(std::count(header.begin(), header.end(), ',') ==
             std::count(line.begin(), line.end(), ','));
  BOOST_TEST(holds(header, "recordingState,recordingReason,recordingExpectedAt"), header);
  BOOST_TEST(!holds(header, "chAudioUrl"));
  BOOST_TEST(holds(api::csv_header({false, true}), "chAudioUrl"));
}

BOOST_AUTO_TEST_CASE(cursors_come_back_as_they_were_and_no_other_text_is_one) {
  for (const Cursor& cursor : {Cursor{1, 0}, Cursor{INT64_MAX, INT64_MAX},
                               Cursor{720'000'000'000'000'001, 1'795'341'600'000}}) {
    const std::string text = api::to_text(cursor);
    BOOST_TEST((api::parse_cursor(text) == cursor), text);
    BOOST_TEST(
        text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                               "-_") == std::string::npos);
    BOOST_TEST(!api::parse_cursor(text.substr(1)));
    BOOST_TEST(!api::parse_cursor(text + "A"));
    for (std::size_t i = 0; i < text.size(); ++i) {
      std::string other = text;
      other[i] = other[i] == 'A' ? 'B' : 'A';
      BOOST_TEST(!api::parse_cursor(other), other);
    }
  }
  for (const char* text : {"", "next", "AAAAAAAAAAAAAAAAAAAAAAAA", "                        "}) {
    BOOST_TEST(!api::parse_cursor(text), text);
  }
  BOOST_TEST(!api::parse_cursor(api::to_text(Cursor{0, 0})));
  BOOST_TEST(!api::parse_cursor(api::to_text(Cursor{-5, 0})));
  BOOST_TEST(!api::parse_cursor(api::to_text(Cursor{5, -1})));
}

BOOST_AUTO_TEST_SUITE_END()
