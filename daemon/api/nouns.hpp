// What the API serves besides calls. Null = the routes of that noun are not there.
#pragma once

#include "agent/agents.hpp"
#include "binding/bindings.hpp"
#include "call/reconciliation.hpp"
#include "dispatch/letters.hpp"
#include "health/channel_desk.hpp"

namespace cc::api {

struct Nouns {
  DeadLetters* letters = nullptr;
  Reconciliation* reconciliation = nullptr;
  Agents* agents = nullptr;
  Bindings* bindings = nullptr;
  ChannelDesk* channels = nullptr;
};

}  // namespace cc::api
