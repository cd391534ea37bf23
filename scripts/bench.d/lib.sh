# Shared by the benches: processes of their own and their end, CPU time, where results go. Source it after
# scripts/lib.sh.
# shellcheck shell=bash

RESULTS=$ROOT/build/bench # what was measured, and what was fetched to measure against
PROGRAM="bench $PROGRAM"

# ---- a private directory and private processes ---------------------------------------------------
scratch='' # everything that a bench writes, short: a unix socket's path has at most 107 characters
owned=()   # pids of our children
stacks=()  # directories of scripts/stack

# begin_bench: to be called first. However the bench ends, what it started ends with it.
begin_bench() {
  trap end_bench EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  scratch=$(mktemp -d /tmp/cc-bench.XXXXXX)
  mkdir -p "$RESULTS"
}

end_bench() {
  local code=$? pid dir
  trap '' INT TERM HUP
  set +e # tidy up as far as possible
  # Children that nobody has waited for: their pids cannot belong to anyone else by now.
  for pid in "${owned[@]}"; do kill -CONT "$pid" && kill "$pid"; done 2>/dev/null
  for pid in "${owned[@]}"; do
    await 5 gone "$pid" || kill -KILL "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
  done
  if ((code != 0 && code != 130)) && [[ -d $scratch ]]; then
    rm -rf "$RESULTS/failed"
    mkdir -p "$RESULTS/failed"
    # Logs only: not the data, which can be large.
    (cd "$scratch" && find . \( -name '*.log' -o -name '*.conf' \) -size -1024k -exec cp --parents {} "$RESULTS/failed" \;)
    rmdir "$RESULTS/failed" 2>/dev/null || printf '%s: the logs are in %s\n' "$PROGRAM" "$RESULTS/failed" >&2
  fi
  for dir in "${stacks[@]}"; do "$ROOT/scripts/stack" down "$dir" --purge --quiet >/dev/null 2>&1; done
  [[ $scratch != /tmp/cc-bench.?* ]] || rm -rf "$scratch"
  exit "$code"
}
gone() { [[ -z $(started_at "$1") ]]; }

# own LOG COMMAND…: starts it, its pid in $pid. In a session of its own, so that a Ctrl-C comes to us alone;
# should we be killed, the kernel ends it.
own() {
  local log=$1
  shift
  setsid setpriv --pdeathsig TERM -- "$@" </dev/null >>"$log" 2>&1 &
  pid=$!
  owned+=("$pid")
}

# disown_dead PID: it has ended, as we wanted.
disown_dead() {
  local other left=()
  wait "$1" 2>/dev/null || true # its end may be a failure
  for other in "${owned[@]}"; do [[ $other == "$1" ]] || left+=("$other"); done
  owned=("${left[@]}")
}

# ---- Redis ---------------------------------------------------------------------------------------
# start_redis DIR SOCKET [lines of configuration…]: CC's configuration but for these. Its pid in $pid.
start_redis() {
  local dir=$1 socket=$2
  shift 2
  mkdir -p "$dir"
  {
    printf 'include "%s"\n' "$ROOT/conf/redis.conf"
    printf '%s\n' "unixsocket \"$socket\"" "unixsocketperm 700" "dir \"$dir\"" 'logfile ""' 'daemonize no' "$@"
  } >"$dir/redis.conf"
  own "$dir/redis.log" redis-server "$dir/redis.conf"
  await 20 redis_answers "$socket" || die "Redis does not start: $(tail -n 1 "$dir/redis.log")"
}
redis_answers() { [[ $(redis-cli -s "$1" ping) == PONG ]]; }

# ---- a stack of scripts/stack ------------------------------------------------------------------------
# start_stack DIR BUILD: it ends and goes with the bench. Its addresses and keys become variables.
start_stack() {
  stacks+=("$1")
  "$ROOT/scripts/stack" up "$1" --build "$2" --quiet
  eval "$("$ROOT/scripts/stack" env "$1")"
}

# part_pid DIR PART
part_pid() {
  local pid
  read -r pid _ <"$1/run/$2.pid" && echo "$pid"
}

# In the stack whose `env` was evaluated last.
sql() { psql -XqAt -v ON_ERROR_STOP=1 "$@"; }
as_superuser() { sql -U postgres "$@"; }

# A stack's PostgreSQL is made for tests: it does not wait for the disk. A real one does.
keep_commits() {
  as_superuser -c 'ALTER SYSTEM SET fsync = on' -c 'ALTER SYSTEM SET synchronous_commit = on' \
    -c 'SELECT pg_reload_conf()' >/dev/null
  await 10 commits_are_kept || die "PostgreSQL does not switch fsync on"
}
commits_are_kept() { [[ $(sql -c 'SHOW fsync') == on && $(sql -c 'SHOW synchronous_commit') == on ]]; }

# ---- templates -----------------------------------------------------------------------------------
# render TEMPLATE RESULT: replaces @NAME@ by what its caller's associative array `values` says.
# shellcheck disable=SC2154
render() {
  local text name
  text=$(<"$1")
  for name in "${!values[@]}"; do text=${text//"@$name@"/"${values[$name]}"}; done
  [[ ! $text =~ @[A-Z_]+@ ]] || die "$1: nothing says what ${BASH_REMATCH[0]} is"
  printf '%s\n' "$text" >"$2"
}

# ---- CPU -----------------------------------------------------------------------------------------
# two_cpus: keeps this bench and all that it starts on the first two CPUs that it may use, the machine that
# the targets are given for. Sets cpu_a and cpu_b; nothing in cpu_b if there is one CPU only.
two_cpus() {
  local list part
  local -a cpus=()
  list=$(taskset -cp $$) && list=${list##*: }
  for part in ${list//,/ }; do mapfile -t -O "${#cpus[@]}" cpus < <(seq "${part%-*}" "${part#*-}"); done
  cpu_a=${cpus[0]} cpu_b=${cpus[1]-}
  if [[ -n $cpu_b ]]; then
    taskset -cp "$cpu_a,$cpu_b" $$ >/dev/null
  else
    warn "there is one CPU only; the targets are given for two"
  fi
}

# cpu_ns PID…: CPU time of all their threads in nanoseconds; the clock ticks in /proc/PID/stat are 10 ms long.
cpu_ns() {
  local pid file ran
  local -i sum=0
  for pid; do
    for file in "/proc/$pid/task/"*/schedstat; do
      read -r ran _ <"$file" || die "process $pid has ended, or this kernel counts no CPU time ($file)"
      sum+=$ran
    done
  done
  echo "$sum"
}

# cluster_ns PID: CPU time of the PostgreSQL with this postmaster, of those of its processes too that have
# ended, in nanoseconds. Of the postmaster itself and of the ended ones the kernel tells ticks of 10 ms.
cluster_ns() {
  local -a stat
  local child ran
  local -i sum=0
  stat=$(<"/proc/$1/stat")
  read -ra stat <<<"${stat##*) }"
  for child in $(pgrep -P "$1"); do # one that has ended meanwhile did next to nothing
    { read -r ran _ <"/proc/$child/schedstat"; } 2>/dev/null && sum+=$ran
  done
  echo $((sum + (stat[11] + stat[12] + stat[13] + stat[14]) * 1000000000 / $(getconf CLK_TCK)))
}

# others_ns: CPU time that our CPUs have spent on all but this script and its ended children, in nanoseconds.
# The difference of two, less that of our running servers, is what strangers took from a measurement.
others_ns() {
  local -a stat mine
  local cpu
  local -i ticks=0
  for cpu in "$cpu_a" $cpu_b; do
    read -ra stat < <(grep "^cpu$cpu " /proc/stat)
    # user, nice, system, irq, softirq, steal
    ticks+=$((stat[1] + stat[2] + stat[3] + stat[6] + stat[7] + stat[8]))
  done
  mine=$(<"/proc/$$/stat")
  read -ra mine <<<"${mine##*) }"
  ticks+=-$((mine[11] + mine[12] + mine[13] + mine[14]))
  echo $((ticks * 1000000000 / $(getconf CLK_TCK)))
}

# ---- what it was measured on ---------------------------------------------------------------------
describe_machine() {
  local commit
  commit=$(git -C "$ROOT" describe --always --dirty --abbrev=12 2>/dev/null) || commit=unknown
  jq -n --arg commit "$commit" --arg kernel "$(uname -r)" --argjson cores "$(nproc --all)" \
    --arg cpu "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" \
    --arg system "$(sed -n 's/^PRETTY_NAME="\(.*\)"/\1/p' /etc/os-release)" \
    --arg load "$(cut -d' ' -f1 /proc/loadavg)" '$ARGS.named | .load |= tonumber'
}
