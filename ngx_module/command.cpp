#include "command.hpp"

#include <charconv>

namespace cc {
namespace {

void append_number(std::string& out, std::size_t number) {
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

}  // namespace

std::string redis_argument(std::string_view text) {
  return "$" + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n";
}

std::string redis_command(std::initializer_list<std::string_view> words) {
  std::string command = "*" + std::to_string(words.size()) + "\r\n";
  for (std::string_view word : words) command += redis_argument(word);
  return command;
}

void build_command(Pending& pending, const MainSettings& settings, std::string_view field,
                   std::string_view header, std::string_view body) {
  pending.partition = pending.partition_hash % settings.partitions;
  const std::string& begin = settings.add_commands[pending.partition];
  pending.envelope_size = header.size() + body.size();
  std::string& command = pending.command;
  command.reserve(begin.size() + field.size() + pending.envelope_size + 32);
  command = begin;
  command += field;
  command += '$';
  append_number(command, pending.envelope_size);
  command += "\r\n";
  pending.envelope_at = command.size();
  command += header;
  command += body;
  command += "\r\n";
}

}  // namespace cc
