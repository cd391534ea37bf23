#define BOOST_TEST_MODULE binding
#include <boost/test/unit_test.hpp>
