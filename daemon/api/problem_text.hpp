// The catalogue of problems for its readers: JSON, a page each, and docs/errors*.md. Pure.
#pragma once

#include <string>
#include <string_view>

#include "problem_catalogue.hpp"

namespace cc::api {

std::string to_json(const ProblemEntry& entry);
std::string catalogue_json();  // {"items": […]}, by status

/// A page that needs nothing but `style`.
std::string to_html(const ProblemEntry& entry, std::string_view style);

enum class Language { english, chinese };
std::string catalogue_markdown(Language language);

/// Whether an Accept header likes text/html better than application/json.
bool prefers_html(std::string_view accept);

}  // namespace cc::api
