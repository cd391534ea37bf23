#include "backoff.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/test/unit_test.hpp>

#include "clock.hpp"
#include "loop.hpp"

using namespace cc;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(backoff)

BOOST_AUTO_TEST_CASE(doubles_with_jitter_up_to_the_most_and_starts_again) {
  Backoff pauses(100ms, 1500ms);
  for (int round = 0; round < 50; ++round) {
    for (const Millis ceiling : {100ms, 200ms, 400ms, 800ms, 1500ms, 1500ms}) {
      const Millis pause = pauses.next();
      BOOST_TEST((pause >= ceiling / 2 && pause <= ceiling));
    }
    pauses.reset();
  }
}

BOOST_AUTO_TEST_CASE(two_do_not_pause_alike) {
  Backoff one(100000ms, 100000ms), other(100000ms, 100000ms);
  int same = 0;
  for (int i = 0; i < 20; ++i) same += one.next() == other.next() ? 1 : 0;
  BOOST_TEST(same < 5);
}

BOOST_AUTO_TEST_CASE(system_clock_sleeps_and_can_be_cancelled) {
  asio::io_context io;
  SystemClock clock;
  BOOST_TEST(clock.epoch_ms() > 1'600'000'000'000);
  const auto begin = clock.steady();
  cc::test::run_until_done(io, clock.sleep_for(30ms));
  BOOST_TEST((clock.steady() - begin >= 30ms));
  asio::cancellation_signal stop;
  std::exception_ptr thrown;
  asio::co_spawn(
      io, clock.sleep_for(Millis::max()),
      asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr error) { thrown = error; }));
  io.restart();
  io.run_for(20ms);
  stop.emit(asio::cancellation_type::terminal);
  io.run_for(1s);
  BOOST_REQUIRE(thrown);
  BOOST_CHECK_THROW(std::rethrow_exception(thrown), boost::system::system_error);
}

BOOST_AUTO_TEST_SUITE_END()
