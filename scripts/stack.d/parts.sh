# The parts of a stack: how each is prepared, started, asked whether it answers, and stopped.
# For scripts/stack, whose variables it uses.
# shellcheck shell=bash

# In the order in which they are started.
PARTS=(postgres redis nginx simulator simulator2 gateway ccd)

pid_file() { echo "$CC_DIR/run/$1.pid"; }
log_file() { echo "$CC_DIR/log/$1.log"; }
is_up() { is_running "$(pid_file "$1")"; }

# ---- starting and stopping, whatever the part ------------------------------------------------------

# spawn PART COMMAND…: in a session of its own, so that a Ctrl-C here is none there.
spawn() {
  local part=$1 pid
  local -a clock=()
  # Of them all only ccd has long timers; and PostgreSQL's would end statements that are under way.
  if [[ -n $CC_CLOCK && $part != postgres ]]; then
    clock=(LD_PRELOAD="$CC_SHIFTED_CLOCK" CC_CLOCK="$CC_CLOCK")
    [[ $part != ccd ]] || clock+=(CC_CLOCK_MONOTONIC=1)
  fi
  shift
  log_begins=$(stat -c %s "$(log_file "$part")" 2>/dev/null || echo 0)
  (exec env -u NOTIFY_SOCKET -u CC_FAULT "${clock[@]}" setsid "$@" </dev/null >>"$(log_file "$part")" 2>&1 9>&-) &
  pid=$!
  disown "$pid"
  echo "$pid $(started_at "$pid")" >"$(pid_file "$part")"
}

# ready PART: waits until it answers; fails when it ends or stays mute.
ready() {
  local -i until=$(($(now_ms) + 20000))
  until "$1_answers" >/dev/null 2>&1; do
    is_up "$1" || return 1
    (($(now_ms) < until)) || return 1
    sleep 0.03
  done
}

new_log() { tail -c "+$((log_begins + 1))" "$(log_file "$1")"; }

# The end of the right log, then the error itself as the last line.
complain() {
  local part=$1 what='does not answer after 20 s'
  is_up "$part" || what='ended while it was being started'
  printf -- '---- %s\n' "$(log_file "$part")" >&2
  new_log "$part" | tail -n 20 >&2
  printf -- '----\n' >&2
  die "$part $what: see above"
}

# on_free_port PART VARIABLE…: starts a part that needs ports, on other ones if they are taken.
on_free_port() {
  local part=$1 try port
  shift
  for try in 1 2 3 4 5 6; do
    for port; do [[ -n ${!port-} ]] || printf -v "$port" %s "$(free_port)"; done
    "run_$part"
    ready "$part" && return
    if ! is_up "$part"; then
      if new_log "$part" | grep -qi ' in use' && ((try < 6)); then
        for port; do printf -v "$port" %s ''; done
        continue
      fi
      [[ $part != ccd || -z $fault ]] || return 0 # it died as it was told to, before it was ready
    fi
    complain "$part"
  done
}

start() {
  is_up "$1" && return
  started+=("$1")
  "start_$1"
  save_env
}

# stop PART [SIGNAL]: only the process that we started; waits for its end.
stop() {
  local part=$1 signal=${2:-TERM} file pid children=''
  file=$(pid_file "$part")
  if is_running "$file"; then
    read -r pid _ <"$file"
    [[ $part != postgres || $signal != TERM ]] || signal=INT # "fast": doesn't wait for its clients
    [[ $signal != KILL ]] || children=$(pgrep -P "$pid" | paste -sd ' ' || true)
    # shellcheck disable=SC2086  # a list of pids
    kill -s "$signal" "$pid" $children 2>/dev/null || true
    if ! await 20 not_running "$file"; then
      warn "$part (pid $pid) does not end on SIG$signal: killing it"
      # shellcheck disable=SC2046
      kill -s KILL "$pid" $(pgrep -P "$pid") 2>/dev/null || true
      await 5 not_running "$file" || die "$part (pid $pid) cannot be ended"
    fi
  fi
  rm -f "$file"
}

# render TEMPLATE RESULT: replaces @NAME@.
recordings_yaml() {
  local often='firstPause: 200ms, longestPause: 5s, idle: 10s'
  if [[ -z $CC_RECORDINGS ]]; then
    echo '# recordings stay at the channels'
  elif [[ -z $CC_OSS ]]; then
    echo "recordings: {directory: \"$CC_DIR/recordings\", $often}"
  else
    echo "recordings: {oss: {endpoint: \"$CC_OSS\", region: cn-hangzhou, bucket: stack-recordings, prefix: cc/, plainHttp: true, pathStyle: true, accessKeyId: stack, accessKeySecret: \"file:$CC_DIR/secrets/oss.access-key-secret\", partSize: 1M}, $often}"
  fi
}

render() {
  local text name
  local -A values=(
    [DIR]=$CC_DIR [SECRETS]=$CC_DIR/secrets [API_PORT]=$CC_API_PORT [API_SOCK]=$CC_API_SOCK
    [NGINX_PORT]=$CC_NGINX_PORT [NGINX_TLS_PORT]=$CC_NGINX_TLS_PORT [NGINX_SOCK]=$CC_PRIVATE/nginx.sock [REDIS_SOCK]=$REDIS_SOCK
    [PG_DIR]=$PGHOST [JIUYUN]=$CC_JIUYUN [GATEWAY]=$CC_GATEWAY [APP_ID]=$CC_E9_APP_ID [MODULE]=$CC_MODULE
    [GATEWAY_ON]=$([[ -n $CC_GATEWAY_SIMULATOR ]] && echo true || echo false)
    [JIUYUN2]=${CC_SIM2:-http://127.0.0.1:9} [SECOND_ON]=$([[ -n $CC_SECOND ]] && echo true || echo false)
    [DEMO_MAIN_NUMBER]=$([[ -z $CC_MAIN_NUMBER ]] && echo '# no mainNum' || echo "mainNum: \"$CC_MAIN_NUMBER\"")
    [SIM_PORT]=${CC_SIM_PORT:-9} [SIM2_PORT]=${CC_SIM2_PORT:-9}
    [RECORDINGS]=$(recordings_yaml) [RECORDING_READY]=${CC_RECORDINGS:-10m}
    [USER]=$( ((EUID)) || echo 'user root;')
  )
  text=$(<"$1")
  for name in "${!values[@]}"; do text=${text//"@$name@"/"${values[$name]}"}; done
  [[ ! $text =~ @[A-Z_]+@ ]] || die "$1: ${BASH_REMATCH[0]} is no value of a stack; known are ${!values[*]}"
  printf '%s\n' "$text" >"$2"
}

# ---- redis -----------------------------------------------------------------------------------------
start_redis() {
  mkdir -p "$CC_DIR/redis"
  cat >"$CC_DIR/conf/redis.conf" <<END
include "$ROOT/conf/redis.conf"
unixsocket "$REDIS_SOCK"
unixsocketperm 700
dir "$CC_DIR/redis"
logfile ""
daemonize no
END
  spawn redis redis-server "$CC_DIR/conf/redis.conf"
  ready redis || complain redis
}
# As a backup of its directory would be: the end of a file that is being written may be torn.
save_redis() {
  rm -rf "$CC_DIR/redis.$1"
  cp -a "$CC_DIR/redis" "$CC_DIR/redis.$1"
}
restore_redis() {
  [[ -d $CC_DIR/redis.$1 ]] || die "restore: there is no copy \"$1\" of redis"
  rm -rf "$CC_DIR/redis.lost"
  mv "$CC_DIR/redis" "$CC_DIR/redis.lost"
  cp -a "$CC_DIR/redis.$1" "$CC_DIR/redis"
}
redis_answers() { [[ $(redis-cli -s "$REDIS_SOCK" ping) == PONG ]]; }

# ---- postgres --------------------------------------------------------------------------------------
# It refuses to be root: as root it runs as the user postgres, with its data where that user can get.
if ((EUID == 0)); then
  as_postgres() { setpriv --reuid=postgres --regid=postgres --init-groups -- "$@"; }
  postgres_user=(setpriv --reuid=postgres --regid=postgres --init-groups --)
else
  as_postgres() { "$@"; }
  postgres_user=()
fi

postgres_bin() {
  local found
  found=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
  [[ -x $found/initdb ]] || die "no PostgreSQL server in /usr/lib/postgresql; run scripts/setup"
  echo "$found"
}

# A fresh cluster with the database cc, owned by the role cc.
init_postgres() {
  local bin=$1 data=$2
  as_postgres "$bin/initdb" -D "$data" -U postgres -A trust -N -E UTF8 --locale=C.UTF-8 --no-instructions >/dev/null
  as_postgres tee -a "$data/postgresql.conf" >/dev/null <<'END'
# A private stack: whoever may reach the socket is trusted, and only a crash of the machine, which a stack
# does not outlive anyway, would need fsync.
listen_addresses = ''
unix_socket_permissions = 0700
fsync = off
timezone = 'UTC'
log_timezone = 'UTC'
max_connections = 100
END
  printf 'CREATE ROLE cc LOGIN;\nCREATE DATABASE cc OWNER cc;\n' |
    as_postgres "$bin/postgres" --single -D "$data" postgres >/dev/null
}

# The cluster is made once a build tree and copied from then on.
start_postgres() {
  local bin data=$CC_PRIVATE/pg/data template
  bin=$(postgres_bin)
  template=$CC_BUILD/postgres-$(basename "$(dirname "$bin")")
  if [[ ! -e $data/PG_VERSION ]]; then
    exec 8>"$template.lock"
    flock -w 60 8 || die "another process has been preparing $template for a minute"
    if [[ ! -e $template/PG_VERSION ]]; then
      { init_postgres "$bin" "$data" 8>&-; } >>"$(log_file postgres)" 2>&1 || {
        log_begins=0
        complain postgres
      }
      rm -rf "$template"
      cp -a "$data" "$template.new" && mv "$template.new" "$template"
    else
      cp -a "$template" "$data"
    fi
    exec 8>&-
  fi
  # A killed one leaves its lock files, whose pid may still be there as a zombie: without anybody at work in
  # the directory it means nothing.
  await 10 nobody_works_in "$data" || die "an old PostgreSQL process is still in $data and does not end"
  rm -f "$data/postmaster.pid" "$PGHOST"/.s.PGSQL.*
  spawn postgres "${postgres_user[@]}" "$bin/postgres" -D "$data" -k "$PGHOST"
  ready postgres || complain postgres
}
save_postgres() {
  local bin
  bin=$(postgres_bin)
  as_postgres rm -rf "$CC_PRIVATE/pg/$1"
  as_postgres "$bin/pg_basebackup" -h "$PGHOST" -U postgres -D "$CC_PRIVATE/pg/$1" -X stream -c fast >>"$(log_file postgres)" 2>&1 ||
    die "pg_basebackup failed: $(tail -n 1 "$(log_file postgres)")"
}
restore_postgres() {
  local pg=$CC_PRIVATE/pg
  [[ -d $pg/$1 ]] || die "restore: there is no copy \"$1\" of postgres"
  await 10 nobody_works_in "$pg/data" || die "restore: a PostgreSQL process is still in $pg/data"
  as_postgres rm -rf "$pg/lost"
  as_postgres mv "$pg/data" "$pg/lost"
  as_postgres cp -a "$pg/$1" "$pg/data"
}
nobody_works_in() { [[ -z $(find /proc/[0-9]*/cwd -maxdepth 0 -lname "$1" 2>/dev/null) ]]; }
postgres_answers() { pg_isready -q -h "$PGHOST"; }

# ---- nginx -----------------------------------------------------------------------------------------
start_nginx() { on_free_port nginx CC_NGINX_PORT CC_NGINX_TLS_PORT; }
run_nginx() {
  mkdir -p "$CC_DIR/nginx"
  rm -f "$CC_PRIVATE/nginx.sock" # one that was killed leaves it
  render "$CC_NGINX_CONF" "$CC_DIR/conf/nginx.conf"
  spawn nginx nginx -p "$CC_DIR/nginx" -c "$CC_DIR/conf/nginx.conf" -e "$(log_file nginx)"
}
nginx_answers() { curl -fsS -m 2 -o /dev/null --unix-socket "$CC_PRIVATE/nginx.sock" http://nginx/cc/ready; }

# ---- simulator -------------------------------------------------------------------------------------
start_simulator() {
  [[ -n $CC_SIMULATOR ]] || die "this stack has no simulator; take it down and up again with --simulator"
  on_free_port simulator CC_SIM_PORT CC_SIM_CONTROL_PORT
  CC_SIM=http://127.0.0.1:$CC_SIM_PORT
  CC_JIUYUN=$CC_SIM
}
run_simulator() {
  spawn simulator "$CC_SIMULATOR" --listen "127.0.0.1:$CC_SIM_PORT" --control "127.0.0.1:$CC_SIM_CONTROL_PORT" \
    --account-sid "$CC_E9_ACCOUNT_SID" --auth-token "$CC_E9_AUTH_TOKEN" --app-id "$CC_E9_APP_ID" \
    --callback-url "http://127.0.0.1:$CC_NGINX_PORT/callback/e9/$CC_TOKEN" --journal "$CC_JOURNAL" \
    --speed "$CC_SIM_SPEED" --query-limit "$CC_SIM_QUERIES" --approved-numbers "$(approved_numbers)"
}
# Its vendor's port may be refusing connections, as a test told it to.
simulator_answers() { curl -fsS -m 2 -o /dev/null "http://127.0.0.1:$CC_SIM_CONTROL_PORT/_control/health"; }
# The demo tenant's main number: what hides numbers shows it.
approved_numbers() { echo "4008001000${CC_MAIN_NUMBER:+,$CC_MAIN_NUMBER}${CC_APPROVED:+,$CC_APPROVED}"; }

# ---- simulator2: of the second account ---------------------------------------------------------------
start_simulator2() {
  [[ -n $CC_SECOND ]] || die "this stack has no second simulator; take it down and up again with --second"
  on_free_port simulator2 CC_SIM2_PORT CC_SIM2_CONTROL_PORT
  CC_SIM2=http://127.0.0.1:$CC_SIM2_PORT
}
run_simulator2() {
  spawn simulator2 "$CC_SIMULATOR" --listen "127.0.0.1:$CC_SIM2_PORT" --control "127.0.0.1:$CC_SIM2_CONTROL_PORT" \
    --account-sid "$CC_E9B_ACCOUNT_SID" --auth-token "$CC_E9B_AUTH_TOKEN" --app-id "$CC_E9B_APP_ID" \
    --callback-url "http://127.0.0.1:$CC_NGINX_PORT/callback/e9b/$CC_TOKEN2" --journal "$CC_JOURNAL2" \
    --speed "$CC_SIM_SPEED" --query-limit "$CC_SIM_QUERIES" --approved-numbers "$(approved_numbers)"
}
simulator2_answers() { curl -fsS -m 2 -o /dev/null "http://127.0.0.1:$CC_SIM2_CONTROL_PORT/_control/health"; }

# ---- gateway: Huawei's ------------------------------------------------------------------------------
start_gateway() {
  [[ -n $CC_GATEWAY_SIMULATOR ]] || die "this stack has no agent gateway; take it down and up again with --gateway"
  on_free_port gateway CC_GATEWAY_PORT CC_GATEWAY_CONTROL_PORT
  CC_GATEWAY=http://127.0.0.1:$CC_GATEWAY_PORT
}
run_gateway() {
  # shellcheck disable=SC2086  # a list of options
  spawn gateway "$CC_GATEWAY_SIMULATOR" --listen "127.0.0.1:$CC_GATEWAY_PORT" \
    --control "127.0.0.1:$CC_GATEWAY_CONTROL_PORT" --speed "$CC_SIM_SPEED" \
    --password "$CC_AGENT_PASSWORD" --file-access-key stack --file-secret-key "$(<"$CC_DIR/secrets/ccfs.secret-key")" --journal "$CC_GATEWAY_JOURNAL" $CC_GATEWAY_OPTIONS
}
gateway_answers() { curl -fsS -m 2 -o /dev/null "http://127.0.0.1:$CC_GATEWAY_CONTROL_PORT/_control/health"; }

# ---- ccd -------------------------------------------------------------------------------------------
start_ccd() { on_free_port ccd CC_API_PORT; }
run_ccd() {
  render "$CC_YAML" "$CC_DIR/conf/cc.yaml"
  log_begins=$(stat -c %s "$(log_file ccd)" 2>/dev/null || echo 0)
  "$CC_CCD" --config "$CC_DIR/conf/cc.yaml" --migrate >>"$(log_file ccd)" 2>&1 9>&- || {
    new_log ccd | tail -n 20 >&2
    die "ccd --migrate failed: see above"
  }
  rm -f "$CC_API_SOCK"
  if [[ -n $fault ]]; then
    spawn ccd env CC_FAULT="$fault" "$CC_CCD" --config "$CC_DIR/conf/cc.yaml"
  else
    spawn ccd "$CC_CCD" --config "$CC_DIR/conf/cc.yaml"
  fi
}
ccd_answers() { curl -fsS -m 2 -o /dev/null --unix-socket "$CC_API_SOCK" http://ccd/readyz; }
