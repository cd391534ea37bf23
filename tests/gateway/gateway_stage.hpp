// What the cases of the simulator's own test begin with.
#pragma once

#include <string>

#include <boost/test/unit_test.hpp>

#include "gateway_rig.hpp"

namespace stage {

// Polls close to each other are no violation here, or every story would take seconds.
struct Quick {
  rig::Simulator simulator{{"--speed", "100", "--poll-ms", "200", "--poll-gap-ms", "0"}};
};

struct Ready : rig::Seat {
  Ready(rig::Simulator& simulator, int number) : Seat(simulator.url(), number) {
    BOOST_REQUIRE_EQUAL(sign_in().retcode(), "0");
    BOOST_REQUIRE_EQUAL(reset_skills().retcode(), "0");
  }
};

// What an answered call begins with.
inline std::string const answered_begin =
    "PhoneAlerting PhoneOffhook Busy Customer_Alerting:id Talking\"7\":id";

}  // namespace stage
