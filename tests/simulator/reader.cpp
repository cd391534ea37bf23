#include "reader.hpp"

#include <algorithm>
#include <stdexcept>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

namespace jiuyun {

namespace json = boost::json;

namespace {
constexpr std::int64_t longest_pause = 48LL * 3600 * 1000;
}  // namespace

bool names_callback(std::vector<std::string> const& names, std::string_view label) {
  return std::any_of(names.begin(), names.end(), [&](std::string const& name) {
    return name == label || (name == "CallInvite" && label.starts_with("CallInvite"));
  });
}

Reader::Reader(json::value const& value, std::string where) : where_(std::move(where)) {
  object_ = value.if_object();
  if (!object_) complain("", value, "must be a JSON object");
}

json::value const* Reader::find(std::string_view key) {
  asked_.insert(std::string(key));
  return object_->if_contains(key);
}

void Reader::flag(std::string_view key, bool& into) {
  auto value = find(key);
  if (!value) return;
  if (!value->is_bool()) complain(key, *value, "must be true or false");
  into = value->get_bool();
}

bool Reader::whole(std::string_view key, std::int64_t& into, std::int64_t least,
                   std::int64_t most) {
  auto value = find(key);
  if (!value) return false;
  if (!value->is_int64() || value->get_int64() < least || value->get_int64() > most)
    complain(
        key, *value,
        "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  into = value->get_int64();
  return true;
}

void Reader::pause(std::string_view key, std::int64_t& into) {
  whole(key, into, 0, longest_pause);
}

void Reader::status(std::string_view key, std::optional<unsigned int>& into) {
  std::int64_t number = 0;
  if (whole(key, number, 200, 599)) into = static_cast<unsigned int>(number);
}

bool Reader::text(std::string_view key, std::string& into, std::size_t longest) {
  auto value = find(key);
  if (!value) return false;
  if (!value->is_string() || value->get_string().size() > longest)
    complain(key, *value, "must be a string of at most " + std::to_string(longest) + " bytes");
  into = std::string_view(value->get_string());
  return true;
}

void Reader::code(std::string_view key, std::string& into) {
  if (!text(key, into, 6) || into.empty()) return;
  if (into.size() != 6 || into.find_first_not_of("0123456789") != std::string::npos)
    complain(key, *find(key), "must be a statusCode of 6 digits such as \"900117\", or \"\"");
}

void Reader::probability(std::string_view key, double& into) {
  auto value = find(key);
  if (!value) return;
  boost::system::error_code error;
  auto const number = value->to_number<double>(error);
  if (error || !(number >= 0 && number <= 1))
    complain(key, *value, "must be a probability from 0 to 1");
  into = number;
}

void Reader::label_list(std::string_view key, std::vector<std::string>& into) {
  auto value = find(key);
  if (!value) return;
  auto list = value->if_array();
  if (!list || list->size() > callback_labels.size())
    complain(key, *value, "must be a list of at most 5 callbacks' names");
  into.clear();
  for (auto const& item : *list) {
    if (!item.is_string() ||
        std::find(callback_labels.begin(), callback_labels.end(),
                  std::string_view(item.get_string())) == callback_labels.end())
      complain(key, item,
               "must be one of CallInvite0, CallInvite1, CallInvite (both), CallEstablish, Hangup");
    into.emplace_back(std::string_view(item.get_string()));
  }
}

void Reader::complain(std::string_view key, json::value const& value,
                      std::string const& remedy) const {
  auto shown = json::serialize(value);
  if (shown.size() > 80) shown = shown.substr(0, 80) + "…";
  throw std::runtime_error(where_ + std::string(key) + " is " + shown + ": " + remedy);
}

void Reader::finish() const {
  for (auto const& field : *object_)
    if (!asked_.contains(std::string(field.key()))) {
      std::string known;
      for (auto const& name : asked_) known += (known.empty() ? "" : ", ") + name;
      complain(std::string_view(field.key()), field.value(), "is unknown here; known are " + known);
    }
}

}  // namespace jiuyun
