// What the API serves besides calls. Null = the routes of that noun are not there.
#pragma once

#include "access/key_use.hpp"
#include "agent/agents.hpp"
#include "audit/audit.hpp"
#include "binding/bindings.hpp"
#include "call/reconciliation.hpp"
#include "dispatch/letters.hpp"
#include "health/channel_desk.hpp"
#include "query/call_query.hpp"
#include "query/rejections.hpp"
#include "recording/file_shelf.hpp"
#include "recording/recordings.hpp"

namespace cc::api {

struct Nouns {
  DeadLetters* letters = nullptr;
  Reconciliation* reconciliation = nullptr;
  Agents* agents = nullptr;
  Bindings* bindings = nullptr;
  ChannelDesk* channels = nullptr;
  CallQuery* query = nullptr;        // lists, search, export
  Rejections* rejections = nullptr;  // null: refusals are not kept either
  AuditTrail* audit = nullptr;       // null: nothing is told (tests)
  KeyUse* key_use = nullptr;         // null: nobody wants to know
  Recordings* recordings = nullptr;
  FileShelf* files = nullptr;  // null: recordings don't lie in a directory of ccd's
};

}  // namespace cc::api
