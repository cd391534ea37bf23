// What the platform checks of a request, and the statusCode of a refusal.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <boost/json/value.hpp>

#include "call.hpp"
#include "server.hpp"

namespace jiuyun {

struct Refusal {
  std::string code;
  std::string reason;            // goes into `represent` and the journal
  unsigned int http_status = 0;  // 0 = --refusal-status
};

using Checked = std::optional<Refusal>;  // nothing = in order

// /2016-01-01/Accounts/{accountSid}/{Func}/{funcdes}, taken apart.
struct Function {
  std::string account_sid;
  std::string name;  // Calls/callBack, Calls/CancelCallback, Records/query; empty if there is no
                     // such function
};
Function function_of(std::string const& path);

// Method, account, authorization, signature, timestamp, headers, size.
Checked check_envelope(World const& world, Request const& request, Target const& target,
                       Function const& function);
Checked check_originate(World const& world, boost::json::value const& body, CallRequest& into);
Checked check_cancel(World const& world, boost::json::value const& body, std::string& call_id);
Checked check_query(boost::json::value const& body, std::string& call_id);

}  // namespace jiuyun
