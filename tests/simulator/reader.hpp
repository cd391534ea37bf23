// Reads a JSON object's keys strictly: what nobody asked for, and what is of another kind, is
// refused with its path, its value and a remedy.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

namespace jiuyun {

template <class Value, std::size_t size>
using Names = std::array<std::pair<std::string_view, Value>, size>;

// The callbacks' names, as scripts, outages and random faults write them. CallInvite is both.
inline constexpr std::array<std::string_view, 5> callback_labels{
    "CallInvite0", "CallInvite1", "CallInvite", "CallEstablish", "Hangup"};
bool names_callback(std::vector<std::string> const& names, std::string_view label);

class Reader {
 public:
  // `where` begins each complaint. All of these throw std::runtime_error.
  Reader(boost::json::value const& value, std::string where);

  boost::json::value const* find(std::string_view key);  // null if absent
  // These leave `into` alone if the key is absent.
  void flag(std::string_view key, bool& into);
  bool whole(std::string_view key, std::int64_t& into, std::int64_t least, std::int64_t most);
  void pause(std::string_view key, std::int64_t& into);
  void status(std::string_view key, std::optional<unsigned int>& into);
  bool text(std::string_view key, std::string& into, std::size_t longest);
  void code(std::string_view key, std::string& into);
  void probability(std::string_view key, double& into);
  void label_list(std::string_view key, std::vector<std::string>& into);

  template <class Value, std::size_t size>
  void choice(std::string_view key, Value& into, Names<Value, size> const& names) {
    auto value = find(key);
    if (!value) return;
    std::string known;
    for (auto const& [name, meaning] : names) {
      if (value->is_string() && std::string_view(value->get_string()) == name) {
        into = meaning;
        return;
      }
      known += (known.empty() ? "\"" : ", \"") + std::string(name) + "\"";
    }
    complain(key, *value, "must be one of " + known);
  }

  [[noreturn]] void complain(std::string_view key, boost::json::value const& value,
                             std::string const& remedy) const;
  // Refuses the keys that were not asked for.
  void finish() const;

 private:
  boost::json::object const* object_ = nullptr;
  std::string where_;
  std::set<std::string> asked_;
};

}  // namespace jiuyun
