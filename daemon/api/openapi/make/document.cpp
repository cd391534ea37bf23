#include "document.hpp"

#include <map>
#include <regex>
#include <set>

#include <boost/json.hpp>
#include <yaml-cpp/yaml.h>

namespace cc::openapi {
namespace {

namespace json = boost::json;

/// One file on its way into the document.
class Part {
 public:
  /// `owners`: which file gave what, by JSON pointer.
  Part(std::string file, std::map<std::string, std::string>& owners)
      : file_(std::move(file)), owners_(owners) {}

  void merge_into(json::object& document) {
    const YAML::Node root = YAML::LoadFile(file_);
    if (!root.IsMap()) throw Wrong(file_ + ": is no map");
    merge(root, document, "");
  }

 private:
  [[noreturn]] void complain(const YAML::Node& at, const std::string& what) const {
    throw Wrong(file_ + ":" + std::to_string(at.Mark().line + 1) + ":" +
                std::to_string(at.Mark().column + 1) + ": " + what);
  }

  /// A comma in a text without quotes ends it, and makes a member of what follows.
  std::string key_of(const YAML::Node& node) const {
    const auto key = node.as<std::string>();
    if (key.find_first_of(" `") == std::string::npos) return key;
    complain(node,
             "\"" + key + "\" is no member's name: put the text that it is part of in quotes");
  }

  void merge(const YAML::Node& map, json::object& into, const std::string& path) {
    std::set<std::string> seen;
    for (const auto& member : map) {
      const auto key = key_of(member.first);
      const std::string here = path + "/" + key;
      if (!seen.insert(key).second) complain(member.first, "\"" + key + "\" is given twice");
      json::value* there = into.if_contains(key);
      if (there == nullptr) {
        owners_[here] = file_;
        into[key] = json::value(nullptr);
        there = into.if_contains(key);
        if (member.second.IsMap()) {
          merge(member.second, there->emplace_object(), here);
        } else {
          *there = convert(member.second);
        }
      } else if (member.second.IsMap() && there->is_object()) {
        merge(member.second, there->get_object(), here);
      } else {
        complain(member.first, "\"" + here + "\" is given by " + owners_[here] + " already");
      }
    }
  }

  json::value convert(const YAML::Node& node) {
    switch (node.Type()) {
      case YAML::NodeType::Map: {
        json::object object;
        std::set<std::string> seen;
        for (const auto& member : node) {
          const auto key = key_of(member.first);
          if (!seen.insert(key).second) complain(member.first, "\"" + key + "\" is given twice");
          object[key] = convert(member.second);
        }
        return object;
      }
      case YAML::NodeType::Sequence: {
        json::array array;
        for (const YAML::Node& item : node) array.push_back(convert(item));
        return array;
      }
      case YAML::NodeType::Scalar:
        return scalar(node);
      default:
        return nullptr;
    }
  }

  static json::value scalar(const YAML::Node& node) {
    const std::string& text = node.Scalar();
    if (node.Tag() == "!") return json::string(text);  // in quotes, or a block
    static const std::regex whole("-?(0|[1-9][0-9]*)");
    static const std::regex fraction("-?(0|[1-9][0-9]*)\\.[0-9]+");
    if (text == "true" || text == "false") return text == "true";
    if (text == "null" || text == "~") return nullptr;
    if (std::regex_match(text, whole)) return std::stoll(text);
    if (std::regex_match(text, fraction)) return std::stod(text);
    return json::string(text);
  }

  std::string file_;
  std::map<std::string, std::string>& owners_;
};

void check(const json::value& value, const json::value& document) {
  if (const json::array* array = value.if_array()) {
    for (const json::value& item : *array) check(item, document);
  }
  const json::object* object = value.if_object();
  if (object == nullptr) return;
  for (const auto& member : *object) {
    check(member.value(), document);
    if (member.key() != "$ref") continue;
    const std::string target(member.value().as_string());
    json::error_code error;
    if (!target.starts_with("#/") || document.find_pointer(target.substr(1), error) == nullptr) {
      throw Wrong("\"" + target + "\" leads nowhere");
    }
  }
}

}  // namespace

json::object read_parts(const std::vector<std::string>& files) {
  json::object document;
  std::map<std::string, std::string> owners;
  for (const std::string& file : files) {
    try {
      Part(file, owners).merge_into(document);
    } catch (const YAML::Exception& error) {
      throw Wrong(file + ": " + error.what());
    }
  }
  return document;
}

void check_references(const json::object& document) {
  const json::value whole(document);
  check(whole, whole);
}

}  // namespace cc::openapi
