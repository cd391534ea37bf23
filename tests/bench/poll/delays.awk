# How long events that the simulator stamped (simReady, epoch ms) took into the stream. Input: what
# `redis-cli --no-raw XRANGE` prints, a string a line, escaped; an entry's id is Redis' clock at its XADD.
# Output: how many, p50, p99 and the longest, in ms.
match($0, /"[0-9]+-[0-9]+"$/) && !/simReady/ {
  stored = substr($0, RSTART + 1, RLENGTH - 2)
  sub(/-.*/, "", stored)
}
match($0, /simReady\\":[0-9]+/) {
  ready = substr($0, RSTART, RLENGTH)
  sub(/.*:/, "", ready)
  delays[n++] = stored - ready > 0 ? stored - ready : 0  # both are whole ms
}
END {
  if (!n) { print 0, 0, 0, 0; exit }
  # By counting: delays are small numbers.
  for (i = 0; i < n; ++i) {
    ++count[delays[i]]
    if (delays[i] > most) most = delays[i]
  }
  p50 = p99 = -1
  for (ms = 0; ms <= most; ++ms) {
    below += count[ms]
    if (p50 < 0 && below >= n * 0.5) p50 = ms
    if (p99 < 0 && below >= n * 0.99) { p99 = ms; break }
  }
  print n, p50, p99, most + 0
}
