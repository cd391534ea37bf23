// Digests and encodings that the vendor's signature uses.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace jiuyun {

std::string md5_upper_hex(std::string_view text);
std::string sha256_hex(std::string_view text);
// Canonical Base64 (padding included) or nothing.
std::optional<std::string> base64_decode(std::string_view text);
// Decodes %XX; nothing if an escape is broken.
std::optional<std::string> percent_decode(std::string_view text);
// The value of one parameter of a query string, decoded; nothing if absent.
std::optional<std::string> query_value(std::string_view query, std::string_view name);
// Arbitrary bytes made fit for a JSON line: cut, and what is not printable ASCII becomes '.'.
std::string printable(std::string_view bytes, std::size_t limit);

}  // namespace jiuyun
