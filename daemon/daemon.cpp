#include "daemon.hpp"

#include <algorithm>
#include <csignal>
#include <exception>
#include <functional>
#include <sys/resource.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <systemd/sd-daemon.h>

#include "access/directory.hpp"
#include "access/key_use.hpp"
#include "agent/agent_service.hpp"
#include "api/server.hpp"
#include "audit/audit_trail.hpp"
#include "binding/binding_service.hpp"
#include "call/attempts.hpp"
#include "call/hangups.hpp"
#include "call/reaper.hpp"
#include "call/reconciliation.hpp"
#include "call/service.hpp"
#include "call/watch.hpp"
#include "channel/channels.hpp"
#include "config_recordings.hpp"
#include "dispatch/dispatcher.hpp"
#include "dispatch/letter_replay.hpp"
#include "dispatch/waiting.hpp"
#include "fleet/membership.hpp"
#include "health.hpp"
#include "health/canaries.hpp"
#include "health/channel_watch.hpp"
#include "health/desk_service.hpp"
#include "health/log_watch.hpp"
#include "health/report.hpp"
#include "io/http_client.hpp"
#include "io/pg.hpp"
#include "log.hpp"
#include "metrics.hpp"
#include "migrate.hpp"
#include "poller/seats.hpp"
#include "query/call_search.hpp"
#include "query/rejection_store.hpp"
#include "recorder/recorder.hpp"
#include "recording/make_store.hpp"
#include "recording/recording_work.hpp"
#include "recording/stored_recordings.hpp"
#include "spawn.hpp"
#include "store/purge.hpp"
#include "store/retention.hpp"
#include "vault.hpp"

namespace cc {
namespace {

constexpr Millis sweep_every{250};  // waiting events, attempts, hang-ups
constexpr Millis reap_every{2000};
constexpr Millis spools_every{2000};
constexpr Millis health_every{1000};
constexpr Millis verdicts_every{50};  // how attempts spoke of their channels
constexpr Millis look_every{500};     // whether a channel is to be tried again, or falls silent
constexpr Millis spread_every{2000};
constexpr Millis access_every{1000};  // tenants and keys made by commands
constexpr Millis recordings_every{1000};
constexpr long files_connections = 16;  // kept alive, to channels' files and the store
constexpr Millis flush_every{200};    // lines' sessions and states
constexpr Millis partitions_every{3'600'000};
constexpr Millis purge_every{3'600'000};
constexpr Millis reconcile_every{60'000};  // whether it is time
constexpr int reconciled_days = 7;         // that the metrics tell of
// After SIGTERM. Both together stay below the unit's TimeoutStopSec: an originate's answer is
// waited for 30 s.
constexpr Millis drain_time{8'000};         // of API requests under way
constexpr Millis stop_time{25'000};         // and of what is being sent
constexpr Millis least_polls_time{13'000};  // and of polls, which are answered after 10 s at most

class Daemon final : public Health {
 public:
  Daemon(Config config, std::string path)
      : config_(std::move(config)),
        file_tenants_(config_.tenants),
        path_(std::move(path)),
        pool_(loop_.get_executor(), config_.postgres.conninfo, config_.postgres.pool),
        heartbeat_(loop_.get_executor(), config_.postgres.conninfo, 1),
        http_(loop_.get_executor()),
        channels_(http_, clock_),
        recorder_(loop_.get_executor(), config_, clock_, metrics_),
        membership_(heartbeat_, clock_, config_.daemon_id, CC_VERSION,
                    [this] {
                      return MemberNews{recorder_.oldest_ms(), seats_.keeping()};
                    }),
        vault_(config_.agents.key, config_.agents.previous_keys),
        seats_(loop_.get_executor(), pool_, clock_, membership_, channels_, recorder_, vault_,
               metrics_),
        watch_(pool_, clock_),
        health_(config_, pool_, channels_, membership_, clock_, metrics_),
        directory_(pool_),
        key_use_(pool_),
        attempts_(shared_parts()),
        hangups_(shared_parts()),
        service_(shared_parts(), attempts_, hangups_),
        letters_(shared_parts()),
        reconciliation_(pool_),
        agents_(shared_parts(), vault_),
        bindings_(shared_parts()),
        desk_(shared_parts()),
        search_(
            pool_, [this] { return channel_codes(); }, {}, &scans_),
        rejections_(pool_, clock_, metrics_, {}, &scans_),
        audit_(loop_.get_executor(), pool_, clock_, metrics_),
        files_http_(loop_.get_executor(), files_connections),
        store_(make_object_store(loop_.get_executor(), config_, files_http_, clock_)),
        recordings_(pool_, clock_),
        dispatcher_(shared_parts()),
        spools_(config_, http_, clock_),
        log_watch_(shared_parts(), dispatcher_),
        canaries_(shared_parts(), http_),
        channel_watch_(config_, pool_),
        report_(clock_, metrics_),
        reaper_(shared_parts(), recorder_, spools_),
        api_(loop_.get_executor(), config_, service_, *this, metrics_, clock_, api::log_access,
             api::Nouns{&letters_, &reconciliation_, &agents_, &bindings_, &desk_, &search_,
                        &rejections_, &audit_, &key_use_, &recordings_,
                        store_ == nullptr ? nullptr : shelf_of(*store_)}) {
    channels_.configure(config_.channels);
    recordings_.configure(store_, config_.recordings.link_ttl);
    if (store_ != nullptr) {
      recording_work_.emplace(shared_parts(), files_http_, *store_, loop_.get_executor());
    }
    report_.add([this] { return own_parts(); });
    report_.add([this] { return log_watch_.parts(); });
    report_.add([this] { return spools_.parts(); });
    report_.add([this] { return canaries_.parts(); });
    report_.add([this] { return channel_watch_.parts(); });
  }

  int run();

  std::vector<PartHealth> parts() const override { return report_.parts(); }
  bool draining() const override { return draining_; }

 private:
  Parts shared_parts() {
    return {config_, pool_, channels_, membership_, clock_, metrics_, watch_, seats_, health_};
  }
  std::vector<PartHealth> own_parts() const;
  std::vector<std::string> channel_codes() const;

  asio::awaitable<void> start();
  asio::awaitable<void> stop();
  asio::awaitable<void> listen_for_signals();
  asio::awaitable<void> stay_member();
  asio::awaitable<void> keep_watchdog();
  asio::awaitable<void> repeat(std::string name, Millis pause,
                               std::function<asio::awaitable<void>()> pass);
  asio::awaitable<void> sweep();
  asio::awaitable<void> adopt();
  asio::awaitable<void> look_at_channels();
  asio::awaitable<void> keep_partitions();
  asio::awaitable<void> keep_retention();
  asio::awaitable<void> purge_old();
  asio::awaitable<void> keep_reconciled();
  asio::awaitable<void> keep_health();
  asio::awaitable<void> look_at_access();
  asio::awaitable<void> fetch_recordings();
  void reload();

  ScanGate scans_;  // outlives those who wait at it, in the loop
  asio::io_context loop_{1};
  Config config_;
  std::map<std::string, Tenant> file_tenants_;  // config_.tenants has those made by commands too
  std::string path_;
  SystemClock clock_;
  Metrics metrics_;
  pg::Pool pool_;
  pg::Pool heartbeat_;  // apart, so that no queue for connections makes us look dead
  HttpClient http_;
  Channels channels_;
  Recorder recorder_;
  Membership membership_;
  Vault vault_;
  Seats seats_;
  Watch watch_;
  ChannelHealth health_;
  Directory directory_;
  KeyUse key_use_;
  Attempts attempts_;
  Hangups hangups_;
  CallService service_;
  LetterService letters_;
  StoredReconciliation reconciliation_;
  AgentService agents_;
  BindingService bindings_;
  DeskService desk_;
  CallSearch search_;
  RejectionStore rejections_;
  StoredAuditTrail audit_;
  HttpClient files_http_;
  std::shared_ptr<ObjectStore> store_;  // null: recordings stay where they are
  StoredRecordings recordings_;
  std::optional<RecordingWork> recording_work_;
  Dispatcher dispatcher_;
  NginxWatch spools_;
  LogWatch log_watch_;
  Canaries canaries_;
  ChannelWatch channel_watch_;
  mutable HealthReport report_;
  Reaper reaper_;
  api::ApiServer api_;
  bool draining_ = false;
  int exit_code_ = 0;
  std::int64_t days_ahead_ = least_days_ahead;  // of partitions
};

std::vector<PartHealth> Daemon::own_parts() const {
  const pg::Pool::Status database = pool_.status();
  std::vector<PartHealth> list;
  const auto add = [&](std::string part, bool ok, Judgement judgement) {
    list.push_back({std::move(part), ok, std::move(judgement.says), judgement.grade});
  };
  add("postgresql", database.reachable,
      judge_pool(database.reachable, database.open, database.waiting, config_.postgres.pool,
                 database.last_error));
  list.push_back(dispatcher_.health());
  list.push_back(recorder_.health());
  list.push_back(seats_.health());
  if (recording_work_) list.push_back(recording_work_->health());
  if (!config_.spool.directory.empty()) {
    add("spool", true,
        judge_spool(recorder_.oldest_ms(), static_cast<std::int64_t>(metrics_.spool_bytes.Value()),
                    clock_.epoch_ms()));
  }
  add("partitions", days_ahead_ > 0, judge_partitions(days_ahead_, least_days_ahead));
  return list;
}

std::vector<std::string> Daemon::channel_codes() const {
  std::vector<std::string> codes;
  for (const auto& [code, channel] : config_.channels) codes.push_back(code);
  return codes;
}

int Daemon::run() {
  asio::co_spawn(loop_, start(), [this](const std::exception_ptr& error) {
    if (!error) return;
    try {
      std::rethrow_exception(error);
    } catch (const std::exception& failure) {
      log().critical("ccd can't start: {}", failure.what());
    }
    exit_code_ = 1;
    loop_.stop();
  });
  loop_.run();
  return exit_code_;
}

asio::awaitable<void> Daemon::start() {
  log().info("ccd {} starting as {}", CC_VERSION, config_.daemon_id);
  const Result<int> schema = co_await check_schema(pool_);
  if (!schema) throw std::runtime_error(schema.error().message);
  co_await make_partitions(pool_, clock_.epoch_ms());
  co_await membership_.join();
  log().info("schema {}, epoch {}", *schema, membership_.epoch());

  co_await look_at_access();
  if (store_ != nullptr) {
    // Calls go on without recordings, which wait at their channels.
    const auto problem = prepare_store(*store_, config_.recordings);
    if (problem) log().critical("recordings can't be stored: {}", problem->message);
  }
  const auto executor = loop_.get_executor();
  spawn(executor, "signals", listen_for_signals());
  spawn(executor, "membership", stay_member());
  spawn(executor, "watch", watch_.run());
  spawn(executor, "dispatcher", dispatcher_.run());
  spawn(executor, "recorder", recorder_.run());
  spawn(executor, "lines", repeat("lines", spread_every, [this] { return seats_.spread(); }));
  spawn(executor, "line states",
        repeat("line states", flush_every, [this] { return seats_.flush(); }));
  spawn(executor, "spread",
        repeat("partitions' spread", spread_every, [this] { return dispatcher_.spread(); }));
  spawn(executor, "waiting", repeat("waiting events", sweep_every, [this] { return sweep(); }));
  spawn(executor, "adopt", repeat("unattended attempts", sweep_every, [this] { return adopt(); }));
  spawn(executor, "hang-ups",
        repeat("hang-ups", sweep_every, [this] { return hangups_.pursue(); }));
  spawn(executor, "access",
        repeat("tenants and keys", access_every, [this] { return look_at_access(); }));
  spawn(executor, "purge", repeat("purge", purge_every, [this] { return purge_old(); }));
  spawn(executor, "retention",
        repeat("retention", partitions_every, [this] { return keep_retention(); }));
  spawn(executor, "health", repeat("health", health_every, [this] { return keep_health(); }));
  spawn(executor, "canaries",
        repeat("canaries", health_every, [this] { return canaries_.look(); }));
  spawn(executor, "spools", repeat("spools", spools_every, [this] { return spools_.look(); }));
  spawn(executor, "reaper", repeat("reaper", reap_every, [this] { return reaper_.reap(); }));
  spawn(executor, "due claims",
        repeat("due claims", reap_every, [this] { return reaper_.release_due(); }));
  spawn(executor, "channel verdicts",
        repeat("channel verdicts", verdicts_every, [this] { return health_.flush(); }));
  spawn(executor, "channel health",
        repeat("channel health", look_every, [this] { return look_at_channels(); }));
  spawn(executor, "queries", repeat("queries", reap_every, [this] { return reaper_.query(); }));
  spawn(executor, "partitions",
        repeat("partitions", partitions_every, [this] { return keep_partitions(); }));
  spawn(executor, "recordings",
        repeat("recordings", recordings_every, [this] { return fetch_recordings(); }));
  spawn(executor, "reconciliation",
        repeat("reconciliation", reconcile_every, [this] { return keep_reconciled(); }));
  api_.start();
  for (const std::string& address : api_.bound_addresses()) log().info("listening on {}", address);
  spawn(executor, "watchdog", keep_watchdog());
  sd_notify(0, "READY=1");
}

asio::awaitable<void> Daemon::repeat(std::string name, Millis pause,
                                     std::function<asio::awaitable<void>()> pass) {
  for (;;) {
    try {
      co_await pass();
    } catch (const pg::Failure& failure) {
      log().warn("{}: {}", name, failure.what());
    }
    co_await clock_.sleep_for(pause);
  }
}

asio::awaitable<void> Daemon::sweep() {
  const WaitingReport waiting = co_await sweep_waiting(pool_, channels_, clock_.epoch_ms());
  for (const std::int64_t call : waiting.changed) watch_.notify(call);
  metrics_.late_life.Increment(static_cast<double>(waiting.late_life));
  metrics_.abandoned_life.Increment(static_cast<double>(waiting.abandoned));
  for (const FoldReport::Judgement& word : waiting.judged) health_.ended(word);
  metrics_.inbound_calls.Increment(static_cast<double>(waiting.inbound));
  metrics_.uncalled_events.Increment(static_cast<double>(waiting.uncalled));
  metrics_.claim_conflicts.Increment(static_cast<double>(waiting.claim_conflicts));
  if (waiting.expired > 0) {
    metrics_.dead_letters.Increment(static_cast<double>(waiting.expired));
    log().warn("{} waiting events are of no call, or too old to be kept: now dead letters",
               waiting.expired);
  }
  metrics_.pg_reachable.Set(pool_.status().reachable ? 1 : 0);
  metrics_.drained_ms.Set(static_cast<double>(dispatcher_.drained_ms()));
}

asio::awaitable<void> Daemon::adopt() {
  if (!draining_) co_await attempts_.adopt();
}

asio::awaitable<void> Daemon::look_at_channels() {
  const std::int64_t drained_ms = co_await reaper_.drained_ms();
  co_await health_.look(drained_ms);
}

asio::awaitable<void> Daemon::keep_partitions() {
  const int made = co_await make_partitions(pool_, clock_.epoch_ms());
  if (made > 0) log().info("made {} partitions", made);
}

asio::awaitable<void> Daemon::keep_retention() {
  const std::int64_t now_ms = clock_.epoch_ms();
  const std::int64_t until_ms = co_await partitions_until(pool_, now_ms);
  days_ahead_ = std::max<std::int64_t>(0, until_ms - now_ms) / 86'400'000;
  metrics_.partition_days.Set(static_cast<double>(days_ahead_));
  if (days_ahead_ < least_days_ahead) {
    log().critical(
        "there are partitions for only {} days ahead; then no call can be stored. Look for "
        "\"partitions\" in this log for why they are not made",
        days_ahead_);
  }
  const RetentionReport report = co_await drop_old_months(pool_, config_.retention, now_ms);
  for (const std::string& name : report.dropped) log().info("retention: {} dropped", name);
  for (const std::string& name : report.kept_back) {
    log().warn("retention: {} stays: a call in it is open or holds a line", name);
  }
  for (const std::string& name : report.busy) log().info("retention: {} is busy, later", name);
}

asio::awaitable<void> Daemon::purge_old() {
  const std::size_t rows = co_await purge(pool_, config_.retention, clock_.epoch_ms());
  metrics_.purged_rows.Increment(static_cast<double>(rows));
  if (rows > 0) log().info("purged {} rows that had served their time", rows);
}

asio::awaitable<void> Daemon::fetch_recordings() {
  if (recording_work_ && !draining_) co_await recording_work_->look();
}

/// Any daemon may do it; all of them show what came of it.
asio::awaitable<void> Daemon::keep_reconciled() {
  const std::int64_t now_ms = clock_.epoch_ms();
  const Millis at = config_.reconcile_at, give_up = config_.reaper.give_up;
  if (const auto done = co_await reconcile_daily(pool_, at, give_up, now_ms)) {
    for (const std::string& problem : done->problems) log().error("reconciliation of {}", problem);
    for (const ReconciledDay& day : done->days) {
      if (day.lost() == 0) continue;
      log().warn(
          "{}: {} of {} calls of tenant {} at channel \"{}\" will stay without the channel's final "
          "word; ccd reconciliation calls {} names them",
          day.day, day.lost(), day.calls, day.tenant, day.channel, day.day);
    }
    log().info("reconciliation done; {} calls more are asked for", done->asked);
  }
  const Day today = Day::of(now_ms);
  const DayFilter everything;
  const std::vector<ReconciledDay> days =
      co_await list_days(pool_, today.plus(-reconciled_days), today, everything);
  double open = 0, asking = 0, lost = 0;
  for (const ReconciledDay& day : days) {
    open += static_cast<double>(day.open);
    asking += static_cast<double>(day.asking);
    lost += static_cast<double>(day.lost());
  }
  metrics_.owed_open.Set(open);
  metrics_.owed_asking.Set(asking);
  metrics_.owed_lost.Set(lost);
}

/// Changes are logged when they are seen, also while nobody asks.
asio::awaitable<void> Daemon::keep_health() {
  co_await log_watch_.look();
  report_.parts();
  co_await channel_watch_.look();
}

/// Tenants and keys that commands make are in force a second later.
asio::awaitable<void> Daemon::look_at_access() {
  const bool changed = co_await directory_.look();
  if (changed) {
    config_.tenants = directory_.tenants(file_tenants_);
    api_.reconfigure(config_);
  }
  co_await key_use_.write(clock_.epoch_ms());
}

asio::awaitable<void> Daemon::stay_member() {
  co_await membership_.keep();
  log().critical("another process has joined as {}: daemon.id must be unique. Stopping",
                 config_.daemon_id);
  exit_code_ = 1;
  loop_.stop();
}

asio::awaitable<void> Daemon::keep_watchdog() {
  std::uint64_t microseconds = 0;
  if (sd_watchdog_enabled(0, &microseconds) <= 0) co_return;
  for (;;) {
    sd_notify(0, "WATCHDOG=1");
    co_await clock_.sleep_for(Millis{static_cast<std::int64_t>(microseconds / 3000)});
  }
}

asio::awaitable<void> Daemon::listen_for_signals() {
  asio::signal_set signals(loop_, SIGTERM, SIGINT, SIGHUP);
  for (;;) {
    const int signal = co_await signals.async_wait(asio::use_awaitable);
    if (signal == SIGHUP) {
      reload();
      continue;
    }
    break;
  }
  co_await stop();
}

void Daemon::reload() {
  Result<Config> fresh = read_config(path_);
  if (!fresh) {
    log().error("the new configuration is wrong; the old one stays:\n{}", fresh.error().message);
    return;
  }
  const auto listen = config_.http.listen;
  config_.http = fresh->http;
  config_.http.listen = listen;
  // What is bound to sockets and connections needs a restart; the rest is taken over.
  config_.channels = fresh->channels;
  file_tenants_ = fresh->tenants;
  config_.tenants = directory_.tenants(file_tenants_);
  config_.default_max_duration = fresh->default_max_duration;
  config_.retention = fresh->retention;
  config_.reaper = fresh->reaper;
  config_.health = fresh->health;
  if (const auto kept = keep_store(config_.recordings, fresh->recordings); !kept.empty()) {
    log().warn("needs a restart: {} of the new configuration; recordings go where they went", kept);
  }
  config_.recordings = fresh->recordings;
  recordings_.configure(store_, config_.recordings.link_ttl);
  config_.canaries = fresh->canaries;
  config_.nginx_status = fresh->nginx_status;
  config_.reconcile_at = fresh->reconcile_at;
  config_.agents = fresh->agents;
  vault_ = Vault(config_.agents.key, config_.agents.previous_keys);
  config_.log = fresh->log;
  config_.stream.batch = fresh->stream.batch;
  config_.stream.trim_lag = fresh->stream.trim_lag;
  config_.stream.trim_bytes = fresh->stream.trim_bytes;
  channels_.configure(config_.channels);
  api_.reconfigure(config_);
  configure_log(config_.log.level, config_.log.format);
  log().info("configuration read again");
}

asio::awaitable<void> Daemon::stop() {
  log().info("stopping: finishing what is under way");
  sd_notify(0, "STOPPING=1");
  draining_ = true;
  attempts_.stop();
  canaries_.stop();
  const auto until = clock_.steady() + stop_time;
  co_await api_.drain(drain_time);
  // An originate under way may ring a phone: its answer is waited for, or it would be unknown.
  while (attempts_.in_hand() > 0 && clock_.steady() < until) co_await clock_.sleep_for(Millis{20});
  if (attempts_.in_hand() > 0) log().warn("{} attempts were left sending", attempts_.in_hand());
  if (recording_work_) co_await recording_work_->stop(until);
  // A poll under way may bring an event: it is waited for too, and the next owner goes on.
  co_await seats_.stop(std::max(until, clock_.steady() + least_polls_time));
  try {
    co_await membership_.leave();
  } catch (const pg::Failure& failure) {
    log().warn("leaving the fleet: {}", failure.what());
  }
  log().info("stopped");
  loop_.stop();
}

}  // namespace

int run_daemon(Config config, std::string config_path) {
  std::signal(SIGPIPE, SIG_IGN);
  // Each polled line has a connection of its own.
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
  }
  // Never destroyed: the loop's suspended coroutines refer to the parts and the parts' sockets to
  // the loop, so no order of destruction is right. What matters is committed; the kernel closes the
  // rest.
  auto* daemon = new Daemon(std::move(config), std::move(config_path));
  return daemon->run();
}

}  // namespace cc
