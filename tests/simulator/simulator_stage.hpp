// What the cases of the simulator's own test begin with.
#pragma once

#include <string>
#include <vector>

#include <boost/json/value.hpp>
#include <boost/test/unit_test.hpp>

#include "test_rig.hpp"

namespace stage {

inline std::string text(boost::json::value const& value) {
  return std::string(std::string_view(value.as_string()));
}

// What stands between <name> and </name>; "-" if the element is absent.
inline std::string element(std::string const& xml, std::string const& name) {
  auto begin = xml.find("<" + name + ">");
  auto end = xml.find("</" + name + ">");
  if (begin == std::string::npos || end == std::string::npos) return "-";
  begin += name.size() + 2;
  return xml.substr(begin, end - begin);
}

inline std::string call_id(rig::Answer const& answer) {
  BOOST_REQUIRE_EQUAL(answer.code(), "000000");
  return text(answer.resp().at("callId"));
}

inline std::string actions(std::vector<rig::Receiver::Got> const& got) {
  std::string list;
  for (auto const& one : got)
    list += element(one.body, "action")[0];  // C C C H; CallEstablish is E
  for (std::size_t i = 0; i < got.size(); ++i)
    if (element(got[i].body, "action") == "CallEstablish")
      list[i] = 'E';
    else if (element(got[i].body, "action") == "CallInvite")
      list[i] = element(got[i].body, "userFlag")[0];
  return list;
}

struct Stage {
  rig::Receiver receiver;
  rig::Simulator simulator{{"--speed", "20", "--callback-url", receiver.url(), "--approved-numbers",
                            "4008001234,02012345678"}};
};

}  // namespace stage
