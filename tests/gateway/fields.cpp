#include "fields.hpp"

#include <boost/json/serialize.hpp>

namespace gateway {

namespace json = boost::json;

namespace {

json::object const& object_in(json::value const& value, std::string const& where) {
  if (auto object = value.if_object()) return *object;
  throw BadInput(where + ": must be a JSON object, not " + printable(json::serialize(value), 60));
}

}  // namespace

std::string printable(std::string_view text, std::size_t most) {
  std::string shown(text.substr(0, most));
  for (char& c : shown)
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f) c = '?';
  if (text.size() > most) shown += "…";
  return shown;
}

Fields::Fields(json::value const& value, std::string where)
    : object_(object_in(value, where)), where_(std::move(where)) {}

json::value const* Fields::take(std::string_view name) {
  known_.emplace(name);
  return object_.if_contains(name);
}

bool Fields::take(std::string_view name, bool& into) {
  auto const value = take(name);
  if (!value) return false;
  if (!value->is_bool()) complain(name, "must be true or false");
  into = value->get_bool();
  return true;
}

bool Fields::take(std::string_view name, std::string& into) {
  auto const value = take(name);
  if (!value) return false;
  if (!value->is_string()) complain(name, "must be a string");
  into.assign(value->get_string().begin(), value->get_string().end());
  return true;
}

bool Fields::take(std::string_view name, std::int64_t& into, std::int64_t least,
                  std::int64_t most) {
  auto const value = take(name);
  if (!value) return false;
  boost::system::error_code error;
  auto const number = value->to_number<std::int64_t>(error);
  if (error || number < least || number > most)
    complain(name, "must be a whole number from " + std::to_string(least) + " to " +
                       std::to_string(most));
  into = number;
  return true;
}

bool Fields::take(std::string_view name, double& into, double least, double most) {
  auto const value = take(name);
  if (!value) return false;
  boost::system::error_code error;
  auto const number = value->to_number<double>(error);
  if (error || !(number >= least && number <= most))
    complain(name,
             "must be a number from " + std::to_string(least) + " to " + std::to_string(most));
  into = number;
  return true;
}

bool Fields::take(std::string_view name, std::vector<std::string>& into) {
  auto const value = take(name);
  if (!value) return false;
  auto const list = value->if_array();
  if (!list) complain(name, "must be an array of strings");
  std::vector<std::string> texts;
  for (auto const& item : *list) {
    if (!item.is_string()) complain(name, "must be an array of strings");
    texts.emplace_back(item.get_string().begin(), item.get_string().end());
  }
  into = std::move(texts);
  return true;
}

std::size_t Fields::choose(std::string_view name, std::vector<std::string_view> const& choices,
                           std::size_t otherwise) {
  std::string text;
  if (!take(name, text)) return otherwise;
  std::string names;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (choices[i] == text) return i;
    names += (i ? ", " : "") + std::string(choices[i]);
  }
  complain(name, "must be one of " + names);
}

void Fields::end() const {
  for (auto const& member : object_) {
    if (known_.contains(std::string_view(member.key()))) continue;
    std::string names;
    for (auto const& name : known_) names += (names.empty() ? "" : ", ") + name;
    throw BadInput(where_ + ": '" + printable(member.key(), 40) + "' is unknown; known are " +
                   names);
  }
}

void Fields::complain(std::string_view name, std::string const& remedy) const {
  std::string shown = "missing";
  if (auto value = object_.if_contains(name)) shown = printable(json::serialize(*value), 60);
  throw BadInput(where_ + ": " + std::string(name) + " is " + shown + ": " + remedy);
}

}  // namespace gateway
