// What tests and ccd said to each other, kept for those who compare it with the OpenAPI document.
#pragma once

#include "client.hpp"

namespace cc::test {

/// Appends the exchange to this process' file in the folder that the environment's CC_EXCHANGES
/// names, one JSON object a line, if it was ccd that answered. No key is in it. What came often
/// already is only kept now and then. Does nothing where no folder is named.
void record_exchange(const Call& call, const Answer& answer);

}  // namespace cc::test
