#define BOOST_TEST_MODULE module
#include <csignal>

#include <boost/test/unit_test.hpp>

// Tests write to sockets whose other end has gone.
struct IgnoreBrokenPipes {
  IgnoreBrokenPipes() { std::signal(SIGPIPE, SIG_IGN); }
};
BOOST_TEST_GLOBAL_CONFIGURATION(IgnoreBrokenPipes);
