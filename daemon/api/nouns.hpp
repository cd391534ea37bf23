// What the API serves besides calls. Null = the routes of that noun are not there.
#pragma once

#include "call/reconciliation.hpp"
#include "dispatch/letters.hpp"

namespace cc::api {

struct Nouns {
  DeadLetters* letters = nullptr;
  Reconciliation* reconciliation = nullptr;
};

}  // namespace cc::api
