// hiredis, and OpenSSL under curl, write to sockets with write(2).
#pragma once

namespace cc {

/// From now on a write to a link that the peer has closed is an error and not the process's end.
/// A handler that the program has set stays.
void survive_broken_pipes();

}  // namespace cc
