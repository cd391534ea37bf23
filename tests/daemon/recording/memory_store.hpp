// A store in memory that behaves as a test says, and knows what was done to it.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "recording/object_store.hpp"

namespace cc::test {

struct MemoryStore final : ObjectStore {
  std::string_view kind() const noexcept override { return "memory"; }
  std::string identity() const override { return its_identity; }
  std::string address(const std::string& name, std::int64_t) const override {
    return "memory://" + name;
  }

  asio::awaitable<PutResult> put(PutWish wish, ByteSource& source) override {
    ++begun_puts;
    PutResult result;
    std::string bytes;
    if (problem) {
      result.problem = *problem;
      co_return result;
    }
    std::string upload;
    std::vector<char> buffer(1000);
    std::exception_ptr broken;
    try {
      for (;;) {
        const std::size_t got = co_await source.read(buffer.data(), buffer.size());
        if (got == 0) break;
        bytes.append(buffer.data(), got);
        if (bytes.size() > wish.most) {
          result.problem = {"too_large", "longer than wanted", false};
          break;
        }
        if (bytes.size() <= part || !upload.empty()) continue;
        upload = "upload-" + std::to_string(++last_upload);
        uploads.insert(upload);
        if (before_begun) co_await before_begun(wish.name);
        co_await wish.begun(upload);
        if (before_end) co_await before_end(wish.name);
      }
    } catch (...) {
      broken = std::current_exception();
    }
    bool may = true;
    if (!broken && result.problem.code.empty()) {
      if (upload.empty() && before_end) co_await before_end(wish.name);
      if (wish.may_finish) {
        auto asking = wish.may_finish();
        may = co_await std::move(asking);
      }
    }
    uploads.erase(upload);
    if (!may) result.problem = lost_problem();
    if (broken) {
      undone.push_back(wish.name);
      std::rethrow_exception(broken);
    }
    if (!result.problem.code.empty()) co_return result;
    objects[wish.name] = bytes;
    types[wish.name] = wish.content_type;
    ++puts[wish.name];
    if (after_end) co_await after_end(wish.name);
    result.stored = StoredObject{bytes.size(), 42};
    co_return result;
  }

  asio::awaitable<std::optional<StoreProblem>> abort(std::string, std::string upload) override {
    if (problem) co_return problem;
    uploads.erase(upload);
    aborted.push_back(upload);
    co_return std::nullopt;
  }

  asio::awaitable<std::optional<StoreProblem>> remove(std::string name) override {
    if (problem) co_return problem;
    if (stuck.contains(name)) co_return StoreProblem{"network", "it does not answer", false};
    objects.erase(name);
    removed.push_back(name);
    co_return std::nullopt;
  }

  SignedUrl signed_url(const SignWish& wish) const override {
    return {"memory://" + wish.name, wish.now_ms + 1000 * wish.ttl};
  }

  using Step = std::function<asio::awaitable<void>(const std::string& name)>;
  Step before_begun;                    // of a put: an upload is open that nobody was told of
  Step before_end, after_end;           // before the object is there, and after
  std::optional<StoreProblem> problem;  // of everything
  std::set<std::string> stuck;          // objects that can't be removed
  std::size_t part = 4000;              // longer ones are begun as uploads
  std::map<std::string, std::string> objects, types;
  std::map<std::string, int> puts;  // completed
  std::set<std::string> uploads;    // open
  std::vector<std::string> undone, aborted, removed;
  std::string its_identity = "memory:1";
  int last_upload = 0, begun_puts = 0;
};

}  // namespace cc::test
