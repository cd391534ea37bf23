# Makes OUT, a C++ file that holds daemon/api/docs/page.{html,css,js}. Run by cmake -P.
set(text "// Generated from daemon/api/docs.\n#include \"api/openapi.hpp\"\n\nnamespace cc::api {\n\n")
foreach(kind html css js)
  file(READ ${DOCS_DIR}/page.${kind} content)
  string(APPEND text "std::string_view docs_${kind}() noexcept {\n  return R\"cc_docs(${content})cc_docs\";\n}\n\n")
endforeach()
string(APPEND text "}  // namespace cc::api\n")
file(WRITE ${OUT} "${text}")
