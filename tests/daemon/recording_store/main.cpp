#define BOOST_TEST_MODULE recording_store
#include <boost/test/unit_test.hpp>
