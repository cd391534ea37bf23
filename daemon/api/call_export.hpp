// Any number of calls as CSV in constant memory: a page is read when the one before has gone out.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "audit/audit.hpp"
#include "query/call_query.hpp"
#include "record_json.hpp"

namespace cc::api {

struct CallExport {
  CallQuery* query = nullptr;
  CallFilter filter;
  Sight sight;
  bool bom = false;  // a byte order mark first: without it Excel takes UTF-8 for something else
  std::function<bool()> still_open;  // whether the asking key opens the export yet; empty = it does
  AuditTrail* audit = nullptr;       // hears of the end; null = nobody does
  AuditEntry entry;                  // what it hears; the count is put in
  std::shared_ptr<void> pass;        // of the gate: held until it has ended
};

/// For Response::more: header and lines, part by part. A call that was there when it began comes
/// exactly once, whatever is added meanwhile; its line is of the moment when its page was read. A
/// part is empty where a page was, so that whoever writes may look after the client. Throws where
/// a page or the audit entry fails (pg::Failure), or the key was closed: what went out is no whole
/// file then.
std::function<asio::awaitable<std::optional<std::string>>()> export_calls(CallExport wish);

}  // namespace cc::api
