// A directive's words: options read from them, complaints about them, as NGINX makes them.
#pragma once

#include "ngx.hpp"

#include <exception>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "result.hpp"
#include "secrets.hpp"

namespace cc {

using Words = std::span<const ngx_str_t>;  // of a directive, its name first
using Problem = std::optional<Error>;      // nothing: all is well

std::string quoted(std::string_view text);

/// "name=value" → value.
std::optional<std::string_view> option(std::string_view word, std::string_view name);

/// "does not know …; it takes …". What stands behind the '=' may be a secret that somebody put
/// where a file's name belongs, and is not repeated.
Error unknown(std::string_view word, std::string_view known);

/// Relative names are relative to nginx.conf, as with all of NGINX's files.
std::string full_path(ngx_conf_t* cf, std::string_view name);

void warn_if_readable(ngx_conf_t* cf, const Lines& lines, const std::string& path);

/// Runs what reads a directive; says what is wrong as NGINX does, with file and line.
template <class Read>
char* complaining(ngx_conf_t* cf, Read read) noexcept {
  try {
    auto* words = static_cast<ngx_str_t*>(cf->args->elts);
    Problem problem = read(Words(words, cf->args->nelts));
    if (!problem) return NGX_CONF_OK;
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%V %s", &words[0], problem->message.c_str());
  } catch (const std::exception& e) {
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%s", e.what());
  }
  return static_cast<char*>(NGX_CONF_ERROR);
}

}  // namespace cc
