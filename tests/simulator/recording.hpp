// The recordings: GET {recordUrl}?auth=….
#pragma once

#include <boost/json/object.hpp>

#include "call.hpp"
#include "server.hpp"

namespace jiuyun {

Reply recording(World& world, Request const& request, Target const& target);
// What it is and what came of those who asked for it. To learn an md5 reads the file once.
boost::json::object recording_truth(Call& call, bool with_md5);

}  // namespace jiuyun
