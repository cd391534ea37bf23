// What need not be written at each operation: the problems it answers, and headers that all answers
// carry.
#pragma once

#include <boost/json.hpp>

namespace cc::openapi {

/// Turns each operation's `x-problems`, a list of names of the catalogue, into responses, together
/// with the document's `x-problems-always` and, for operations with a key, `x-problems-with-key`.
/// Throws Wrong where a name is unknown, or a status is described already.
void expand(boost::json::object& document);

}  // namespace cc::openapi
