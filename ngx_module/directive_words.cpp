#include "directive_words.hpp"

#include <new>

namespace cc {

std::string quoted(std::string_view text) {
  return "\"" + std::string(text) + "\"";
}

std::optional<std::string_view> option(std::string_view word, std::string_view name) {
  if (word.size() <= name.size() || !word.starts_with(name) || word[name.size()] != '=') return {};
  return word.substr(name.size() + 1);
}

Error unknown(std::string_view word, std::string_view known) {
  auto equals = word.find('=');
  std::string shown = equals == std::string_view::npos
                          ? quoted(word)
                          : "\"" + std::string(word.substr(0, equals)) + "=…\"";
  return Error{"does not know " + shown + "; it takes " + std::string(known)};
}

std::string full_path(ngx_conf_t* cf, std::string_view name) {
  std::string terminated(name);
  ngx_str_t path = ngx_text(terminated);
  if (ngx_conf_full_name(cf->cycle, &path, 1) != NGX_OK) throw std::bad_alloc();
  return std::string(view(path));
}

void warn_if_readable(ngx_conf_t* cf, const Lines& lines, const std::string& path) {
  if (!lines.world_readable) return;
  ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                     "secrets in \"%s\" can be read by everyone; chmod 0600 it", path.c_str());
}

}  // namespace cc
