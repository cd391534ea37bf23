#include "outage.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

#include <boost/json/array.hpp>

#include "fields.hpp"

namespace gateway {

namespace json = boost::json;

namespace {
std::vector<std::string_view> const kinds{"none", "http500", "hang", "drop", "retcode"};
std::vector<std::string_view> const known{"signin",  "signout", "resetskill", "poll",
                                          "callout", "hangup",  "query"};
}  // namespace

Outage Outage::read(json::value const& value) {
  Outage outage;
  Fields fields(value, "outage");
  if (!fields.take("kind")) fields.complain("kind", "give none, http500, hang, drop or retcode");
  outage.kind = static_cast<Kind>(fields.choose("kind", kinds, 0));
  fields.take("code", outage.code);
  std::vector<std::string> functions;
  fields.take("functions", functions);
  for (auto const& function : functions)
    if (std::ranges::find(known, function) == known.end())
      fields.complain("functions",
                      "known are signin, signout, resetskill, poll, callout, hangup, query");
  fields.end();
  outage.functions.insert(functions.begin(), functions.end());
  return outage;
}

json::object Outage::to_json() const {
  return {{"kind", kinds[static_cast<std::size_t>(kind)]},
          {"code", code},
          {"functions", json::array(functions.begin(), functions.end())}};
}

}  // namespace gateway
