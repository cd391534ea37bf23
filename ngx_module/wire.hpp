// hiredis' asynchronous context on NGINX's event loop: one connection, from its connect to its end.
//
// Ownership. hiredis owns the socket, the wire owns NGINX's connection around it. Who frees the
// context: hiredis when it meets an error (even before the connect callback's caller returns), we
// by close(); both ways lead through gone(), after which context() is null. So after any call into
// hiredis the context is asked for again, never kept.
#pragma once

#include "ngx.hpp"

#include <string>

#include "settings.hpp"

struct redisAsyncContext;

namespace cc {

class Wire {
 public:
  /// What the wire tells. None of these may destroy the wire.
  class Owner {
   public:
    /// The connect's end; `why` is null when it is there. With an error the wire is gone next.
    virtual void wire_connected(const char* why) = 0;
    /// hiredis has read or written; the only place where requests may be finished, as it is
    /// outside of hiredis.
    virtual void wire_worked() = 0;
    /// The context has ended; its answers have all been given or come as null.
    virtual void wire_gone() = 0;
    /// worker_shutdown_timeout: the worker must leave now.
    virtual void wire_must_close() = 0;

   protected:
    ~Owner() = default;
  };

  explicit Wire(Owner& owner) : owner_(owner) {}
  Wire(const Wire&) = delete;
  ~Wire() { close(); }

  /// Begins to connect; answers' callbacks find `data` in the context. An error's text otherwise.
  std::string open(const RedisSettings& settings, void* data);
  /// Ends it now, without a word to the other side.
  void close();
  /// Whether answers lie in the socket that have not been read yet.
  bool has_unread() const noexcept;
  /// Null while there is none.
  redisAsyncContext* context() const noexcept { return context_; }

 private:
  bool attach();
  bool write_out();
  void connected(int status);
  void readable();
  void writable();
  void want_read(bool wanted);
  void want_write();
  void gone();
  static Wire* of(ngx_event_t* event);

  Owner& owner_;
  redisAsyncContext* context_ = nullptr;
  ngx_connection_t* connection_ = nullptr;  // null whenever context_ is
};

}  // namespace cc
