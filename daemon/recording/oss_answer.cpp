#include "recording/oss_answer.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <pugixml.hpp>

#include "phone.hpp"
#include "text.hpp"

namespace cc {
namespace {

constexpr std::size_t most_message = 200;
constexpr std::size_t most_upload_id = 1024;

constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";

struct Remedy {
  std::string_view code, words;
};

// What stays refused until somebody does something about it.
constexpr std::array remedies{
    Remedy{"RequestTimeTooSkewed", "set this machine's clock right (NTP)"},
    Remedy{"InvalidAccessKeyId", "see to recordings.oss.accessKeyId or .credentials"},
    Remedy{"SignatureDoesNotMatch",
           "see to recordings.oss.accessKeySecret, and to .region, which is bare (cn-hangzhou)"},
    Remedy{"SecurityTokenExpired", "see to whatever renews the STS token"},
    Remedy{"InvalidSecurityToken", "see to the STS token and the access key it was given with"},
    Remedy{"AccessDenied", "let the RAM user put, get, abort and delete below the bucket's prefix"},
    Remedy{"UserDisable", "see to the Aliyun account: overdue, or its OSS is switched off"},
    Remedy{"NoSuchBucket", "see to recordings.oss.bucket and .endpoint"},
    Remedy{"InvalidBucketName", "see to recordings.oss.bucket"},
    Remedy{"SecondLevelDomainForbidden", "see to recordings.oss.pathStyle and .endpoint"},
    Remedy{"KmsServiceNotEnabled", "switch KMS on, or see to recordings.oss.encryption"},
};

// Words of a foreign service: short, printable, no number in them.
std::string tame(std::string_view text) {
  bool cut = false;
  std::string out = cut_to_width(repair_utf8(text), most_message, cut);
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < ' ' || c == 127) c = ' ';
  }
  return mask_numbers_in(out);
}

bool is_code(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
}

std::optional<std::uint64_t> decimal(const std::string& text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<int> digits(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string skew(const OssAnswer& answer, std::int64_t now_ms) {
  const auto date = parse_http_date(answer.header("date"));
  if (!date) return "this machine's clock is off by more than 15 minutes";
  const std::int64_t ahead = now_ms / 1000 - *date;
  return "this machine's clock is " + std::to_string(std::abs(ahead)) + " s " +
         (ahead < 0 ? "behind" : "ahead of") + " OSS's";
}

bool may_be_repeated(unsigned status, const std::string& code) {
  if (status >= 500 || status == 429 || status == 408) return true;
  // A body that was damaged or cut on its way.
  return code == "RequestTimeout" || code == "BadDigest" || code == "InvalidDigest" ||
         code == "IncompleteBody" || code == "OperationAborted";
}

/// Code, message and request id of an <Error>, for what there is of it.
void read_refusal(OssAnswer& answer, std::int64_t now_ms) {
  pugi::xml_document document;
  std::string code, message, request = answer.header("x-oss-request-id");
  if (document.load_buffer(answer.body.data(), answer.body.size())) {
    const pugi::xml_node error = document.child("Error");
    code = error.child_value("Code");
    message = error.child_value("Message");
    if (request.empty()) request = error.child_value("RequestId");
  }
  if (!is_code(code)) code = "http_" + std::to_string(answer.status);
  if (!is_code(request)) request.clear();
  StoreProblem& problem = answer.problem;
  problem.code = code;
  problem.message = "OSS answers " + std::to_string(answer.status) + " " + code;
  if (!request.empty()) problem.message += " (request " + request + ")";
  if (!message.empty()) problem.message += ": " + tame(message);
  const auto* const remedy = std::find_if(remedies.begin(), remedies.end(),
                                          [&](const Remedy& known) { return known.code == code; });
  if (remedy != remedies.end()) {
    problem.refused = true;
    if (code == "RequestTimeTooSkewed") problem.message += "; " + skew(answer, now_ms);
    problem.message += "; " + std::string(remedy->words);
  } else {
    problem.refused = answer.status == 401 || answer.status == 403;
    answer.again = may_be_repeated(answer.status, code);
  }
}

}  // namespace

const std::string& OssAnswer::header(std::string_view name) const {
  static const std::string none;
  for (const auto& [its_name, value] : headers) {
    if (its_name == name) return value;
  }
  return none;
}

std::optional<std::uint64_t> OssAnswer::crc64() const {
  return decimal(header("x-oss-hash-crc64ecma"));
}

std::optional<std::uint64_t> OssAnswer::size() const {
  return decimal(header("content-length"));
}

OssAnswer judge_oss_answer(HttpExchange exchange, std::int64_t now_ms) {
  OssAnswer answer;
  if (!exchange.answered()) {
    const bool tls = exchange.end == HttpExchange::End::tls_failed;
    answer.problem.code = tls ? "tls" : "network";
    answer.problem.message =
        "OSS can't be reached: " + std::string(to_text(exchange.end)) + ": " + exchange.problem;
    if (tls) answer.problem.message += "; see to recordings.oss.endpoint and .caFile";
    answer.again = true;
    return answer;
  }
  answer.status = exchange.status;
  answer.headers = std::move(exchange.headers);
  answer.body = std::move(exchange.body);
  answer.good = answer.status >= 200 && answer.status < 300;
  if (answer.good) return answer;
  read_refusal(answer, now_ms);
  // Only the form with seconds: OSS gives no dates.
  if (const auto seconds = digits(answer.header("retry-after")); seconds && *seconds > 0) {
    answer.retry_after = std::chrono::seconds{*seconds};
  }
  return answer;
}

std::string oss_upload_id(const std::string& xml) {
  pugi::xml_document document;
  if (!document.load_buffer(xml.data(), xml.size())) return {};
  std::string id = document.child("InitiateMultipartUploadResult").child_value("UploadId");
  if (id.size() > most_upload_id) id.clear();
  return id;
}

std::vector<std::pair<std::string, std::string>> oss_uploads(const std::string& xml) {
  std::vector<std::pair<std::string, std::string>> uploads;
  pugi::xml_document document;
  if (!document.load_buffer(xml.data(), xml.size())) return uploads;
  for (const pugi::xml_node& upload :
       document.child("ListMultipartUploadsResult").children("Upload")) {
    std::string id = upload.child_value("UploadId");
    if (id.empty() || id.size() > most_upload_id) continue;
    uploads.emplace_back(upload.child_value("Key"), std::move(id));
  }
  return uploads;
}

std::optional<std::int64_t> parse_http_date(std::string_view text) {
  if (text.size() != 29 || text.substr(25) != " GMT" || text.substr(3, 2) != ", ") {
    return std::nullopt;
  }
  const std::size_t month = months.find(text.substr(8, 3));
  const auto day = digits(text.substr(5, 2)), year = digits(text.substr(12, 4)),
             hour = digits(text.substr(17, 2)), minute = digits(text.substr(20, 2)),
             second = digits(text.substr(23, 2));
  if (month == std::string_view::npos || month % 3 != 0 || !day || !year || !hour || !minute ||
      !second || *day < 1 || *hour < 0 || *minute < 0 || *second < 0 || *hour > 23 ||
      *minute > 59 || *second > 60) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year{*year},
                                         std::chrono::month{static_cast<unsigned>(month / 3 + 1)},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days{date}.time_since_epoch().count() * std::int64_t{86400} +
         *hour * 3600 + *minute * 60 + *second;
}

}  // namespace cc
