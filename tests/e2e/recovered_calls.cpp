#include "recovered_calls.hpp"

#include <chrono>
#include <map>
#include <sstream>

#include <openssl/evp.h>

#include "text.hpp"

namespace cc::test {

namespace {

constexpr long epoch_2020_ms = 1'577'836'800'000;

long now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string md5(const std::string& text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), digest, &size, EVP_md5(), nullptr);
  return cc::to_hex({reinterpret_cast<char*>(digest), size});
}

/// By stream. Redis' own word: the cursor's row knows only how far Redis was when ccd last asked,
/// and in a PostgreSQL that was set back it tells of the time before.
std::map<std::string, std::string> ends_of_streams(const Stack& stack) {
  std::map<std::string, std::string> ends;
  std::istringstream streams(stack.redis({"--raw", "KEYS", "cc:events:*"}));
  for (std::string stream; streams >> stream;) {
    std::istringstream told(stack.redis({"--raw", "XINFO", "STREAM", stream}));
    std::string word;
    while (told >> word && word != "last-generated-id") {
    }
    told >> ends[stream];
  }
  return ends;
}

std::map<std::string, std::string> cursors(const Stack& stack) {
  std::map<std::string, std::string> read;
  std::istringstream rows(stack.sql("SELECT stream || ' ' || entry_id FROM stream_cursor"));
  for (std::string stream, id; rows >> stream >> id;) read[stream] = id;
  return read;
}

}  // namespace

RecoveredCalls::RecoveredCalls(const Stack& stack)
    : stack_(stack), first_call_((now_ms() - epoch_2020_ms) << 22) {}

OpenLoad::Settings RecoveredCalls::load(double per_second, unsigned senders) const {
  return {.port = static_cast<unsigned short>(std::stoi(stack_.env("CC_NGINX_PORT"))),
          .path = "/callback/e9/" + stack_.env("CC_TOKEN"),
          .per_second = per_second,
          .senders = senders};
}

std::string RecoveredCalls::callback(long n) const {
  static const char* const actions[] = {"CallInvite", "CallInvite", "CallEstablish", "Hangup"};
  const long call = n / 4, event = n % 4;
  char id[40];
  std::snprintf(id, sizeof id, "%032lx", call);
  std::string body = "<?xml version='1.0'?><req><action>";
  body += actions[event];
  body += "</action><type>1</type><appId>" + stack_.env("CC_E9_APP_ID") + "</appId><caller>139" +
          std::to_string(10'000'000 + call) + "</caller><called>138" +
          std::to_string(10'000'000 + call) + "</called>";
  if (event < 2) body += "<userFlag>" + std::to_string(event) + "</userFlag>";
  body += "<subType>0</subType><callId>" + std::string(id) +
          "</callId><dateCreated></dateCreated><userData>cc1." +
          std::to_string(first_call_ + call) + ".1</userData>";
  if (event == 3) body += "<duration>9</duration><byeType>0</byeType>";
  return body + "</req>";
}

bool RecoveredCalls::await_drained() const {
  const bool replayed = eventually(
      [&] {
        const json::value status = send({.url = stack_.env("CC_NGINX") + "/cc/status"}).body();
        return text_at(status.at("spool"), "files") == "0";
      },
      Millis{60'000});
  return replayed && eventually(
                         [&] {
                           return cursors(stack_) == ends_of_streams(stack_) &&
                                  stack_.sql("SELECT count(*) FROM waiting_event") == "0";
                         },
                         Millis{60'000});
}

RecoveredCalls::Comparison RecoveredCalls::compare(const std::vector<std::string>& accepted) const {
  // By MD5 of the body. What is kept is the envelope: a header line, then the body.
  std::map<std::string, long> stored;
  std::istringstream lines(stack_.sql(
      "SELECT md5(substring(raw FROM position('\\x0a'::bytea IN raw) + 1)) || ' ' || count(*) FROM "
      "(SELECT raw FROM call_event WHERE source = 'callback' UNION ALL SELECT raw FROM "
      "dead_letter) "
      "AS s GROUP BY substring(raw FROM position('\\x0a'::bytea IN raw) + 1)"));
  std::string hash;
  for (long n = 0; lines >> hash >> n;) stored[hash] += n;
  Comparison comparison;
  for (const std::string& body : accepted) {
    if (!stored.contains(md5(body))) comparison.missing_bodies.push_back(body);
  }
  comparison.missing = static_cast<long>(comparison.missing_bodies.size());
  for (const auto& [unused, n] : stored) comparison.twice += n > 1;
  return comparison;
}

}  // namespace cc::test
