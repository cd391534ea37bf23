#include "recorder.hpp"

#include <new>

#include "command.hpp"

namespace cc {
namespace {

Trouble trouble_of(Link::Append append) noexcept {
  switch (append) {
    case Link::Append::taken:
      return Trouble::none;
    case Link::Append::down:
      return Trouble::redis_down;
    case Link::Append::full:
      return Trouble::full;
    case Link::Append::stream_full:
      return Trouble::stream_full;
  }
  return Trouble::redis_down;
}

}  // namespace

Recorder::Recorder(const MainSettings& settings, Slot& slot, Answer answer)
    : settings_(settings),
      slot_(slot),
      answer_(answer),
      link_(settings, slot, *this),
      spool_(settings.spool, slot, *this),
      replay_(settings, slot, link_, spool_, pool_) {}

void Recorder::start() {
  link_.start();
  replay_.start();
}

void Recorder::stop() {
  stopping_ = true;
  link_.stop();    // what waits for Redis has its outcome: lost, so it is put into the spool
  spool_.flush();  // and written
  replay_.stop();
}

Recorder::Taken Recorder::record(ngx_http_request_t* request, const ChannelSettings& channel,
                                 std::int64_t received_ms, std::uint32_t partition_hash,
                                 std::string_view header, std::string_view body) {
  ngx_http_cleanup_t* cleanup = ngx_http_cleanup_add(request, 0);
  if (cleanup == nullptr) throw std::bad_alloc();
  Pending& pending = pool_.take();
  pending.received_ms = received_ms;
  pending.partition_hash = partition_hash;
  pending.channel = channel.code;
  try {
    build_command(pending, settings_, channel.field, header, body);
  } catch (const std::bad_alloc&) {
    pool_.give_back(pending);
    throw;
  }

  // Without a spool a stream that nobody drains is still better than nothing.
  pending.trouble = trouble_of(link_.append(pending, !spool_.configured()));
  if (pending.trouble != Trouble::none) {
    if (!spool_.configured()) {
      Fate fate{.trouble = pending.trouble};
      pool_.give_back(pending);
      return {false, fate};
    }
    spool_.put(pending);
  }
  pending.request = request;
  pending.cleanup = cleanup;
  cleanup->data = &pending;
  cleanup->handler = [](void* data) { static_cast<Pending*>(data)->request = nullptr; };
  return {true, {}};
}

void Recorder::link_outcome(Pending& pending) {
  if (pending.replayed) return replay_.answered(pending);
  if (pending.stored || !spool_.configured() || pending.spool_failed) return finish(pending);
  spool_.put(pending);
}

void Recorder::spool_outcome(Pending& pending) {
  if (pending.stored) {
    add(slot_.spooled[index_of(pending.trouble)]);
    return finish(pending);
  }
  // Redis was not asked, to spare it; now it is the last resort.
  if (pending.trouble == Trouble::stream_full &&
      link_.append(pending, true) == Link::Append::taken) {
    return;
  }
  finish(pending);
}

void Recorder::finish(Pending& pending) {
  ngx_http_request_t* request = pending.request;
  Fate fate{pending.stored, pending.spool_failed, pending.trouble};
  if (request != nullptr) pending.cleanup->handler = nullptr;
  pool_.give_back(pending);
  // At the worker's end the requests are going as well.
  if (!stopping_ && request != nullptr) return answer_(request, fate);
  add(fate.stored ? slot_.stored_unanswered : slot_.failed[index_of(fate.trouble)]);
  if (!fate.stored) {
    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                  "cc: a callback whose sender has gone could not be stored");
  }
}

}  // namespace cc
