// The one copy of Boost.JSON, compiled in, so that nothing of CC needs libboost_json.so at run
// time.
#include <boost/json/src.hpp>
