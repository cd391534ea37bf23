// CC-FS: the recordings' files, and the truth about them.
#pragma once

#include <memory>

#include <boost/json/object.hpp>

#include "reply.hpp"

namespace gateway {

class Call;
class World;

bool is_for_files(Target const& target);
Reply download_record(World& world, Request const& request, Target const& target);
// `whole`: with sums, for which all of it is read.
boost::json::object recording_truth(World const& world, Call const& call, bool whole);

}  // namespace gateway
