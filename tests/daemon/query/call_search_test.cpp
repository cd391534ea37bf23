// Every filter, and pages that hold each call once, whatever is written meanwhile.
#include "query/call_search.hpp"

#include <algorithm>
#include <set>

#include "query/call_select.hpp"
#include "store_fixture.hpp"

using namespace cc;
using namespace cc::test;

namespace {

using Ids = std::vector<std::int64_t>;

struct Fixture : StoreFixture {
  Fixture() { make_months(now_ms - 40 * day_ms, now_ms + day_ms); }

  /// `columns` and `values` beside id, tenant and what must be there.
  std::int64_t plant(std::int64_t at_ms, const std::string& tenant, const std::string& columns = {},
                     const std::string& values = {}) {
    const std::int64_t id = make_call_id(at_ms, ++sequence);
    sql("INSERT INTO call_record (id, tenant, direction, initiator, max_duration, created, "
        "updated" +
        (columns.empty() ? "" : ", " + columns) + ") VALUES (" + std::to_string(id) + ", '" +
        tenant + "', 'out', 'agent', 3600, " + std::to_string(at_ms) + ", 0" +
        (values.empty() ? "" : ", " + values) + ")");
    return id;
  }

  CallSearch search(SearchBounds bounds = {}) {
    return {*pool, [] { return std::vector<std::string>{"e9", "hw"}; }, bounds};
  }

  CallPage page(const CallFilter& filter, std::size_t limit = 50, Cursor cursor = {},
                SearchBounds bounds = {}) {
    CallSearch searching = search(bounds);
    return wait_for(searching.page(filter, cursor, limit));
  }

  static Ids ids_of(const CallPage& page) {
    Ids ids;
    for (const StoredRecord& record : page.calls) ids.push_back(record.constants.id);
    return ids;
  }

  /// All pages, one after the other; `between` runs after each.
  template <class Between>
  Ids read_all(const CallFilter& filter, std::size_t limit, Between between,
               SearchBounds bounds = {}) {
    Ids all;
    std::optional<Cursor> cursor = Cursor{};
    for (int pages = 0; cursor && pages < 1000; ++pages) {
      const CallPage one = page(filter, limit, *cursor, bounds);
      const Ids ids = ids_of(one);
      BOOST_TEST(ids.size() <= limit);
      all.insert(all.end(), ids.begin(), ids.end());
      cursor = one.next;
      between();
    }
    BOOST_TEST(!cursor.has_value());
    return all;
  }

  static CallFilter of(const std::string& tenant) {
    CallFilter filter;
    filter.tenant = tenant;
    return filter;
  }

  std::int64_t sequence = 0;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(call_search, Fixture)

BOOST_AUTO_TEST_CASE(each_filter_finds_its_calls_and_no_other) {
  struct Case {
    const char* column;
    OptText CallFilter::*field;
  };
  const std::vector<Case> cases{
      {"agent", &CallFilter::agent},       {"user_id", &CallFilter::user},
      {"channel", &CallFilter::channel},   {"close_type", &CallFilter::close_type},
      {"business", &CallFilter::business}, {"biz_type", &CallFilter::biz_type},
      {"biz_id", &CallFilter::biz_id},     {"caller", &CallFilter::caller},
      {"called", &CallFilter::called},
  };
  for (const Case& one : cases) {
    const std::int64_t wanted = plant(now_ms, "demo", one.column, "'x1'");
    plant(now_ms, "demo", one.column, "'x2'");
    plant(now_ms, "other", one.column, "'x1'");
    CallFilter filter = of("demo");
    filter.*one.field = "x1";
    BOOST_TEST(ids_of(page(filter)) == Ids{wanted}, one.column);
    filter.tenant = "nobody";
    BOOST_TEST(page(filter).calls.empty(), one.column);
  }
}

BOOST_AUTO_TEST_CASE(filters_that_are_set_must_all_hold_whichever_leads) {
  const std::string columns =
      "agent, user_id, channel, close_type, business, biz_type, biz_id, "
      "caller, called, state";
  const std::vector<std::string> good{"'a'", "'u'", "'e9'",  "'0'",   "'b'",
                                      "'t'", "'i'", "'139'", "'138'", "'close'"};
  const auto join = [](const std::vector<std::string>& list) {
    std::string text;
    for (const std::string& item : list) text += (text.empty() ? "" : ", ") + item;
    return text;
  };
  const std::int64_t wanted = plant(now_ms, "demo", columns, join(good));
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::vector<std::string> bad = good;
    bad[i] = i + 1 == good.size() ? "'conn'" : "'z'";
    plant(now_ms, "demo", columns, join(bad));
  }
  CallFilter whole = of("demo");
  whole.agent = "a";
  whole.user = "u";
  whole.channel = "e9";
  whole.close_type = "0";
  whole.business = "b";
  whole.biz_type = "t";
  whole.biz_id = "i";
  whole.caller = "139";
  whole.called = "138";
  whole.state = "close";
  BOOST_TEST(ids_of(page(whole)) == Ids{wanted});
  // The filters that lead go one by one, so that each of the others leads once.
  for (OptText CallFilter::*gone : {&CallFilter::called, &CallFilter::biz_id, &CallFilter::caller,
                                    &CallFilter::user, &CallFilter::agent, &CallFilter::biz_type}) {
    whole.*gone = std::nullopt;
    const Ids found = ids_of(page(whole));
    BOOST_TEST(std::count(found.begin(), found.end(), wanted) == 1);
  }
  BOOST_TEST(ids_of(page(whole)).size() == 7U);  // it, and one that differs in each that is gone
}

BOOST_AUTO_TEST_CASE(states) {
  const std::int64_t init = plant(now_ms, "demo");
  const std::int64_t conn = plant(now_ms, "demo", "state", "'conn'");
  const std::int64_t close = plant(now_ms, "demo", "state", "'close'");
  CallFilter filter = of("demo");
  for (const auto& [state, ids] : std::map<std::string, Ids>{
           {"init", {init}}, {"conn", {conn}}, {"close", {close}}, {"open", {conn, init}}}) {
    filter.state = state;
    filter.agent.reset();
    BOOST_TEST(ids_of(page(filter)) == ids, state);
    sql("UPDATE call_record SET agent = 'a'");
    filter.agent = "a";  // which leads instead
    BOOST_TEST(ids_of(page(filter)) == ids, state);
  }
}

BOOST_AUTO_TEST_CASE(a_window_begins_with_its_first_millisecond_and_ends_before_its_last) {
  const std::int64_t before = plant(now_ms - 1, "demo"), first = plant(now_ms, "demo");
  const std::int64_t last = plant(now_ms + 9, "demo"), after = plant(now_ms + 10, "demo");
  CallFilter filter = of("demo");
  filter.from_ms = now_ms;
  filter.to_ms = now_ms + 10;
  BOOST_TEST(ids_of(page(filter)) == (Ids{last, first}));
  filter.from_ms = 0;
  filter.to_ms = INT64_MAX;
  BOOST_TEST(ids_of(page(filter)) == (Ids{after, last, first, before}));
  filter.from_ms = INT64_MAX;
  BOOST_TEST(page(filter).calls.empty());
}

BOOST_AUTO_TEST_CASE(ids_are_of_the_tenant_and_of_the_window) {
  const std::int64_t old = plant(now_ms - 35 * day_ms, "demo"), fresh = plant(now_ms, "demo");
  const std::int64_t foreign = plant(now_ms, "other");
  CallFilter filter = of("demo");
  filter.ids = {old, foreign, fresh, fresh, 7, INT64_MAX};
  BOOST_TEST(ids_of(page(filter)) == (Ids{fresh, old}));
  filter.state = "close";
  BOOST_TEST(page(filter).calls.empty());
  filter.state = "open";
  filter.from_ms = now_ms - day_ms;
  BOOST_TEST(ids_of(page(filter)) == Ids{fresh});
  filter.from_ms = 0;
  const CallPage one = page(filter, 1);
  BOOST_TEST(ids_of(one) == Ids{fresh});
  BOOST_REQUIRE(one.next.has_value());
  BOOST_TEST(ids_of(page(filter, 1, *one.next)) == Ids{old});
}

BOOST_AUTO_TEST_CASE(a_channels_call_id_finds_the_call_of_any_of_its_attempts) {
  const std::int64_t call = plant(now_ms, "demo"), other = plant(now_ms, "other");
  const auto attempt = [&](std::int64_t id, int number, const std::string& channel,
                           const std::string& channel_call) {
    sql("INSERT INTO call_attempt (call, attempt, tenant, channel, agent, state, created, "
        "channel_call_id) VALUES (" +
        std::to_string(id) + ", " + std::to_string(number) + ", 'x', '" + channel +
        "', 'a', 'accepted', 0, '" + channel_call + "')");
  };
  attempt(call, 1, "e9", "c-1");
  attempt(call, 2, "hw", "c-2");
  attempt(other, 1, "hw", "c-1");
  attempt(call, 3, "gone", "c-3");  // a channel that is not configured any more
  CallFilter filter = of("demo");
  for (const char* id : {"c-1", "c-2"}) {
    filter.channel_call_id = id;
    BOOST_TEST(ids_of(page(filter)) == Ids{call});
  }
  filter.channel_call_id = "c-3";
  BOOST_TEST(page(filter).calls.empty());
  filter.channel = "gone";
  BOOST_TEST(ids_of(page(filter)) == Ids{call});
  filter.channel = "hw";
  filter.channel_call_id = "c-1";
  BOOST_TEST(page(filter).calls.empty());  // that is the other tenant's
  filter.channel.reset();
  filter.ids = {call, 7};
  BOOST_TEST(ids_of(page(filter)) == Ids{call});
  filter.ids = {7};
  BOOST_TEST(page(filter).calls.empty());
}

BOOST_AUTO_TEST_CASE(a_merged_record_is_left_out) {
  const std::int64_t survivor = plant(now_ms, "demo");
  const std::int64_t merged = plant(now_ms, "demo", "merged_into", std::to_string(survivor));
  CallFilter filter = of("demo");
  BOOST_TEST(ids_of(page(filter)) == Ids{survivor});
  filter.ids = {merged};
  BOOST_TEST(page(filter).calls.empty());
}

BOOST_AUTO_TEST_CASE(pages_hold_each_call_once_while_others_are_made) {
  Ids planted;
  for (int i = 0; i < 95; ++i)
    planted.push_back(plant(now_ms - i * 1000, "demo", "channel", "'e9'"));
  const auto disturb = [&] {
    plant(now_ms + ++sequence, "demo", "channel", "'e9'");
    // In the midst of what is not read yet, of another tenant.
    plant(now_ms - 90'000, "other", "channel", "'e9'");
  };
  CallFilter filter = of("demo");
  BOOST_TEST(read_all(filter, 10, disturb) == planted);
  filter.to_ms = now_ms + 1;
  filter.channel = "e9";  // checked row by row
  BOOST_TEST(read_all(filter, 7, disturb) == planted);
  BOOST_TEST(read_all(filter, 7, disturb, {.rows = 10, .statements = 3}) == planted);
  BOOST_TEST(read_all(filter, 95, disturb) == planted);
  BOOST_TEST(read_all(filter, 200, disturb, {.rows = 1, .statements = 1}) == planted);
}

BOOST_AUTO_TEST_CASE(a_rare_call_among_many_is_found_in_bounded_steps) {
  Ids rare;
  for (int i = 0; i < 150; ++i) {
    const bool is_rare = i == 70 || i == 149;
    const std::int64_t id = plant(now_ms - i, "demo", "channel", is_rare ? "'hw'" : "'e9'");
    if (is_rare) rare.push_back(id);
  }
  CallFilter filter = of("demo");
  filter.channel = "hw";
  const SearchBounds bounds{.rows = 25, .statements = 2};
  const CallPage first = page(filter, 10, {}, bounds);
  BOOST_TEST(first.calls.empty());
  BOOST_TEST(first.next.has_value());  // there may be some further on
  BOOST_TEST(read_all(
                 filter, 10, [] {}, bounds) == rare);
  BOOST_TEST(ids_of(page(filter)) == rare);
}

BOOST_AUTO_TEST_CASE(a_page_begins_no_further_statement_when_its_time_is_over) {
  Ids rare;
  for (int i = 0; i < 60; ++i) {
    const std::int64_t id = plant(now_ms - i, "demo", "channel", i % 20 == 19 ? "'hw'" : "'e9'");
    if (i % 20 == 19) rare.push_back(id);
  }
  CallFilter filter = of("demo");
  filter.channel = "hw";
  SearchBounds bounds{.rows = 10, .statements = 100};
  BOOST_TEST(ids_of(page(filter, 10, {}, bounds)) == rare);
  bounds.time = std::chrono::milliseconds(0);
  const CallPage first = page(filter, 10, {}, bounds);
  BOOST_TEST(first.calls.empty());  // ten rows were looked at
  BOOST_TEST(first.next.has_value());
  BOOST_TEST(ids_of(page(filter, 10, *first.next, bounds)) == Ids{rare[0]});
  BOOST_TEST(read_all(
                 filter, 10, [] {}, bounds) == rare);
}

BOOST_AUTO_TEST_CASE(pages_that_look_through_rows_wait_at_the_gate_and_others_do_not) {
  const std::int64_t call = plant(now_ms, "demo", "channel", "'e9'");
  ScanGate gate;
  std::optional<ScanGate::Pass> pass(wait_for(gate.enter("demo", pg::Millis(0))));
  SearchBounds bounds;
  bounds.wait = std::chrono::milliseconds(1);
  CallSearch search(
      *pool, [] { return std::vector<std::string>{"e9"}; }, bounds, &gate);
  CallFilter filter = of("demo");
  BOOST_TEST(ids_of(wait_for(search.page(filter, {}, 10))) == Ids{call});
  filter.channel = "e9";
  BOOST_CHECK_EXCEPTION(wait_for(search.page(filter, {}, 10)), pg::Failure,
                        [](const pg::Failure& failure) { return failure.sqlstate == busy_state; });
  pass.reset();
  BOOST_TEST(ids_of(wait_for(search.page(filter, {}, 10))) == Ids{call});
}

BOOST_AUTO_TEST_CASE(a_row_merged_away_meanwhile_makes_no_gap) {
  Ids planted;
  for (int i = 0; i < 60; ++i) planted.push_back(plant(now_ms - i, "demo", "channel", "'e9'"));
  CallFilter filter = of("demo");
  filter.channel = "e9";
  std::size_t next = 0;
  Ids gone;
  const auto merge = [&] {
    if (next >= planted.size()) return;
    gone.push_back(planted[next]);
    sql("UPDATE call_record SET merged_into = 1 WHERE id = " + std::to_string(planted[next]));
    next += 3;
  };
  const Ids found = read_all(filter, 4, merge, {.rows = 5, .statements = 1});
  for (const std::int64_t id : planted) {
    if (std::find(gone.begin(), gone.end(), id) != gone.end()) continue;
    BOOST_TEST(std::count(found.begin(), found.end(), id) == 1);
  }
}

BOOST_AUTO_TEST_CASE(the_cursor_keeps_the_window) {
  for (int i = 0; i < 3; ++i) plant(now_ms, "demo");
  CallFilter filter = of("demo");
  filter.from_ms = now_ms - 5;
  const CallPage one = page(filter, 2);
  BOOST_REQUIRE(one.next.has_value());
  BOOST_TEST(one.next->from_ms == now_ms - 5);
  BOOST_TEST(one.next->last == one.calls.back().constants.id);
}

BOOST_AUTO_TEST_CASE(without_a_tenant_all_are_looked_through) {
  const std::int64_t a = plant(now_ms, "demo", "agent", "'x'");
  const std::int64_t b = plant(now_ms, "other", "agent", "'x'");
  plant(now_ms, "other", "agent", "'y'");
  CallFilter filter = of("");
  filter.agent = "x";
  BOOST_TEST(ids_of(page(filter)) == (Ids{b, a}));
  filter.ids = {a, b};
  BOOST_TEST(ids_of(page(filter)).size() == 2U);
}

BOOST_AUTO_TEST_CASE(there_are_few_texts_whatever_is_asked_for) {
  std::set<std::string> texts;
  for (unsigned set = 0; set < 1U << 11U; ++set) {
    CallFilter filter = of("demo");
    const auto fill = [&](unsigned bit, OptText& field, const char* value) {
      if ((set >> bit & 1U) != 0) field = value;
    };
    fill(0, filter.agent, "a");
    fill(1, filter.user, "u");
    fill(2, filter.state, "open");
    fill(3, filter.channel, "e9");
    fill(4, filter.close_type, "0");
    fill(5, filter.business, "b");
    fill(6, filter.biz_type, "t");
    fill(7, filter.biz_id, "i");
    fill(8, filter.caller, "1");
    fill(9, filter.called, "2");
    if ((set >> 10U & 1U) != 0) filter.ids = {1};
    const Lead lead = lead_of(filter);
    texts.insert(select_calls(filter, lead, {}, 10, 10).sql);
    texts.insert(select_checked(filter, lead, {}, 10, 10).sql);
  }
  BOOST_TEST(texts.size() <= 18U);  // each connection prepares them all in time
}

BOOST_AUTO_TEST_SUITE_END()
