// The recordings: GET {recordUrl}?auth=….
#pragma once

#include "server.hpp"

namespace jiuyun {

Reply recording(World& world, Request const& request, Target const& target);

}  // namespace jiuyun
