// cc-openapi: makes the OpenAPI document at build time, and docs/errors*.md when asked.
#include <fstream>
#include <iostream>

#include <boost/json.hpp>

#include "document.hpp"
#include "expand.hpp"
#include "problem_text.hpp"

namespace {

using Words = std::vector<std::string>;

constexpr const char* usage =
    "cc-openapi document OUT.json OUT.cpp PART.yaml…  (the document, and a C++ file that holds "
    "it)\n"
    "cc-openapi errors ENGLISH.md CHINESE.md          (the catalogue of problems)\n";

void write(const std::string& file, const std::string& text) {
  std::ofstream out(file);
  out << text;
  out.close();
  if (!out) throw cc::openapi::Wrong(file + ": can't be written");
}

void make_document(const Words& words) {
  boost::json::object document = cc::openapi::read_parts({words.begin() + 3, words.end()});
  cc::openapi::expand(document);
  cc::openapi::check_references(document);
  const std::string text = boost::json::serialize(document);
  write(words[1], text + "\n");
  write(words[2],
        "// Generated from daemon/api/openapi.\n#include \"api/openapi.hpp\"\n\nnamespace cc::api "
        "{\n\n"
        "std::string_view openapi_json() noexcept {\n  static constexpr std::string_view text = "
        "R\"cc_json(" +
            text + ")cc_json\";\n  return text;\n}\n\n}  // namespace cc::api\n");
}

void make_errors(const Words& words) {
  write(words[1], cc::api::catalogue_markdown(cc::api::Language::english));
  write(words[2], cc::api::catalogue_markdown(cc::api::Language::chinese));
}

}  // namespace

int main(int count, char** arguments) {
  const Words words(arguments + 1, arguments + count);
  try {
    if (words.size() > 3 && words[0] == "document") {
      make_document(words);
    } else if (words.size() == 3 && words[0] == "errors") {
      make_errors(words);
    } else {
      std::cerr << usage;
      return 2;
    }
  } catch (const std::exception& error) {
    std::cerr << "cc-openapi: " << error.what() << "\n";
    return 1;
  }
  return 0;
}
