// Which lines may make a call, best first, and what is said when none can: the table of
// docs/choosing.md, row by row.
#define BOOST_TEST_MODULE call
#include "call/choose.hpp"

#include <map>

#include <boost/test/unit_test.hpp>

using namespace cc;

namespace {

constexpr const char* phone = "13912345678";
constexpr const char* other_phone = "13800000001";

/// e9 and e9b are phones, hw and hw2 have seats.
struct World {
  Config config;
  Knowledge known;
  NewCall request;

  World() {
    add("e9", "e9", 100);
    add("e9b", "e9", 150);
    add("hw", "hw", 200);
    config.tenants["demo"].name = "demo";
    known.channels = views_for(config, "demo", {});
    request.tenant = "demo";
    request.called = "13812345678";
  }

  void add(const std::string& code, const std::string& kind, int priority, int weight = 1) {
    ChannelConfig channel;
    channel.code = code;
    channel.kind = kind;
    channel.priority = priority;
    channel.weight = weight;
    channel.can.max_duration = kind != "hw";
    config.channels[code] = channel;
    known.channels = views_for(config, "demo", {});
  }

  ChannelView& view(const std::string& code) {
    for (ChannelView& each : known.channels) {
      if (each.config->code == code) return each;
    }
    throw std::logic_error("no such channel");
  }

  KnownLine seat(const std::string& channel, const std::string& agent, bool online = true) {
    KnownLine line;
    line.channel = channel;
    line.agent = agent;
    line.handset = "13700000" + agent.substr(0, 3);
    line.online = online;
    line.standing = online ? "" : "100-004 wrong password";
    return line;
  }

  void bind(std::vector<std::pair<std::string, std::string>> lines, bool fallback = true) {
    Bound bound;
    bound.fallback = fallback;
    for (auto& [channel, agent] : lines) {
      BoundLine line{channel, agent, std::nullopt};
      if (config.channels[channel].kind == "hw") line.known = seat(channel, agent);
      bound.lines.push_back(line);
    }
    known.binding = bound;
    request.user = "shop-7";
  }

  std::vector<Line> lines() {
    auto result = choose_lines(request, known);
    if (const Refusal* refusal = std::get_if<Refusal>(&result)) {
      BOOST_FAIL("refused: " + refusal->detail);
    }
    return std::get<std::vector<Line>>(result);
  }

  std::string names() {
    std::string all;
    for (const Line& line : lines()) all += (all.empty() ? "" : " ") + line.line_resource();
    return all;
  }

  Refusal refused() {
    auto result = choose_lines(request, known);
    if (!std::holds_alternative<Refusal>(result)) BOOST_FAIL("not refused");
    return std::get<Refusal>(result);
  }
};

using Code = Refusal::Code;

std::string line_of(const std::string& channel, const std::string& number = phone) {
  return channel + "/" + number;
}

}  // namespace

// --- the request names the agent

BOOST_AUTO_TEST_CASE(a_named_phone_may_be_called_by_every_channel_of_phones) {
  World world;
  world.request.agent = phone;
  BOOST_TEST(world.names() == line_of("e9") + " " + line_of("e9b"));
  BOOST_TEST(world.lines()[0].handset == phone);
  BOOST_TEST(world.lines()[0].reason.find("e9") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(no_phone_is_made_to_call_itself) {
  World world;
  world.request.agent = phone;
  world.request.called = phone;
  const Refusal refusal = world.refused();
  BOOST_TEST((refusal.code == Code::own_number));
  BOOST_TEST(refusal.detail.find(phone) == std::string::npos);
  world.request.agent.reset();
  world.bind({{"e9", phone}, {"e9", other_phone}});
  BOOST_TEST(world.names() == line_of("e9", other_phone));  // the next one will do
}

BOOST_AUTO_TEST_CASE(a_named_seat_is_meant_where_one_is_known) {
  World world;
  world.request.agent = "1000";
  world.known.named = {world.seat("hw", "1000")};
  BOOST_TEST(world.names() == "hw/1000");
  world.view("hw").standing = Standing::shut;  // it is no phone for that
  BOOST_TEST((world.refused().code == Code::no_line));
  world.known.named.clear();  // could be a phone
  BOOST_TEST(world.names() == "e9/1000 e9b/1000");
}

BOOST_AUTO_TEST_CASE(a_named_seat_calls_on_the_callers_phone) {
  World world;
  world.request.agent = "291";
  world.request.caller = phone;
  world.known.named = {world.seat("hw", "291")};
  BOOST_TEST(world.lines().at(0).handset == phone);
}

BOOST_AUTO_TEST_CASE(a_named_seat_that_is_not_signed_in_is_refused_as_such) {
  World world;
  world.request.agent = "291";
  world.known.named = {world.seat("hw", "291", false)};
  const Refusal refusal = world.refused();
  BOOST_TEST((refusal.code == Code::line_offline));
  BOOST_TEST(refusal.detail.find("wrong password") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(agent_and_caller_may_not_contradict_each_other) {
  World world;
  world.request.agent = phone;
  world.request.caller = other_phone;
  const Refusal refusal = world.refused();
  BOOST_TEST((refusal.code == Code::no_line));
  BOOST_TEST(refusal.detail.find(phone) == std::string::npos);
  world.request.agent = "+86 139 1234 5678";
  world.request.caller = phone;  // one phone, written in two ways
  BOOST_TEST(world.lines().at(0).agent == phone);
}

// --- the request names the channel

BOOST_AUTO_TEST_CASE(a_named_channel_is_taken_or_the_call_refused) {
  World world;
  world.request.agent = phone;
  world.request.channel = "e9b";
  BOOST_TEST(world.names() == line_of("e9b"));
  world.request.channel = "jy";
  BOOST_TEST((world.refused().code == Code::unknown_channel));
  world.request.channel = "e9b";
  world.view("e9b").standing = Standing::shut;
  BOOST_TEST((world.refused().code == Code::no_channel));
}

// --- the user is bound

BOOST_AUTO_TEST_CASE(a_bound_user_calls_on_his_lines_in_order) {
  World world;
  world.bind({{"hw", "291"}, {"e9", phone}}, false);
  BOOST_TEST(world.names() == "hw/291 " + line_of("e9"));
}

BOOST_AUTO_TEST_CASE(a_bound_line_on_a_channel_that_is_out_comes_after_one_that_is_whole) {
  World world;
  world.bind({{"hw", "291"}, {"e9", phone}}, false);
  world.view("hw").standing = Standing::out;
  BOOST_TEST(world.names() == line_of("e9") + " hw/291");
}

BOOST_AUTO_TEST_CASE(a_bound_line_that_is_busy_gives_way) {
  World world;
  world.bind({{"hw", "291"}, {"e9", phone}}, false);
  world.known.binding->lines[0].known->busy = true;
  world.known.binding->lines[0].known->busy_call = 77;
  BOOST_TEST(world.names() == line_of("e9"));
  world.known.binding->lines.pop_back();
  const Refusal refusal = world.refused();
  BOOST_TEST((refusal.code == Code::line_busy));
  BOOST_TEST(refusal.busy_call.value() == 77);
}

BOOST_AUTO_TEST_CASE(other_lines_will_do_for_a_bound_user_if_fallback_is_auto) {
  World world;
  world.bind({{"hw", "291"}}, true);
  world.known.binding->lines[0].known->online = false;
  world.known.pool = {world.seat("hw", "305")};
  BOOST_TEST(world.names() == "hw/305");
  world.known.binding->fallback = false;
  BOOST_TEST((world.refused().code == Code::line_offline));
  world.known.binding->lines[0].known->online = true;
  world.view("hw").standing = Standing::shut;
  BOOST_TEST((world.refused().code == Code::no_channel));
}

BOOST_AUTO_TEST_CASE(a_bound_seat_calls_on_the_bindings_phone_and_the_callers_goes_before_it) {
  World world;
  world.bind({{"hw", "291"}}, false);
  world.known.binding->phone = other_phone;
  BOOST_TEST(world.lines().at(0).handset == other_phone);
  world.request.caller = phone;
  BOOST_TEST(world.lines().at(0).handset == phone);
}

BOOST_AUTO_TEST_CASE(a_caller_may_not_contradict_a_bound_phone) {
  World world;
  world.bind({{"e9", phone}});
  world.request.caller = other_phone;
  BOOST_TEST((world.refused().code == Code::no_line));
  world.request.caller = phone;
  BOOST_TEST(world.names() == line_of("e9") + " " + line_of("e9b"));  // auto: the phone elsewhere
}

BOOST_AUTO_TEST_CASE(a_named_channel_that_the_user_is_not_bound_to_contradicts_fallback_never) {
  World world;
  world.bind({{"hw", "291"}}, false);
  world.request.channel = "e9";
  world.request.caller = phone;
  BOOST_TEST((world.refused().code == Code::no_line));
  world.known.binding->fallback = true;
  BOOST_TEST(world.names() == line_of("e9"));
}

BOOST_AUTO_TEST_CASE(a_user_without_a_binding_is_like_none) {
  World world;
  world.request.user = "shop-8";
  world.request.caller = phone;
  BOOST_TEST(world.names() == line_of("e9") + " " + line_of("e9b"));
}

// --- caller, pool

BOOST_AUTO_TEST_CASE(the_callers_phone_is_the_line_where_lines_are_phones) {
  World world;
  world.request.caller = phone;
  world.known.pool = {world.seat("hw", "305")};
  BOOST_TEST(world.names() == line_of("e9") + " " + line_of("e9b") + " hw/305");
  BOOST_TEST(world.lines()[2].handset == phone);  // the seat rings the caller's phone
}

BOOST_AUTO_TEST_CASE(without_any_name_the_pool_is_used) {
  World world;
  KnownLine registered = world.seat("e9", phone);
  registered.agent = registered.handset = phone;
  world.known.pool = {world.seat("hw", "305"), registered};
  BOOST_TEST(world.names() == line_of("e9") + " hw/305");
}

BOOST_AUTO_TEST_CASE(a_pool_in_calls_is_busy_and_no_pool_is_no_line) {
  World world;
  BOOST_TEST((world.refused().code == Code::no_line));
  world.known.pool_busy = true;
  BOOST_TEST((world.refused().code == Code::line_busy));
}

// --- which channel

BOOST_AUTO_TEST_CASE(a_whole_channel_comes_before_a_degraded_one_before_one_that_is_out) {
  World world;
  world.request.caller = phone;
  world.add("e9c", "e9", 300);
  world.view("e9").standing = Standing::out;
  world.view("e9b").standing = Standing::degraded;
  BOOST_TEST(world.names() == line_of("e9c") + " " + line_of("e9b") + " " + line_of("e9"));
  BOOST_TEST(world.lines()[0].notice.empty());
  BOOST_TEST(!world.lines()[2].notice.empty());
  BOOST_TEST(world.lines()[0].reason.find("e9 is out") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_trial_goes_where_the_channel_would_be_chosen_if_it_were_whole) {
  World world;
  world.request.caller = phone;
  world.view("e9").standing = Standing::trial;
  BOOST_TEST(world.names() == line_of("e9") + " " + line_of("e9b"));
  BOOST_TEST(world.lines()[0].trial);
  BOOST_TEST(!world.lines()[1].trial);
}

BOOST_AUTO_TEST_CASE(where_all_are_out_the_one_that_is_tried_first_is_the_least_bad) {
  World world;
  world.request.caller = phone;
  world.view("e9").standing = world.view("e9b").standing = Standing::out;
  world.view("e9").bad_until_ms = 2000;
  world.view("e9b").bad_until_ms = 1000;
  BOOST_TEST(world.names() == line_of("e9b") + " " + line_of("e9"));
  BOOST_TEST(world.lines()[0].notice.find("least bad") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_an_operator_closed_is_never_tried) {
  World world;
  world.request.caller = phone;
  world.view("e9").standing = Standing::shut;
  BOOST_TEST(world.names() == line_of("e9b"));
  world.view("e9b").standing = world.view("hw").standing = Standing::shut;
  BOOST_TEST((world.refused().code == Code::no_channel));
}

BOOST_AUTO_TEST_CASE(equals_share_by_weight) {
  World world;
  world.add("e9b", "e9", 100, 3);
  world.request.caller = phone;
  std::map<std::string, int> first;
  for (int i = 0; i < 4000; ++i) {
    world.known.draw = (i + 0.5) / 4000;
    const std::vector<Line> lines = world.lines();
    BOOST_TEST(lines.size() == 2U);
    ++first[lines[0].channel];
  }
  BOOST_TEST(first["e9"] == 1000);
  BOOST_TEST(first["e9b"] == 3000);
}

BOOST_AUTO_TEST_CASE(operators_priority_and_weight_stand_for_the_configured_ones) {
  World world;
  ChannelStates states;
  states["e9"].priority = 900;
  states["hw"].enabled = false;
  world.known.channels = views_for(world.config, "demo", states);
  world.request.caller = phone;
  BOOST_TEST(world.names() == line_of("e9b") + " " + line_of("e9"));
  world.request.channel = "hw";  // switched off for now
  BOOST_TEST((world.refused().code == Code::no_channel));
}

// --- what a channel must be able to do

BOOST_AUTO_TEST_CASE(a_channel_that_cant_do_what_the_call_needs_is_passed_over) {
  struct Row {
    bool Needs::*need;
    bool Capabilities::*can;
  };
  for (const Row& row : {Row{&Needs::hide_customer, &Capabilities::hide_customer},
                         Row{&Needs::hide_agent, &Capabilities::hide_agent},
                         Row{&Needs::record, &Capabilities::record},
                         Row{&Needs::max_duration, &Capabilities::max_duration}}) {
    World world;
    world.request.caller = phone;
    world.known.needs.*row.need = true;
    world.config.channels["e9"].can.*row.can = false;
    BOOST_TEST(world.names() == line_of("e9b"));
    world.view("e9b").standing = Standing::out;  // not even then
    BOOST_TEST(world.names() == line_of("e9b"));
    world.config.channels["e9b"].can.*row.can = false;
    world.config.channels["hw"].can.*row.can = false;
    BOOST_TEST((world.refused().code == Code::unable));
  }
}

// --- another attempt

BOOST_AUTO_TEST_CASE(what_was_tried_is_not_tried_again) {
  World world;
  world.request.caller = phone;
  world.known.tried_channels = {"e9"};
  world.known.pool = {world.seat("hw", "305"), world.seat("hw", "306")};
  BOOST_TEST(world.names() == line_of("e9b") + " hw/305 hw/306");
  world.known.tried_channels.insert("e9b");
  world.known.tried_lines = {"hw/305"};  // only that line failed
  BOOST_TEST(world.names() == "hw/306");
}

BOOST_AUTO_TEST_CASE(a_refusal_says_what_to_do_and_shows_no_whole_number) {
  World world;
  for (const auto& [agent, caller] : std::vector<std::pair<OptText, OptText>>{
           {{}, {}}, {phone, other_phone}, {"extension 5", {}}}) {
    world.request.agent = agent;
    world.request.caller = caller;
    const Refusal refusal = world.refused();
    BOOST_TEST((refusal.code == Code::no_line));
    BOOST_TEST(refusal.detail.find(phone) == std::string::npos);
    BOOST_TEST(refusal.detail.size() > 20U);
  }
  world.known.channels.clear();
  BOOST_TEST((world.refused().code == Code::no_channel));
}
