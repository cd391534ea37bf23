// Reading a JSON object strictly: each member is taken by name, what is left over is unknown.
#pragma once

#include <cstdint>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

namespace gateway {

// Input that the control API refuses: 400 unless it says otherwise.
struct BadInput : std::runtime_error {
  explicit BadInput(std::string const& text, unsigned int given_status = 400)
      : std::runtime_error(text), status(given_status) {}
  unsigned int status;
};

// Safe to show: cut, and without control characters.
std::string printable(std::string_view text, std::size_t most);

class Fields {
 public:
  // `where` begins each complaint. Throws BadInput if the value is no object.
  Fields(boost::json::value const& value, std::string where);
  Fields(boost::json::value&& value, std::string where) = delete;  // it is only looked at

  // Null if absent.
  boost::json::value const* take(std::string_view name);
  // These leave `into` alone if the member is absent, and throw BadInput if it is of another type.
  bool take(std::string_view name, bool& into);
  bool take(std::string_view name, std::string& into);
  bool take(std::string_view name, std::int64_t& into, std::int64_t least, std::int64_t most);
  bool take(std::string_view name, double& into, double least, double most);
  bool take(std::string_view name, std::vector<std::string>& into);
  // The index of the member's text in `choices`, or `otherwise`.
  std::size_t choose(std::string_view name, std::vector<std::string_view> const& choices,
                     std::size_t otherwise);
  // Throws BadInput if a member was not taken.
  void end() const;

  [[noreturn]] void complain(std::string_view name, std::string const& remedy) const;

 private:
  boost::json::object const& object_;
  std::string where_;
  std::set<std::string, std::less<>> known_;
};

}  // namespace gateway
