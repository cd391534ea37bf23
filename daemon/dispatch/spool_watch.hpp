// The name under which those who wait for spools know it.
#pragma once

#include "dispatch/nginx_watch.hpp"

namespace cc {

using SpoolWatch = NginxWatch;

}  // namespace cc
