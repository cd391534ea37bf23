// What the API serves besides calls. Null = the routes of that noun are not there.
#pragma once

#include "agent/agents.hpp"
#include "call/reconciliation.hpp"
#include "dispatch/letters.hpp"

namespace cc::api {

struct Nouns {
  DeadLetters* letters = nullptr;
  Reconciliation* reconciliation = nullptr;
  Agents* agents = nullptr;
};

}  // namespace cc::api
