#include "ask.hpp"

#include <algorithm>
#include <charconv>

#include <boost/json/parse.hpp>

#include "fields.hpp"
#include "visit.hpp"
#include "world.hpp"

namespace gateway {

namespace json = boost::json;

json::value Ask::body() const {
  boost::system::error_code error;
  auto value = json::parse(request.body(), error);
  if (error) throw BadInput("the body is not JSON: " + error.message());
  return value;
}

std::string Ask::in_query(std::string_view key) const {
  std::string_view rest = target.query;
  while (!rest.empty()) {
    auto const pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    if (pair.substr(0, pair.find('=')) == key && pair.size() > key.size())
      return std::string(pair.substr(key.size() + 1));
  }
  return "";
}

std::int64_t Ask::number(std::string_view key, std::int64_t otherwise, std::int64_t most) const {
  auto const text = in_query(key);
  if (text.empty()) return otherwise;
  std::int64_t value = -1;
  auto const end = text.data() + text.size();
  if (std::from_chars(text.data(), end, value).ptr != end || value < 0 || value > most)
    throw BadInput("the query's " + std::string(key) + " is '" + printable(text, 40) +
                   "': give a whole number from 0 to " + std::to_string(most));
  return value;
}

Agent& Ask::agent() const {
  std::uint32_t id = 0;
  if (name.size() > 6 || !is_digits(name) ||
      std::from_chars(name.data(), name.data() + name.size(), id).ec != std::errc{} ||
      !world.agents.valid(id))
    throw BadInput("there is no agent '" + printable(name, 40) + "'; --agents says which", 404);
  return world.agents.at(id);
}

Agent& Ask::signed_in_agent() const {
  auto& one = agent();
  if (!one.session) throw BadInput("agent " + name + " has not signed in", 409);
  return one;
}

std::string Ask::phone_number() const {
  if (!is_digits(name) || name.size() > 24)
    throw BadInput("the called number '" + printable(name, 40) + "' must be digits");
  return name;
}

void Ask::note(std::string_view what, json::object fields) const {
  fields["what"] = what;
  world.journal.write(Journal::About::call, "control", std::move(fields));
}

}  // namespace gateway
