// Which line makes a call, and what is said when none can.
#define BOOST_TEST_MODULE call
#include "call/choose.hpp"

#include <boost/test/unit_test.hpp>

using namespace cc;

namespace {

Config config() {
  Config made;
  for (const auto& [code, priority, weight] :
       {std::tuple{"e9", 100, 1}, {"e9b", 50, 1}, {"e9c", 100, 5}, {"off", 1, 1}}) {
    ChannelConfig channel;
    channel.code = code;
    channel.kind = "e9";
    channel.priority = priority;
    channel.weight = weight;
    channel.enabled = channel.code != "off";
    made.channels[code] = channel;
  }
  made.tenants["all"].name = "all";
  made.tenants["one"].channels = {"e9", "off"};
  return made;
}

std::vector<std::string> codes(const std::vector<const ChannelConfig*>& channels) {
  std::vector<std::string> list;
  for (const ChannelConfig* channel : channels) list.push_back(channel->code);
  return list;
}

NewCall call(OptText agent, OptText caller, OptText channel = {}) {
  NewCall made;
  made.agent = std::move(agent);
  made.caller = std::move(caller);
  made.channel = std::move(channel);
  return made;
}

Refusal refused(const NewCall& request, const std::string& tenant = "all") {
  const Config known = config();
  return std::get<Refusal>(choose_line(request, open_channels(known, tenant), {}));
}

Line chosen(const NewCall& request, const std::string& tenant = "all") {
  const Config known = config();
  return std::get<Line>(choose_line(request, open_channels(known, tenant), {}));
}

}  // namespace

BOOST_AUTO_TEST_CASE(open_channels_come_by_priority_then_weight) {
  const Config known = config();
  BOOST_TEST(codes(open_channels(known, "all")) == (std::vector<std::string>{"e9b", "e9c", "e9"}),
             boost::test_tools::per_element());
  BOOST_TEST(codes(open_channels(known, "one")) == (std::vector<std::string>{"e9"}),
             boost::test_tools::per_element());
  BOOST_TEST(open_channels(known, "nobody").empty());
}

BOOST_AUTO_TEST_CASE(the_callers_phone_is_the_line_where_lines_are_phones) {
  const Line line = chosen(call({}, "13912345678"));
  BOOST_TEST(line.channel == "e9b");
  BOOST_TEST(line.agent == "13912345678");
  BOOST_TEST(line.handset == "13912345678");
  BOOST_TEST(line.line_resource() == "e9b/13912345678");
  BOOST_TEST(!line.reason.empty());
}

BOOST_AUTO_TEST_CASE(a_named_channel_is_taken_or_the_call_refused) {
  BOOST_TEST(chosen(call("13912345678", {}, "e9")).channel == "e9");
  BOOST_TEST((refused(call("13912345678", {}, "jy")).code == Refusal::Code::unknown_channel));
  BOOST_TEST((refused(call("13912345678", {}, "off")).code == Refusal::Code::unknown_channel));
  BOOST_TEST(
      (refused(call("13912345678", {}, "e9b"), "one").code == Refusal::Code::unknown_channel));
}

BOOST_AUTO_TEST_CASE(one_agent_written_in_two_ways_is_no_contradiction) {
  BOOST_TEST(chosen(call("+86 139 1234 5678", "13912345678")).agent == "13912345678");
}

BOOST_AUTO_TEST_CASE(a_refusal_says_what_to_do_and_shows_no_whole_number) {
  for (const NewCall& request :
       {call({}, {}), call("13912345678", "13800000001"), call("extension 5", {})}) {
    const Refusal refusal = refused(request);
    BOOST_TEST((refusal.code == Refusal::Code::no_line));
    BOOST_TEST(refusal.detail.find("13912345678") == std::string::npos);
    BOOST_TEST(refusal.detail.size() > 20U);
  }
  BOOST_TEST((refused(call("13912345678", {}), "nobody").code == Refusal::Code::no_channel));
}
