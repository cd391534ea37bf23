// Reading what Jiuyun sends, XML or JSON, however ill-formed (channels.md, e9): one pass, views
// only, no tree. Junk in userData, which the vendor doesn't escape, can't pass for another field.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cc {

enum class E9Field : std::uint8_t {
  action,
  app_id,
  call_id,
  caller,
  called,
  user_flag,
  date_created,
  user_data,
  start_time_a,
  start_time_b,
  end_time,
  duration,
  record_url,
  bye_type,
  status_code,
};
inline constexpr std::size_t e9_field_count = 15;

enum class E9Syntax : std::uint8_t { none, xml, json };

/// The fields found; views into the body, which must outlive them.
class E9Fields {
 public:
  E9Syntax syntax = E9Syntax::none;
  bool identity_only = false;  // appId and callId are all that is asked for

  bool any() const noexcept;

  /// The decoded value: entities, CDATA or escapes resolved, white space around it gone. Empty
  /// where the field is absent, empty or the literal `null`. Points into the body or into
  /// `scratch`.
  std::string_view view(E9Field field, std::string& scratch) const;
  std::string text(E9Field field) const;

  /// For the readers: the first value of a field wins.
  void offer(E9Field field, std::string_view raw) noexcept;
  void replace(E9Field field, std::string_view raw) noexcept;
  bool found(E9Field field) const noexcept;

  /// Whether nothing that could still come would be asked for.
  bool complete() const noexcept;

 private:
  std::array<std::optional<std::string_view>, e9_field_count> raw_;
};

/// The field of a name as the vendor spells it.
std::optional<E9Field> e9_field_from_name(std::string_view name) noexcept;

/// Chooses XML or JSON by the first byte that is no white space.
E9Fields read_e9_fields(std::string_view body);

/// The same for verifying, which asks for appId and callId only and runs in the NGINX worker: stops
/// early where it can. Other fields may or may not be there.
E9Fields read_e9_identity(std::string_view body);

// The two readers and their decoders, each in a file of its own.
void read_e9_xml(std::string_view body, E9Fields& out);
void read_e9_json(std::string_view body, E9Fields& out);
std::string decode_xml_text(std::string_view raw);
std::string decode_json_string(std::string_view raw);
void append_utf8(std::string& out, std::uint32_t code_point);

}  // namespace cc
