#include "recording/make_store.hpp"

#include <sys/stat.h>

#include "recording/directory_store.hpp"
#include "recording/oss_store.hpp"

namespace cc {

std::unique_ptr<ObjectStore> make_object_store(asio::any_io_executor, const Config& config,
                                               HttpClient& http, Clock& clock) {
  const RecordingsConfig& recordings = config.recordings;
  switch (recordings.store) {
    case RecordingsConfig::Store::directory:
      return std::make_unique<DirectoryStore>(recordings.directory, config.http.public_url, clock);
    case RecordingsConfig::Store::oss:
      return std::make_unique<OssStore>(recordings.oss, recordings.idle, http, clock);
    case RecordingsConfig::Store::none:
      break;
  }
  return nullptr;
}

std::optional<Error> prepare_store(ObjectStore& store, const RecordingsConfig& config) {
  if (auto* const directory = dynamic_cast<DirectoryStore*>(&store)) {
    (void)::mkdir(config.directory.c_str(), 0700);  // where that fails, prepare() says what is wrong
    return directory->prepare();
  }
  if (auto* const oss = dynamic_cast<OssStore*>(&store)) {
    if (const auto problem = oss->credentials_problem()) return Error{problem->message};
  }
  return std::nullopt;
}

FileShelf* shelf_of(ObjectStore& store) noexcept {
  return dynamic_cast<FileShelf*>(&store);
}

}  // namespace cc
