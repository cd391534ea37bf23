#include "recording/recording_try.hpp"

#include <chrono>

#include "fault.hpp"
#include "log.hpp"
#include "recording/fetch.hpp"
#include "recording/object_name.hpp"
#include "recording/patience.hpp"
#include "recording/unpack.hpp"

namespace cc {
namespace {

using Kind = TryEnd::Kind;

// However slowly a channel drips: others wait for the place.
constexpr std::chrono::hours longest_try{2};

constexpr int settle_tries = 5;
constexpr Millis settle_pause{500};

class Interrupted : public SourceBroken {
 public:
  Interrupted() : SourceBroken("ccd stops") {}
};

class RowLost : public std::runtime_error {
 public:
  RowLost() : std::runtime_error("the row is another daemon's by now") {}
};

/// Counts, and ends when we stop or when it takes for ever.
class WatchedSource final : public ByteSource {
 public:
  WatchedSource(ByteSource& source, const bool& stopping, Clock& clock)
      : source_(source), stopping_(stopping), clock_(clock), until_(clock.steady() + longest_try) {}

  asio::awaitable<std::size_t> read(char* into, std::size_t size) override {
    if (stopping_) throw Interrupted();
    if (clock_.steady() > until_) throw SourceBroken("it did not come within 2 h");
    auto reading = source_.read(into, size);
    const std::size_t got = co_await std::move(reading);
    if (stopping_) throw Interrupted();
    came_ += got;
    co_return got;
  }

  std::uint64_t came() const noexcept { return came_; }

 private:
  ByteSource& source_;
  const bool& stopping_;
  Clock& clock_;
  std::chrono::steady_clock::time_point until_;
  std::uint64_t came_ = 0;
};

TryEnd ended(Kind kind, std::string problem = {}) {
  TryEnd end;
  end.kind = kind;
  end.problem = std::move(problem);
  return end;
}

TryEnd ended_by_store(StoreProblem problem) {
  TryEnd end;
  end.kind = Kind::store;
  end.problem = "store: " + problem.code + ": " + problem.message;
  end.store_problem = std::move(problem);
  return end;
}

/// What is to be put, and as what.
struct Found {
  std::unique_ptr<ByteSource> bytes;
  std::string content_type, extension;
};

class Try {
 public:
  Try(TryTools tools, RecordingRow& row) : tools_(tools), queue_(tools.parts), row_(row) {}

  asio::awaitable<TryEnd> run();

 private:
  asio::awaitable<std::optional<TryEnd>> find(Found& found);
  asio::awaitable<void> unpack_found(Found& found);
  asio::awaitable<std::optional<TryEnd>> make_place(const std::string& object);
  asio::awaitable<PutResult> put(Found& found, const std::string& object);
  asio::awaitable<TryEnd> settle_stored(StoredObject object, Found& found, const std::string& name);

  TryTools tools_;
  RecordingQueue queue_;
  RecordingRow& row_;
  std::uint64_t came_ = 0;
};

/// Asks the channel. An end where there is nothing to put.
asio::awaitable<std::optional<TryEnd>> Try::find(Found& found) {
  const auto channel = tools_.parts.channels.find(row_.channel);
  if (channel == nullptr) {
    co_return ended(Kind::trouble, "channel \"" + row_.channel + "\" is not configured here");
  }
  ChannelFile file;
  file.ivr = row_.ivr();
  file.source = row_.source;
  file.channel_call_id = row_.channel_call_id.value_or("");
  file.agent = row_.agent.value_or("");
  FileRequest request = channel->provider->file_request(file);
  if (!request) {
    co_return ended(request.passing ? Kind::trouble : Kind::refused, request.error().message);
  }
  const FetchLimits limits{tools_.parts.config.recordings.idle, tools_.parts.clock,
                           tools_.stopping};
  auto fetching = fetch_file(tools_.http, channel, *std::move(request), limits);
  FetchedFile fetched = co_await std::move(fetching);
  if (tools_.stopping) co_return ended(Kind::interrupted);
  const FileAnswer& answer = fetched.answer;
  if (answer.kind == FileAnswer::Kind::none) co_return ended(Kind::none, answer.problem);
  if (answer.kind == FileAnswer::Kind::trouble) co_return ended(Kind::trouble, answer.problem);
  found.bytes = std::move(fetched.bytes);
  found.content_type = answer.content_type;
  found.extension = answer.extension;
  if (answer.kind == FileAnswer::Kind::packed) {
    auto unpacking = unpack_found(found);
    co_await std::move(unpacking);
  }
  co_return std::nullopt;
}

asio::awaitable<void> Try::unpack_found(Found& found) {
  const std::uint64_t most = tools_.parts.config.recordings.most;
  WatchedSource watched(*found.bytes, tools_.stopping, tools_.parts.clock);
  auto keeping =
      keep_in_scratch(tools_.disk, tools_.parts.config.recordings.scratch, watched, most);
  std::shared_ptr<ScratchFile> packed = co_await std::move(keeping);
  auto unpacking = unpack(tools_.disk, std::move(packed), most);
  Unpacked unpacked = co_await std::move(unpacking);
  found.bytes = std::move(unpacked.bytes);
  found.content_type = std::move(unpacked.content_type);
  found.extension = std::move(unpacked.extension);
}

/// The row has the name, and nothing of an earlier try is left anywhere else.
asio::awaitable<std::optional<TryEnd>> Try::make_place(const std::string& object) {
  const bool elsewhere = row_.lies_elsewhere(tools_.store);
  if (elsewhere) {
    log().warn("call {}: what a try before may have left in {} stays there", row_.call,
               *row_.store);
  }
  if (!elsewhere && row_.object && *row_.object != object) {
    auto removing = tools_.store.remove(*row_.object);
    const std::optional<StoreProblem> problem = co_await std::move(removing);
    if (problem) co_return ended_by_store(*problem);
  }
  const std::string identity = tools_.store.identity();
  auto naming = queue_.name(row_, object, identity);
  const bool ours = co_await std::move(naming);
  if (!ours) co_return ended(Kind::lost);
  row_.object = object;
  row_.store.reset();
  if (!identity.empty()) row_.store = identity;
  row_.upload.reset();
  fault_point("recording.begun");
  co_return std::nullopt;
}

asio::awaitable<PutResult> Try::put(Found& found, const std::string& object) {
  PutWish wish;
  wish.name = object;
  wish.content_type = found.content_type;
  wish.most = tools_.parts.config.recordings.most;
  wish.begun = [queue = queue_, &row = row_](const std::string& upload) mutable {
    // A coroutine of its own, whose frame holds what it needs.
    const auto note = [](RecordingQueue its_queue, RecordingRow& its_row,
                         std::string its_upload) -> asio::awaitable<void> {
      const RecordingKey key{its_row.call, its_row.file};
      const bool ours = co_await its_queue.begun(key, its_upload);
      if (!ours) throw RowLost();
      its_row.upload = its_upload;
      fault_point("recording.begun");
    };
    return note(queue, row, upload);
  };
  wish.may_finish = [queue = queue_, key = RecordingKey{row_.call, row_.file}] {
    const auto ask = [](RecordingQueue its_queue, RecordingKey its_key) -> asio::awaitable<bool> {
      auto asking = its_queue.still_ours(std::move(its_key));
      co_return co_await std::move(asking);
    };
    return ask(queue, key);
  };
  struct Asking {
    std::size_t& count;
    ~Asking() { --count; }
  };
  ++tools_.storing;
  const Asking asking{tools_.storing};
  WatchedSource watched(*found.bytes, tools_.stopping, tools_.parts.clock);
  auto putting = tools_.store.put(std::move(wish), watched);
  PutResult result = co_await std::move(putting);
  came_ = watched.came();
  co_return result;
}

/// The object is there; a database that is away for a moment must not make it be fetched again.
asio::awaitable<TryEnd> Try::settle_stored(StoredObject object, Found& found,
                                           const std::string& name) {
  TryEnd end = ended(Kind::stored);
  end.size = object.size;
  const std::string address = tools_.store.address(name, row_.call);
  const std::string identity = tools_.store.identity();
  for (int tries = 1;; ++tries) {
    std::optional<pg::Failure> failure;
    try {
      auto settling = queue_.stored(row_, object, found.content_type, address, identity);
      const bool ours = co_await std::move(settling);
      if (ours) co_return end;
      break;
    } catch (const pg::Failure& thrown) {
      failure = thrown;
    }
    // The call was merged into another one, whose own row brings its own file.
    if (failure->sqlstate == "40001" || tries == settle_tries || tools_.stopping) throw *failure;
    log().warn("call {}: the recording is in the store, but the database: {}", row_.call,
               failure->what());
    co_await tools_.parts.clock.sleep_for(settle_pause);
  }
  // The row went its own way meanwhile. Where it goes for nobody's good, neither shall the object.
  const bool wanted = co_await queue_.wants(row_, name);
  if (!wanted) {
    auto removing = tools_.store.remove(name);
    const std::optional<StoreProblem> problem = co_await std::move(removing);
    if (problem) {
      log().warn("call {}: an object that nobody wants stays in the store: {}", row_.call,
                 tellable_problem(problem->code + ": " + problem->message));
    }
  }
  co_return ended(Kind::lost);
}

asio::awaitable<TryEnd> Try::run() {
  fault_point("recording.taken");
  if (row_.upload && row_.object && !row_.lies_elsewhere(tools_.store)) {
    auto aborting = tools_.store.abort(*row_.object, *row_.upload);
    const std::optional<StoreProblem> problem = co_await std::move(aborting);
    if (problem) co_return ended_by_store(*problem);
  }
  Found found;
  auto finding = find(found);
  std::optional<TryEnd> end = co_await std::move(finding);
  if (end) co_return *std::move(end);
  const std::string object = object_name(row_.tenant, row_.call, row_.ivr(), found.extension);
  auto placing = make_place(object);
  end = co_await std::move(placing);
  if (end) co_return *std::move(end);
  auto putting = put(found, object);
  const PutResult result = co_await std::move(putting);
  if (!result.stored && result.problem.code == "too_large") {
    co_return ended(Kind::refused, "it is longer than recordings.most allows");
  }
  if (!result.stored && result.problem.code == lost_problem().code) co_return ended(Kind::lost);
  // The file's own fault, and no news of the store.
  if (!result.stored && result.problem.code == "empty") {
    co_return ended(Kind::trouble, "the file is empty");
  }
  if (!result.stored) co_return ended_by_store(result.problem);
  if (result.stored->size != came_) {
    co_return ended(Kind::trouble, "the store has " + std::to_string(result.stored->size) +
                                       " of " + std::to_string(came_) + " bytes");
  }
  fault_point("recording.uploaded");
  auto settling = settle_stored(*result.stored, found, object);
  TryEnd stored = co_await std::move(settling);
  fault_point("recording.stored");
  co_return stored;
}

/// What is no failure of the database's becomes an end.
TryEnd end_of(const std::exception& thrown, std::int64_t call) {
  if (dynamic_cast<const RowLost*>(&thrown) != nullptr) return ended(Kind::lost);
  if (dynamic_cast<const Interrupted*>(&thrown) != nullptr) return ended(Kind::interrupted);
  if (dynamic_cast<const SourceRefused*>(&thrown) != nullptr) {
    return ended(Kind::refused, thrown.what());
  }
  if (dynamic_cast<const SourceBroken*>(&thrown) == nullptr) {
    log().error("call {}: the recording's try failed unexpectedly: {}", call,
                tellable_problem(thrown.what()));
  }
  return ended(Kind::trouble, thrown.what());
}

}  // namespace

std::string_view to_text(TryEnd::Kind kind) noexcept {
  switch (kind) {
    case Kind::stored:
      return "stored";
    case Kind::none:
      return "none";
    case Kind::trouble:
      return "trouble";
    case Kind::store:
      return "store";
    case Kind::refused:
      return "refused";
    case Kind::lost:
      return "lost";
    case Kind::interrupted:
      return "interrupted";
  }
  return "trouble";
}

asio::awaitable<TryEnd> try_recording(TryTools tools, RecordingRow& row) {
  Try one(tools, row);
  std::optional<TryEnd> failed;
  try {
    auto running = one.run();
    co_return co_await std::move(running);
  } catch (const pg::Failure&) {
    throw;
  } catch (const std::exception& thrown) {
    failed = end_of(thrown, row.call);
  }
  co_return *std::move(failed);
}

asio::awaitable<std::optional<StoreProblem>> clear_object(ObjectStore& store,
                                                          const RecordingRow& row) {
  if (row.object && row.upload) {
    auto aborting = store.abort(*row.object, *row.upload);
    std::optional<StoreProblem> problem = co_await std::move(aborting);
    if (problem) co_return problem;
  }
  if (row.object) {
    auto removing = store.remove(*row.object);
    std::optional<StoreProblem> problem = co_await std::move(removing);
    if (problem) co_return problem;
  }
  co_return std::nullopt;
}

}  // namespace cc
