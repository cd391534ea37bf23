// What is embedded at build time: the OpenAPI document, and the page that shows it.
#pragma once

#include <string_view>

namespace cc::api {

std::string_view openapi_json() noexcept;

/// Of docs/: the page has <!--style--> and <!--script--> where those belong.
std::string_view docs_html() noexcept;
std::string_view docs_css() noexcept;
std::string_view docs_js() noexcept;

}  // namespace cc::api
