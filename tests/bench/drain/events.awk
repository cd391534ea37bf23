# The callbacks of `calls` calls in Redis' protocol, as NGINX's module writes them. Interleaved as they come
# in life: a hundred calls go on at a time.
function field(text) { return "$" length(text) "\r\n" text "\r\n" }
function event(n, k,    id, body, envelope) {
  id = sprintf("%32s", round "c" n); gsub(/ /, "0", id)
  body = "<?xml version='1.0'?><req><action>" action[k] "</action><type>1</type><appId>" app "</appId><caller>139" \
    sprintf("%08d", n) "</caller><called>138" sprintf("%08d", n) "</called>" \
    (k < 2 ? "<userFlag>" k "</userFlag>" : "") "<subType>0</subType><callId>" id "</callId><dateCreated>" \
    "</dateCreated><userData>cc1." (n == 0 ? first : sprintf("%s", add(n))) ".1</userData>" \
    (k == 3 ? "<duration>9</duration><recordUrl></recordUrl><byeType>0</byeType>" : "") "</req>"
  envelope = "v1 " now " callback - 203.0.113.7 - application/xml\n" body
  printf "*5\r\n%s%s%s%s%s", field("XADD"), field("cc:events:0"), field("*"), field("e9"), field(envelope)
}
# first + n, both beyond the 53 bits of awk's numbers: the low nine digits by themselves.
function add(n,    low) {
  low = substr(first, length(first) - 8) + n
  return substr(first, 1, length(first) - 9) sprintf("%09d", low)
}
BEGIN {
  action[0] = action[1] = "CallInvite"; action[2] = "CallEstablish"; action[3] = "Hangup"
  for (at = 0; at < calls; at += 100)
    for (k = 0; k < 4; ++k)
      for (n = at; n < at + 100 && n < calls; ++n) event(n, k)
}
