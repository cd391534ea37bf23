#include "outage.hpp"

#include <algorithm>
#include <string_view>

#include <boost/json/array.hpp>

#include "fields.hpp"

namespace gateway {

namespace json = boost::json;

namespace {

constexpr std::int64_t longest_delay = 3600 * 1000;

constexpr struct {
  std::string_view name;
  Outage::Kind kind;
  unsigned int status;
} kinds[] = {{"none", Outage::Kind::none, 500},    {"http500", Outage::Kind::http, 500},
             {"http502", Outage::Kind::http, 502}, {"http503", Outage::Kind::http, 503},
             {"http504", Outage::Kind::http, 504}, {"hang", Outage::Kind::hang, 500},
             {"drop", Outage::Kind::drop, 500},    {"retcode", Outage::Kind::retcode, 500}};

std::vector<std::string_view> const known{"signin",  "signout", "resetskill", "poll",
                                          "callout", "hangup",  "query",      "files"};

std::vector<std::string_view> kind_names() {
  std::vector<std::string_view> all;
  for (auto const& one : kinds) all.push_back(one.name);
  return all;
}

// A member that null gives its first value back. True if it has been dealt with.
template <class Value>
bool is_null(Fields& fields, std::string_view name, Value& into, Value first) {
  auto const value = fields.take(name);
  if (!value || !value->is_null()) return false;
  into = std::move(first);
  return true;
}

void read_kind(Fields& fields, Outage& outage) {
  Outage const fresh;
  auto const given = fields.take("kind");
  bool const more = fields.take("code") || fields.take("functions") || fields.take("dialled");
  if (!given && more)
    fields.complain("kind", "code, functions and dialled belong to one: give it with them");
  if (!given) return;
  auto const& chosen = given->is_null() ? kinds[0] : kinds[fields.choose("kind", kind_names(), 0)];
  outage.kind = chosen.kind;
  outage.status = chosen.status;
  outage.code = fresh.code;
  outage.functions.clear();
  outage.dialled = false;
  fields.take("code", outage.code);
  std::vector<std::string> functions;
  fields.take("functions", functions);
  for (auto const& function : functions)
    if (std::ranges::find(known, function) == known.end())
      fields.complain("functions",
                      "known are signin, signout, resetskill, poll, callout, hangup, query, files");
  outage.functions.insert(functions.begin(), functions.end());
  fields.take("dialled", outage.dialled);
  if (outage.dialled && outage.kind == Outage::Kind::retcode)
    fields.complain("dialled", "a refused callout is never dialled; leave it out");
}

}  // namespace

bool Outage::hits(std::string const& function) const {
  return names(function) && !(dialled && function == "callout");
}

void Outage::apply(json::value const& value) {
  Outage next = *this;
  Outage const fresh;
  Fields fields(value, "outage");
  if (value.get_object().empty())
    fields.complain("kind",
                    "give none, http500, http502, http503, http504, hang, drop or "
                    "retcode, or one of the other members");
  read_kind(fields, next);
  if (auto connections = fields.take("connections")) {
    if (!connections->is_null() && *connections != json::value("refuse"))
      fields.complain("connections", "give \"refuse\" or null");
    next.connections_refused = !connections->is_null();
  }
  if (!is_null(fields, "calloutDelayMs", next.callout_delay_ms, fresh.callout_delay_ms))
    fields.take("calloutDelayMs", next.callout_delay_ms, 0, longest_delay);
  if (!is_null(fields, "slowDials", next.slow_dials, fresh.slow_dials))
    fields.take("slowDials", next.slow_dials);
  if (!is_null(fields, "ends", next.ends, fresh.ends) && fields.take("ends"))
    next.ends = static_cast<Ends>(fields.choose("ends", ends_names(), 0));
  if (!is_null(fields, "lose", next.lose, fresh.lose)) fields.take("lose", next.lose);
  fields.end();
  *this = std::move(next);
}

json::object Outage::to_json() const {
  json::object out{{"kind", kinds[0].name},
                   {"code", code},
                   {"functions", json::array(functions.begin(), functions.end())},
                   {"dialled", dialled},
                   {"connections", nullptr},
                   {"calloutDelayMs", callout_delay_ms},
                   {"slowDials", slow_dials},
                   {"ends", nullptr},
                   {"lose", json::array(lose.begin(), lose.end())}};
  for (auto const& one : kinds)
    if (one.kind == kind && (kind != Kind::http || one.status == status)) out["kind"] = one.name;
  if (connections_refused) out["connections"] = "refuse";
  if (ends) out["ends"] = ends_names()[static_cast<std::size_t>(*ends)];
  return out;
}

void Outage::lay_on(Script& script, double speed) const {
  auto& callout = script.callout;
  if (names("callout")) {
    auto const delay = callout.delay_ms;
    callout = CalloutScript{};
    callout.delay_ms = delay;
    callout.http_status = status;
    if (kind == Kind::http) callout.fault = CalloutFault::status;
    if (kind == Kind::hang) callout.fault = CalloutFault::hang;
    if (kind == Kind::drop) callout.fault = CalloutFault::drop;
  }
  callout.delay_ms += real_ms(callout_delay_ms, speed);
  if (callout_delay_ms > 0 && !slow_dials) callout.dial_after_answer = true;
  if (ends) script.end_with(*ends);
  script.lose.insert(script.lose.end(), lose.begin(), lose.end());
}

}  // namespace gateway
