#include "strict_json.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include <boost/json.hpp>
#include <boost/json/basic_parser_impl.hpp>

#include "phone.hpp"

namespace cc::api {
namespace {

namespace json = boost::json;

/// Boost.JSON keeps the last of two equal keys. Which one is meant nobody knows: so neither.
struct KeyWatch {
  using Code = json::error_code;
  using View = json::string_view;
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

  std::vector<std::set<std::string>> objects;
  std::string key, doubled;
  bool found = false;

  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }
  bool on_object_begin(Code&) {
    objects.emplace_back();
    return true;
  }
  bool on_object_end(std::size_t, Code&) {
    objects.pop_back();
    return true;
  }
  bool on_array_begin(Code&) { return true; }
  bool on_array_end(std::size_t, Code&) { return true; }
  bool on_key_part(View part, std::size_t, Code&) {
    key.append(part.data(), part.size());
    return true;
  }
  bool on_key(View part, std::size_t, Code&) {
    key.append(part.data(), part.size());
    if (!objects.back().insert(key).second && !found) {
      found = true;
      doubled = key;
    }
    key.clear();
    return true;
  }
  bool on_string_part(View, std::size_t, Code&) { return true; }
  bool on_string(View, std::size_t, Code&) { return true; }
  bool on_number_part(View, Code&) { return true; }
  bool on_int64(std::int64_t, View, Code&) { return true; }
  bool on_uint64(std::uint64_t, View, Code&) { return true; }
  bool on_double(double, View, Code&) { return true; }
  bool on_bool(bool, Code&) { return true; }
  bool on_null(Code&) { return true; }
  bool on_comment_part(View, Code&) { return true; }
  bool on_comment(View, Code&) { return true; }
};

}  // namespace

Result<json::value> parse_strictly(std::string_view text) {
  json::parse_options options;
  options.max_depth = 16;
  json::error_code error;
  json::stream_parser parser({}, options);
  const std::size_t used = parser.write_some(text.data(), text.size(), error);
  if (!error) parser.finish(error);
  if (!error && used < text.size()) error = json::error::extra_data;
  if (error) {
    return Error{"not JSON at byte " + std::to_string(used + 1) + ": " + error.message()};
  }
  json::basic_parser<KeyWatch> watch(options);
  json::error_code ignored;
  watch.write_some(false, text.data(), text.size(), ignored);
  if (watch.handler().found) {
    const std::string& name = watch.handler().doubled;
    if (name.size() > 64) return Error{"ambiguous: a key is given twice"};
    return Error{"ambiguous: the key \"" + mask_numbers_in(name) + "\" is given twice"};
  }
  return parser.release();
}

}  // namespace cc::api
