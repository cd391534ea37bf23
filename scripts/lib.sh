# Shared by the scripts in this folder: where things are, how they speak, how they wait. Source it.
# shellcheck shell=bash

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
PROGRAM=${0##*/}

# ---- speaking ------------------------------------------------------------------------------------
if [[ -t 1 && -z ${NO_COLOR:-} && ${TERM:-dumb} != dumb ]]; then
  BOLD=$'\e[1m' DIM=$'\e[2m' RED=$'\e[31m' GREEN=$'\e[32m' YELLOW=$'\e[33m' CYAN=$'\e[36m' PLAIN=$'\e[0m'
else
  # shellcheck disable=SC2034  # each script uses what it needs
  BOLD='' DIM='' RED='' GREEN='' YELLOW='' CYAN='' PLAIN=''
fi

say() { printf '%s%s:%s %s\n' "$BOLD" "$PROGRAM" "$PLAIN" "$*"; }
warn() { printf '%s: warning: %s\n' "$PROGRAM" "$*" >&2; }
die() {
  printf '%s: error: %s\n' "$PROGRAM" "$*" >&2
  exit 1
}

# The comment at the top of a script is its --help.
help_of() { sed -n '2{:next;/^#/!q;s/^# \{0,1\}//p;n;b next}' "$1"; }

# The value of an option that needs one: need_value "$@" → $2, or the end.
need_value() {
  (($# >= 2)) || die "$1 needs a value; see $PROGRAM --help"
  [[ -n $2 ]] || die "$1 must not be empty; see $PROGRAM --help"
}

# ---- time ----------------------------------------------------------------------------------------
# EPOCHREALTIME's separator is the locale's; the digits alone are microseconds.
now_ms() { echo $((${EPOCHREALTIME//[!0-9]/} / 1000)); }

# seconds_since MS → "1.2"
seconds_since() {
  local -i ms=$(($(now_ms) - $1))
  printf '%d.%d' $((ms / 1000)) $((ms % 1000 / 100))
}

# await SECONDS COMMAND…: repeats COMMAND until it succeeds; fails when the time is over.
await() {
  local -i until=$(($(now_ms) + $1 * 1000))
  shift
  until "$@" >/dev/null 2>&1; do
    (($(now_ms) < until)) || return 1
    sleep 0.03
  done
}

# ---- processes -----------------------------------------------------------------------------------
# A process is known by its pid and its start time: a pid alone may be somebody else's by now.

# started_at PID → clock ticks since boot; nothing for a dead or a zombie process.
started_at() {
  local stat
  { stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 1
  stat=${stat##*) } # the name before it may hold spaces and parentheses
  read -ra stat <<<"$stat"
  [[ ${stat[0]} != [ZX] ]] && echo "${stat[19]}"
}

# is_running FILE: FILE holds "PID START".
is_running() {
  local pid start
  [[ -r $1 ]] && read -r pid start <"$1" && [[ $(started_at "$pid") == "$start" ]]
}

not_running() { ! is_running "$1"; }

# ---- ports ---------------------------------------------------------------------------------------
# A port of 127.0.0.1 that nobody listens on, below the range from which outgoing connections take
# theirs. It may be taken before it is used: who binds it tries again with another one.
free_port() {
  local -i port
  while :; do
    port=$((15000 + SRANDOM % 17000))
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port" && return; }
  done
}

# ---- building ------------------------------------------------------------------------------------
# build DIR [-D… for cmake] [-- targets…]: configures once, builds what changed, showing progress.
build() {
  local tree=$1 options=() targets=()
  shift
  while (($#)) && [[ $1 != -- ]]; do options+=("$1") && shift; done
  (($#)) && shift
  (($#)) && targets=(--target "$@")
  mkdir -p "$tree" 2>/dev/null && [[ -w $tree ]] ||
    die "$tree is not writable for $(id -un); name another build tree with --build"
  if [[ ! -e $tree/build.ninja ]]; then
    say "configuring $tree"
    cmake -S "$ROOT" -B "$tree" -G Ninja "${options[@]}" >"$tree/configure.log" 2>&1 || {
      tail -n 30 "$tree/configure.log" >&2
      die "cmake could not configure $tree: see above, and $tree/configure.log"
    }
  fi
  say "building in $tree"
  cmake --build "$tree" "${targets[@]}" || die "the build in $tree failed: see above"
}
