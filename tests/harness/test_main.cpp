// main() of executables of tests.
#define BOOST_TEST_MODULE CC
#include <boost/test/unit_test.hpp>
