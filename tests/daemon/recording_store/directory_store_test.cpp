// Recordings in a directory, on a real file system.
#include "recording/directory_store.hpp"

#include <csignal>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <thread>

#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/test/unit_test.hpp>

#include "fixture.hpp"
#include "recording/crc64.hpp"

namespace fs = std::filesystem;

namespace cc::test {
namespace {

using Verdict = FileShelf::Verdict;

const std::string name = "tenant_1/2026/11/23/7260123456789.mp3";

/// A store's calls, run to their end.
struct Shelf {
  explicit Shelf(const std::string& directory, const std::string& public_url = "")
      : store(directory, public_url, clock) {}

  PutResult put(const std::string& object, const std::string& bytes,
                std::uint64_t most = UINT64_MAX) {
    TextSource source(bytes);
    return put(object, source, most);
  }
  PutResult put(const std::string& object, ByteSource& source, std::uint64_t most = UINT64_MAX) {
    PutWish wish;
    wish.name = object;
    wish.most = most;
    wish.may_finish = may_finish;
    PutResult result;
    const auto work = [&]() -> asio::awaitable<void> {
      result = co_await store.put(std::move(wish), source);
    };
    run_until_done(io, work());
    return result;
  }
  std::optional<StoreProblem> remove(const std::string& object) {
    std::optional<StoreProblem> problem;
    const auto work = [&]() -> asio::awaitable<void> { problem = co_await store.remove(object); };
    run_until_done(io, work());
    return problem;
  }
  Verdict look(const std::string& target, std::int64_t at_ms, ShelfFile& file) {
    Verdict verdict{};
    const auto work = [&]() -> asio::awaitable<void> {
      verdict = co_await store.look(target, at_ms, file);
    };
    run_until_done(io, work());
    return verdict;
  }
  Verdict look(const std::string& target, std::int64_t at_ms = 0) {
    ShelfFile file;
    return look(target, at_ms, file);
  }
  /// As look() tells of it now.
  std::string etag(const std::string& target) {
    ShelfFile file;
    (void)look(target, 0, file);
    return file.etag;
  }
  std::string read(const std::string& target, std::uint64_t first, std::uint64_t length) {
    const std::string seen = etag(target);
    std::string bytes;
    const auto work = [&]() -> asio::awaitable<void> {
      const auto source = co_await store.open(target, seen, first, length);
      std::string piece(1 << 20, '\0');
      for (;;) {
        const std::size_t got = co_await source->read(piece.data(), piece.size());
        if (got == 0) co_return;
        BOOST_TEST(got <= 256U * 1024U);
        bytes.append(piece, 0, got);
      }
    };
    run_until_done(io, work());
    return bytes;
  }
  void open(const std::string& target, std::uint64_t first, std::uint64_t length) {
    open(target, etag(target), first, length);
  }
  void open(const std::string& target, const std::string& seen, std::uint64_t first,
            std::uint64_t length) {
    const auto work = [&]() -> asio::awaitable<void> {
      co_await store.open(target, seen, first, length);
    };
    run_until_done(io, work());
  }
  std::string sign(const std::string& object) {
    (void)store.prepare();
    return store.signed_url({object, 1'000'000, 60, "call.mp3", "audio/mpeg"}).url;
  }

  std::function<asio::awaitable<bool>()> may_finish;
  asio::io_context io;
  HastyClock clock;
  DirectoryStore store;
};

struct Folder {
  TempDir folder;
  std::string root = folder.file("recordings");
  Folder() { fs::create_directory(root); }

  std::string file(const std::string& object) const { return root + "/" + object; }
  std::size_t drafts() const {
    const fs::path where = root + "/.incoming";
    if (!fs::exists(where)) return 0;
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(where), fs::directory_iterator()));
  }
};

unsigned mode_of(const std::string& path) {
  struct stat status {};
  BOOST_REQUIRE(::lstat(path.c_str(), &status) == 0);
  return status.st_mode & 0777;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(directory_store, Folder)

BOOST_AUTO_TEST_CASE(what_is_put_is_there_byte_by_byte_and_for_nobody_else) {
  Shelf shelf(root);
  for (const std::size_t size : {1U, 262'144U, 262'145U, 3'000'000U}) {
    const std::string bytes = some_bytes(size, static_cast<unsigned>(size));
    const PutResult result = shelf.put(name, bytes);
    BOOST_REQUIRE_MESSAGE(result.stored, result.problem.message);
    BOOST_TEST(result.stored->size == size);
    Crc64 crc;
    crc.add(bytes);
    BOOST_TEST(result.stored->crc64 == crc.value());
    BOOST_TEST((read_file(file(name)) == bytes));
  }
  BOOST_TEST(mode_of(file(name)) == 0600U);
  BOOST_TEST(mode_of(file("tenant_1")) == 0700U);
  BOOST_TEST(mode_of(file("tenant_1/2026/11/23")) == 0700U);
  BOOST_TEST(drafts() == 0U);
  BOOST_TEST(shelf.store.kind() == "directory");
}

BOOST_AUTO_TEST_CASE(what_fails_leaves_nothing_and_an_older_file_alone) {
  Shelf shelf(root);
  BOOST_TEST(shelf.put(name, "").problem.code == "empty");
  BOOST_TEST(shelf.put(name, some_bytes(1000), 999).problem.code == "too_large");
  BOOST_TEST(!fs::exists(file("tenant_1")));
  BOOST_REQUIRE(shelf.put(name, some_bytes(1000), 1000).stored.has_value());
  TextSource broken(some_bytes(900'000), 500'000);
  BOOST_CHECK_THROW(shelf.put(name, broken), SourceBroken);
  BOOST_TEST((read_file(file(name)) == some_bytes(1000)));
  BOOST_TEST(drafts() == 0U);
}

BOOST_AUTO_TEST_CASE(names_that_lead_elsewhere_are_refused) {
  Shelf shelf(root);
  std::ofstream(folder.file("outside")) << "kept";
  for (const char* bad :
       {"../outside", "a/../../outside", "/etc/passwd", "", ".link-key", ".incoming/x", "a//b"}) {
    const PutResult result = shelf.put(bad, "bytes");
    BOOST_TEST(!result.stored.has_value(), bad);
    BOOST_TEST(result.problem.code == "name", bad);
    const auto removed = shelf.remove(bad);
    BOOST_TEST(removed.has_value(), bad);
  }
  BOOST_TEST(read_file(folder.file("outside")) == "kept");
}

BOOST_AUTO_TEST_CASE(symbolic_links_are_not_followed) {
  Shelf shelf(root);
  fs::create_directory(folder.file("elsewhere"));
  fs::create_symlink(folder.file("elsewhere"), file("t"));
  const PutResult result = shelf.put("t/a.mp3", "bytes");
  BOOST_TEST(!result.stored.has_value());
  BOOST_TEST(result.problem.refused);
  BOOST_TEST(fs::is_empty(folder.file("elsewhere")));
  std::ofstream(folder.file("elsewhere/secret")) << "hush";
  fs::create_directory(file("u"));
  fs::create_symlink(folder.file("elsewhere/secret"), file("u/a.mp3"));
  BOOST_CHECK_THROW(shelf.look(shelf.sign("u/a.mp3")), SourceBroken);
  BOOST_CHECK_THROW(shelf.look(shelf.sign("t/secret")), SourceBroken);
  // Putting takes the link's place and leaves alone what it leads to.
  BOOST_TEST(shelf.put("u/a.mp3", "bytes").stored.has_value());
  BOOST_TEST(read_file(folder.file("elsewhere/secret")) == "hush");
}

BOOST_AUTO_TEST_CASE(a_signed_path_leads_to_the_file_until_its_time_is_over) {
  Shelf shelf(root);
  const std::string bytes = some_bytes(700'000);
  BOOST_REQUIRE(shelf.put(name, bytes).stored.has_value());
  const std::string target = shelf.sign(name);
  ShelfFile file;
  BOOST_REQUIRE((shelf.look(target, 1'059'999, file) == Verdict::good));
  BOOST_TEST(file.size == bytes.size());
  BOOST_TEST(file.content_type == "audio/mpeg");
  BOOST_TEST(file.file_name == "call.mp3");
  BOOST_TEST(file.etag.size() > 2U);
  BOOST_TEST((file.etag.front() == '"' && file.etag.back() == '"'));
  BOOST_TEST(file.modified_ms > 1'700'000'000'000);
  BOOST_TEST((shelf.look(target, 1'060'000) == Verdict::expired));
  std::string longer = target;
  longer.replace(longer.find("expires=1060"), 12, "expires=9060");
  BOOST_TEST((shelf.look(longer, 1'000'000) == Verdict::forged));
  BOOST_TEST((shelf.look("/v1/files/" + name, 0) == Verdict::forged));
  BOOST_TEST((shelf.look("/v1/files/" + name + "?signature=", 0) == Verdict::forged));

  BOOST_TEST((shelf.read(target, 0, bytes.size()) == bytes));
  BOOST_TEST((shelf.read(target, 1, 1) == bytes.substr(1, 1)));
  BOOST_TEST((shelf.read(target, 262'000, 300'000) == bytes.substr(262'000, 300'000)));
  BOOST_TEST((shelf.read(target, bytes.size() - 1, 1) == bytes.substr(bytes.size() - 1)));
  BOOST_TEST(shelf.read(target, bytes.size(), 0).empty());
  BOOST_CHECK_THROW(shelf.open(target, bytes.size(), 1), SourceBroken);
  BOOST_CHECK_THROW(shelf.open(target, 0, bytes.size() + 1), SourceBroken);
  BOOST_CHECK_THROW(shelf.open(target, UINT64_MAX, 2), SourceBroken);
  BOOST_CHECK_THROW(shelf.open(longer, 0, 1), SourceBroken);

  // Another file under the name has another tag.
  const std::string tag = file.etag;
  BOOST_REQUIRE(shelf.put(name, some_bytes(700'000, 2)).stored.has_value());
  BOOST_REQUIRE((shelf.look(target, 0, file) == Verdict::good));
  BOOST_TEST(file.etag != tag);
  BOOST_CHECK_THROW(shelf.open(target, tag, 0, 1), SourceBroken);  // of the one that was looked at
  BOOST_CHECK_NO_THROW(shelf.open(target, file.etag, 0, 1));

  BOOST_TEST(!shelf.remove(name).has_value());
  BOOST_TEST((shelf.look(target, 0) == Verdict::gone));
  BOOST_CHECK_THROW(shelf.read(target, 0, 1), SourceBroken);
}

BOOST_AUTO_TEST_CASE(a_file_that_becomes_shorter_while_it_is_read_is_no_whole_one) {
  Shelf shelf(root);
  BOOST_REQUIRE(shelf.put(name, some_bytes(600'000)).stored.has_value());
  const std::string target = shelf.sign(name), etag = shelf.etag(target);
  const auto work = [&]() -> asio::awaitable<void> {
    const auto source = co_await shelf.store.open(target, etag, 0, 600'000);
    std::string piece(1 << 20, '\0');
    const std::size_t got = co_await source->read(piece.data(), piece.size());
    BOOST_TEST(got == 262'144U);
    fs::resize_file(file(name), 1000);
    co_await source->read(piece.data(), piece.size());
  };
  BOOST_CHECK_THROW(run_until_done(shelf.io, work()), SourceBroken);
}

BOOST_AUTO_TEST_CASE(two_daemons_agree_on_the_key_that_signs) {
  std::vector<std::unique_ptr<Shelf>> shelves;
  for (int i = 0; i < 4; ++i) shelves.push_back(std::make_unique<Shelf>(root));
  std::vector<std::string> targets(shelves.size());
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < shelves.size(); ++i) {
    threads.emplace_back([&, i] { targets[i] = shelves[i]->sign(name); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& target : targets) BOOST_TEST(target == targets[0]);
  BOOST_REQUIRE(shelves[0]->put(name, "bytes").stored.has_value());
  BOOST_TEST((shelves[1]->look(targets[0]) == Verdict::good));
  BOOST_TEST(mode_of(file(".link-key")) == 0600U);
  BOOST_TEST(fs::file_size(file(".link-key")) == 32U);
  BOOST_TEST(drafts() == 0U);
  // Another directory's paths are none of this one's.
  fs::create_directory(folder.file("other"));
  Shelf other(folder.file("other"));
  BOOST_TEST((shelves[0]->look(other.sign(name)) == Verdict::forged));
}

BOOST_AUTO_TEST_CASE(a_key_that_others_can_read_or_that_is_none_is_not_used) {
  std::ofstream(file(".link-key")) << std::string(32, 'k');
  ::chmod(file(".link-key").c_str(), 0644);
  BOOST_REQUIRE(Shelf(root).store.prepare().has_value());
  BOOST_CHECK_THROW(Shelf(root).sign(name), std::runtime_error);
  ::chmod(file(".link-key").c_str(), 0600);
  BOOST_TEST(!Shelf(root).store.prepare().has_value());
  std::ofstream(file(".link-key"), std::ios::app) << "more";
  BOOST_TEST(Shelf(root).store.prepare().has_value());
}

BOOST_AUTO_TEST_CASE(what_others_may_write_to_is_not_used) {
  Shelf shelf(root);
  BOOST_REQUIRE(!shelf.store.prepare().has_value());
  for (const std::string& path : {root, file(".incoming"), file(".link-key")}) {
    const unsigned mode = mode_of(path);
    for (const unsigned wider : {020U, 002U}) {
      ::chmod(path.c_str(), mode | wider);
      const auto error = Shelf(root).store.prepare();
      BOOST_REQUIRE_MESSAGE(error.has_value(), path);
      BOOST_TEST(contains(error->message, path), error->message);
    }
    ::chmod(path.c_str(), mode);
    if (::geteuid() == 0) {
      BOOST_REQUIRE(::chown(path.c_str(), 65534, 65534) == 0);
      const auto error = Shelf(root).store.prepare();
      BOOST_REQUIRE_MESSAGE(error.has_value(), path);
      BOOST_TEST(contains(error->message, "chown"), error->message);
      BOOST_REQUIRE(::chown(path.c_str(), 0, 0) == 0);
    }
    BOOST_TEST(!Shelf(root).store.prepare().has_value());
  }
}

BOOST_AUTO_TEST_CASE(a_directory_is_told_from_any_other) {
  Shelf one(root), two(root);
  BOOST_REQUIRE(!one.store.prepare().has_value());
  BOOST_REQUIRE(!two.store.prepare().has_value());
  const std::string id = one.store.identity();
  BOOST_TEST(id == "directory:" + read_file(file(".store-id")));
  BOOST_TEST(id.size() == 42U);
  BOOST_TEST(two.store.identity() == id);
  BOOST_TEST(Shelf(root).put(".store-id", "x").problem.code == "name");
  fs::create_directory(folder.file("other"));
  Shelf other(folder.file("other"));
  BOOST_REQUIRE(!other.store.prepare().has_value());
  BOOST_TEST(other.store.identity() != id);
}

BOOST_AUTO_TEST_CASE(a_directory_that_became_another_one_is_neither_put_into_nor_removed_from) {
  Shelf shelf(root);
  BOOST_REQUIRE(!shelf.store.prepare().has_value());
  BOOST_REQUIRE(shelf.put(name, "bytes").stored.has_value());
  const std::string id = shelf.store.identity(), away = folder.file("away");
  fs::rename(root, away);  // as if it were not mounted any more
  fs::create_directory(root);
  for (int other = 0; other < 2; ++other) {
    const auto problem = shelf.remove(name);
    BOOST_REQUIRE(problem.has_value());
    BOOST_TEST(problem->refused);
    BOOST_TEST(contains(problem->message, "is not the directory that it was"), problem->message);
    BOOST_TEST(shelf.put(name, "bytes").problem.refused);
    BOOST_TEST(!fs::exists(file(name)));
    BOOST_TEST(shelf.store.identity() == id);
    // Somebody else uses it.
    if (other == 0) BOOST_REQUIRE(Shelf(root).put("t/a.mp3", "x").stored.has_value());
  }
  fs::remove_all(root);
  fs::rename(away, root);
  BOOST_TEST(!shelf.remove(name).has_value());
  BOOST_TEST(!fs::exists(file(name)));
}

BOOST_AUTO_TEST_CASE(who_lost_the_name_meanwhile_leaves_the_file_that_is_there) {
  Shelf shelf(root);
  BOOST_REQUIRE(shelf.put(name, "theirs").stored.has_value());
  bool ours = false;
  int asked = 0;
  shelf.may_finish = [&]() -> asio::awaitable<bool> {
    ++asked;
    co_return ours;
  };
  BOOST_TEST(shelf.put(name, "mine").problem.code == "lost");
  BOOST_TEST(read_file(file(name)) == "theirs");
  BOOST_TEST(drafts() == 0U);
  ours = true;
  BOOST_TEST(shelf.put(name, "mine").stored.has_value());
  BOOST_TEST(read_file(file(name)) == "mine");
  BOOST_TEST(asked == 2);
}

BOOST_AUTO_TEST_CASE(neither_links_nor_forged_paths_wait_for_the_disk) {
  Shelf shelf(root);
  BOOST_CHECK_THROW(shelf.store.signed_url({name, 0, 60, "", ""}), StoreAway);
  // It is read by and by.
  BOOST_TEST(eventually([&] {
    try {
      return !shelf.store.signed_url({name, 0, 60, "", ""}).url.empty();
    } catch (const StoreAway&) {
      return false;
    }
  }));
  BOOST_REQUIRE(shelf.put(name, "bytes").stored.has_value());
  const std::string target = shelf.sign(name);
  fs::rename(root, folder.file("away"));
  BOOST_TEST(shelf.store.signed_url({name, 1'000'000, 60, "call.mp3", "audio/mpeg"}).url == target);
  BOOST_TEST((shelf.look(target + "x") == Verdict::forged));
  BOOST_TEST((shelf.look(target, 1'060'000) == Verdict::expired));
  BOOST_CHECK_THROW(shelf.look(target), SourceBroken);  // only this one asks the disk
  fs::rename(folder.file("away"), root);
}

BOOST_AUTO_TEST_CASE(who_listens_does_not_wait_for_what_is_put) {
  Shelf shelf(root);
  BOOST_REQUIRE(shelf.put(name, "bytes").stored.has_value());
  const std::string target = shelf.sign(name);
  std::atomic<bool> put_is_held = false, waited_long = false;
  std::promise<void> release;
  shelf.clock.on_steady = [&, released = release.get_future().share()] {
    put_is_held = true;
    if (released.wait_for(std::chrono::seconds{20}) != std::future_status::ready) waited_long = true;
  };
  bool looked = false, was_put = false;
  const auto putting = [&]() -> asio::awaitable<void> {
    TextSource source("others");
    PutWish wish;
    wish.name = "t/other.mp3";
    const PutResult result = co_await shelf.store.put(std::move(wish), source);
    BOOST_TEST(result.stored.has_value());
    BOOST_TEST(looked);
    was_put = true;
  };
  const auto work = [&]() -> asio::awaitable<void> {
    const auto executor = co_await asio::this_coro::executor;
    asio::co_spawn(executor, putting, asio::detached);
    while (!put_is_held) co_await asio::post(executor, asio::use_awaitable);
    ShelfFile file;
    const Verdict verdict = co_await shelf.store.look(target, 0, file);
    BOOST_TEST((verdict == Verdict::good));
    looked = true;
    release.set_value();
    while (!was_put) co_await asio::post(executor, asio::use_awaitable);
  };
  run_until_done(shelf.io, work());
  BOOST_TEST(!waited_long);
}

BOOST_AUTO_TEST_CASE(removing_takes_the_empty_days_along) {
  Shelf shelf(root);
  BOOST_REQUIRE(shelf.put("t/2026/11/23/1.mp3", "a").stored.has_value());
  BOOST_REQUIRE(shelf.put("t/2026/11/23/2.mp3", "b").stored.has_value());
  BOOST_REQUIRE(shelf.put("t/2026/10/1/3.mp3", "c").stored.has_value());
  BOOST_TEST(!shelf.remove("t/2026/11/23/1.mp3").has_value());
  BOOST_TEST(fs::exists(file("t/2026/11/23/2.mp3")));
  BOOST_TEST(!shelf.remove("t/2026/11/23/2.mp3").has_value());
  BOOST_TEST(!fs::exists(file("t/2026/11")));
  BOOST_TEST(fs::exists(file("t/2026/10/1/3.mp3")));
  BOOST_TEST(!shelf.remove("t/2026/11/23/2.mp3").has_value());  // fine if there is none
  BOOST_TEST(!shelf.remove("t/2026/10/1/3.mp3").has_value());
  BOOST_TEST(!fs::exists(file("t")));
  BOOST_TEST(fs::exists(root));
}

BOOST_AUTO_TEST_CASE(what_a_crash_left_goes_at_start_and_once_an_hour_while_files_are_put) {
  Shelf shelf(root);
  BOOST_REQUIRE(!shelf.store.prepare().has_value());
  const std::string old = file(".incoming/file-old"), fresh = file(".incoming/file-fresh");
  std::ofstream(old) << "half";
  std::ofstream(fresh) << "half";
  fs::last_write_time(old, fs::file_time_type::clock::now() - std::chrono::minutes{181});
  fs::last_write_time(fresh, fs::file_time_type::clock::now() - std::chrono::minutes{120});
  BOOST_REQUIRE(!shelf.store.prepare().has_value());
  BOOST_TEST(!fs::exists(old));
  BOOST_TEST(fs::exists(fresh));
  shelf.clock.shift_ms += 3'599'000;
  BOOST_REQUIRE(shelf.put(name, "bytes").stored.has_value());
  BOOST_TEST(fs::exists(fresh));
  shelf.clock.shift_ms += 61'000;
  BOOST_REQUIRE(shelf.put(name, "bytes").stored.has_value());
  BOOST_TEST(!fs::exists(fresh));
}

BOOST_AUTO_TEST_CASE(a_missing_directory_is_named_with_the_remedy) {
  Shelf shelf(folder.file("nowhere"));
  const auto error = shelf.store.prepare();
  BOOST_REQUIRE(error.has_value());
  BOOST_TEST(contains(error->message, folder.file("nowhere")));
  BOOST_TEST(contains(error->message, "install -d -m 0700"));
  const PutResult result = shelf.put(name, "bytes");
  BOOST_TEST(!result.stored.has_value());
  BOOST_TEST(result.problem.code == "disk");
  BOOST_TEST(result.problem.refused);
  BOOST_CHECK_THROW(shelf.look("/v1/files/a?expires=1&type=&signature="), SourceBroken);
  BOOST_TEST(!fs::exists(folder.file("nowhere")));
}

BOOST_AUTO_TEST_CASE(a_file_that_may_not_grow_is_a_problem_of_the_disk) {
  // As if it were full, for whoever can't mount one that is small.
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  BOOST_REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  rlimit small = before;
  small.rlim_cur = 300'000;
  BOOST_REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  Shelf shelf(root);
  const PutResult result = shelf.put(name, some_bytes(900'000));
  BOOST_REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
  BOOST_TEST(!result.stored.has_value());
  BOOST_TEST(result.problem.code == "disk");
  BOOST_TEST(contains(result.problem.message, " bytes are free"), result.problem.message);
  BOOST_TEST(drafts() == 0U);
  BOOST_TEST(!fs::exists(file("tenant_1")));
}

BOOST_AUTO_TEST_CASE(a_full_disk_is_told_with_what_is_free) {
  // In a name space of its own, so that nothing of it outlives this process.
  if (::unshare(CLONE_NEWNS) != 0 ||
      ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      ::mount("tmpfs", root.c_str(), "tmpfs", 0, "size=512k,mode=0700") != 0) {
    BOOST_TEST_MESSAGE("no file system can be mounted here");
    return;
  }
  {
    Shelf shelf(root);
    BOOST_REQUIRE(!shelf.store.prepare().has_value());
    const PutResult result = shelf.put(name, some_bytes(900'000));
    BOOST_TEST(!result.stored.has_value());
    BOOST_TEST(result.problem.code == "disk");
    BOOST_TEST(result.problem.refused);
    BOOST_TEST(contains(result.problem.message, "No space left"), result.problem.message);
    BOOST_TEST(contains(result.problem.message, " bytes are free"));
    BOOST_TEST(drafts() == 0U);
    // And room again.
    BOOST_TEST(shelf.put(name, some_bytes(200'000)).stored.has_value());
  }
  ::umount(root.c_str());
}

BOOST_AUTO_TEST_CASE(the_record_gets_an_address_without_signature) {
  Shelf bare(root), behind(root, "https://cc.example.com/");
  BOOST_TEST(bare.store.address("t/2026/11/23/7.mp3", 7) == "/v1/calls/7/recording");
  BOOST_TEST(behind.store.address("t/2026/11/23/7.mp3", 7) ==
             "https://cc.example.com/v1/calls/7/recording");
  BOOST_TEST(behind.store.address("t/2026/11/23/7-ivr.wav", 7) ==
             "https://cc.example.com/v1/calls/7/recording?file=ivr");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cc::test
