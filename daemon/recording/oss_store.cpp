#include "recording/oss_store.hpp"

#include <exception>
#include <stdexcept>
#include <utility>
#include <vector>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "log.hpp"
#include "recording/crc64.hpp"
#include "recording/digest.hpp"

namespace cc {
namespace {

constexpr std::size_t piece = 64 * 1024;  // bytes that the loop digests in one turn
constexpr std::size_t most_parts = 10'000;
constexpr unsigned most_spoilt = 3;  // times that one part may arrive spoilt
constexpr std::size_t most_etag = 256;

StoreProblem crc_problem(const OssAnswer& answer, std::uint64_t ours, const char* of) {
  const auto theirs = answer.crc64();
  std::string message = std::string("the CRC-64 of ") + of + " is ours " + std::to_string(ours) +
                        (theirs ? " but OSS's " + std::to_string(*theirs)
                                : ", but OSS's answer has no x-oss-hash-crc64ecma");
  if (const std::string& request = answer.header("x-oss-request-id"); !request.empty()) {
    message += " (request " + request + ")";
  }
  return {"crc", std::move(message), false};
}

}  // namespace

/// One put() on its way.
struct OssStore::Upload {
  PutWish wish;
  ByteSource& source;
  std::string part = {};   // what leaves next; its memory serves all parts
  std::string ahead = {};  // the first bytes of the part after it
  bool over = false;       // there is none after it
  std::uint64_t size = 0;  // up to and with `part`
  Crc64 whole = {}, of_part = {};
  Md5 md5 = {};         // of `part`
  std::string id = {};  // of a multipart upload that is neither completed nor aborted
  std::vector<std::string> etags = {};
};

OssStore::OssStore(const OssAccount& account, Millis idle, HttpClient& http, Clock& clock)
    : part_(account.part),
      identity_("oss:" + account.bucket + "/" + account.prefix),
      client_(account, idle, http, clock) {}

std::string OssStore::identity() const {
  return identity_;
}

std::string OssStore::address(const std::string& name, std::int64_t) const {
  return client_.requests().address(name);
}

SignedUrl OssStore::signed_url(const SignWish& wish) const {
  const Result<OssCredentials> credentials = client_.credentials();
  if (!credentials) throw StoreAway(credentials.error().message);
  return client_.requests().signed_url(wish, *credentials);
}

std::optional<StoreProblem> OssStore::credentials_problem() {
  const Result<OssCredentials> credentials = client_.credentials();
  if (credentials) return std::nullopt;
  return StoreProblem{"credentials", credentials.error().message, true};
}

asio::awaitable<PutResult> OssStore::put(PutWish wish, ByteSource& source) {
  Upload upload{std::move(wish), source};
  PutResult result;
  std::exception_ptr thrown;
  try {
    result = co_await carry(upload);
  } catch (...) {
    thrown = std::current_exception();
  }
  if (!upload.id.empty()) co_await undo(upload);
  if (thrown) std::rethrow_exception(thrown);
  co_return result;
}

asio::awaitable<PutResult> OssStore::carry(Upload& upload) {
  PutResult result;
  std::optional<StoreProblem> problem = co_await fill(upload);
  if (problem) {
    result.problem = *std::move(problem);
    co_return result;
  }
  if (upload.size == 0) {
    result.problem = {"empty", "there is not one byte in it", false};
    co_return result;
  }
  if (upload.over) {
    result = co_await put_whole(upload);
  } else {
    result = co_await put_parts(upload);
  }
  co_return result;
}

/// The next part, and whether another one follows it.
asio::awaitable<std::optional<StoreProblem>> OssStore::fill(Upload& upload) {
  const auto executor = co_await asio::this_coro::executor;
  std::string& part = upload.part;
  part.clear();
  part.reserve(part_);  // touched as it is filled
  upload.of_part = Crc64{};
  std::string bytes = std::exchange(upload.ahead, {});
  for (;;) {
    if (bytes.empty()) {
      bytes.resize(piece);
      const std::size_t got = co_await upload.source.read(bytes.data(), piece);
      bytes.resize(got);
      upload.over = got == 0;
    }
    if (upload.over) co_return std::nullopt;
    if (bytes.size() > upload.wish.most - upload.size) {
      StoreProblem problem{
          "too_large", "it is longer than " + std::to_string(upload.wish.most) + " bytes", false};
      co_return problem;
    }
    const std::string_view fits = std::string_view(bytes).substr(0, part_ - part.size());
    if (fits.empty()) break;
    part += fits;
    upload.size += fits.size();
    upload.whole.add(fits);
    upload.of_part.add(fits);
    upload.md5.add(fits);
    bytes.erase(0, fits.size());
    // A source that always has bytes must not keep the loop from everybody else.
    co_await asio::post(executor, asio::use_awaitable);
  }
  upload.ahead = std::move(bytes);
  co_return std::nullopt;
}

asio::awaitable<bool> OssStore::may_finish(const Upload& upload) {
  if (!upload.wish.may_finish) co_return true;
  auto asking = upload.wish.may_finish();
  co_return co_await std::move(asking);
}

asio::awaitable<PutResult> OssStore::put_whole(Upload& upload) {
  PutResult result;
  const bool may = co_await may_finish(upload);
  if (!may) {
    result.problem = lost_problem();
    co_return result;
  }
  OssRequest request = client_.requests().put(upload.wish.name, upload.wish.content_type,
                                              std::move(upload.part), upload.md5.take());
  OssAnswer answer = co_await client_.ask(request);
  if (answer.good) {
    result = co_await compare(upload, std::move(answer));
  } else {
    result.problem = std::move(answer.problem);
  }
  co_return result;
}

/// OSS says that the object is there whole; it is if OSS's CRC-64 is ours.
asio::awaitable<PutResult> OssStore::compare(const Upload& upload, OssAnswer answer) {
  PutResult result;
  const std::uint64_t ours = upload.whole.value();
  if (answer.crc64() == ours) {
    result.stored = StoredObject{upload.size, ours};
    co_return result;
  }
  result.problem = crc_problem(answer, ours, "the object");
  const bool may = co_await may_finish(upload);
  if (!may) {  // what lies there is whoever's who is alone with the name now
    result.problem = lost_problem();
    co_return result;
  }
  std::string name = upload.wish.name;
  const auto left = co_await remove(std::move(name));
  if (left) result.problem.message += "; and it could not be removed: " + left->message;
  co_return result;
}

asio::awaitable<PutResult> OssStore::put_parts(Upload& upload) {
  PutResult result;
  std::optional<StoreProblem> problem = co_await begin(upload);
  if (!problem && upload.wish.begun) co_await upload.wish.begun(upload.id);
  while (!problem) {
    problem = co_await send_part(upload);
    if (problem || upload.over) break;
    problem = co_await fill(upload);
  }
  if (problem) {
    result.problem = *std::move(problem);
  } else {
    result = co_await complete(upload);
  }
  co_return result;
}

asio::awaitable<std::optional<StoreProblem>> OssStore::begin(Upload& upload) {
  OssRequest request = client_.requests().initiate(upload.wish.name, upload.wish.content_type);
  Backoff backoff = OssClient::make_backoff();
  co_await sweep(upload.wish.name);
  for (unsigned number = 1;; ++number) {
    // One by one: what an answer that got lost has begun must not be left.
    OssAnswer answer = co_await client_.ask(request, 1);
    if (answer.good) {
      upload.id = oss_upload_id(answer.body);
      if (!upload.id.empty()) co_return std::nullopt;
      answer.problem = {"answer", "OSS began a multipart upload but does not name it", false};
    } else if (answer.again && number < OssClient::usual_tries) {
      co_await client_.pause(backoff, answer);
      co_await sweep(upload.wish.name);
      continue;
    }
    if (answer.good || answer.again) co_await sweep(upload.wish.name);
    co_return std::move(answer.problem);
  }
}

/// As well as it can be done: the RAM user may not be allowed to list, and the bucket's lifecycle
/// rule does it then.
asio::awaitable<void> OssStore::sweep(const std::string& name) {
  OssRequest list = client_.requests().uploads(name);
  const OssAnswer answer = co_await client_.ask(list);
  if (!answer.good) {
    log().debug("recordings: left-behind uploads can't be looked for: {}", answer.problem.message);
    co_return;
  }
  const std::string key = client_.requests().key(name);
  for (const auto& [its_key, id] : oss_uploads(answer.body)) {
    if (its_key != key) continue;  // the list is by prefix
    OssRequest request = client_.requests().abort(name, id);
    const OssAnswer aborted = co_await client_.ask(request);
    if (!aborted.good) {
      log().debug("recordings: a left-behind upload stays: {}", aborted.problem.message);
    }
  }
}

asio::awaitable<std::optional<StoreProblem>> OssStore::send_part(Upload& upload) {
  if (upload.etags.size() >= most_parts) {
    StoreProblem problem{"too_large", "OSS takes 10,000 parts at most; raise recordings.oss.part",
                         false};
    co_return problem;
  }
  OssRequest request = client_.requests().part(upload.wish.name, upload.id,
                                               static_cast<unsigned>(upload.etags.size() + 1),
                                               std::move(upload.part), upload.md5.take());
  const std::uint64_t ours = upload.of_part.value();
  OssAnswer answer = co_await client_.ask(request);
  // Sent again under its number it takes the spoilt one's place: of thousands one may well be spoilt.
  for (unsigned spoilt = 1; answer.good && answer.crc64() != ours && spoilt < most_spoilt; ++spoilt) {
    answer = co_await client_.ask(request);
  }
  upload.part = std::move(request.body);
  if (!answer.good) co_return std::move(answer.problem);
  if (answer.crc64() != ours) co_return crc_problem(answer, ours, "a part");
  const std::string& etag = answer.header("etag");
  if (etag.empty() || etag.size() > most_etag) {
    StoreProblem problem{"answer", "OSS took a part but gives no ETag for it", false};
    co_return problem;
  }
  upload.etags.push_back(etag);
  co_return std::nullopt;
}

asio::awaitable<PutResult> OssStore::complete(Upload& upload) {
  PutResult result;
  const bool may = co_await may_finish(upload);
  if (!may) {
    result.problem = lost_problem();
    co_return result;
  }
  OssRequest request = client_.requests().complete(upload.wish.name, upload.id, upload.etags);
  OssAnswer answer = co_await client_.ask(request);
  if (answer.good) {
    upload.id.clear();
    result = co_await compare(upload, std::move(answer));
    co_return result;
  }
  result.problem = std::move(answer.problem);
  const bool perhaps_done = answer.again || result.problem.code == "NoSuchUpload";
  if (!perhaps_done) co_return result;
  // It was done if its answer was what got lost; the object tells.
  OssRequest head = client_.requests().head(upload.wish.name);
  const OssAnswer there = co_await client_.ask(head);
  if (there.good && there.size() == upload.size && there.crc64() == upload.whole.value()) {
    upload.id.clear();
    result = {StoredObject{upload.size, upload.whole.value()}, {}};
  }
  co_return result;
}

asio::awaitable<void> OssStore::undo(const Upload& upload) {
  try {
    std::string name = upload.wish.name, id = upload.id;
    const auto problem = co_await abort(std::move(name), std::move(id));
    if (problem) log().debug("recordings: an upload can't be aborted: {}", problem->message);
  } catch (const std::exception&) {
    // Cancelled: whoever was told that it begun aborts it.
  }
}

asio::awaitable<std::optional<StoreProblem>> OssStore::abort(std::string name, std::string upload) {
  OssRequest request = client_.requests().abort(name, upload);
  OssAnswer answer = co_await client_.ask(request);
  if (answer.good || answer.problem.code == "NoSuchUpload") co_return std::nullopt;
  co_return std::move(answer.problem);
}

asio::awaitable<std::optional<StoreProblem>> OssStore::remove(std::string name) {
  OssRequest request = client_.requests().remove(name);
  OssAnswer answer = co_await client_.ask(request);
  if (answer.good || answer.problem.code == "NoSuchKey") co_return std::nullopt;
  co_return std::move(answer.problem);
}

}  // namespace cc
