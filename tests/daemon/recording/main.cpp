#define BOOST_TEST_MODULE recording_work
#include <boost/test/unit_test.hpp>
