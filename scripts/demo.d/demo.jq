# What the demo prints of a call: its timeline, the table of records, and the comparison with what the
# simulator says it did. Times are epoch milliseconds everywhere.

def pad($n): . as $text | $text + ([range($n - ($text | length)) | " "] | join(""));
def left($n): . as $text | ([range($n - ($text | length)) | " "] | join("")) + $text;
def clock: . / 1000 | floor | strflocaltime("%H:%M:%S");
def clock_ms: clock + "." + (. % 1000 + 1000 | tostring | .[1:]);
def seconds($digits): . / 1000 * pow(10; $digits) | round | tostring | left($digits + 1) | gsub(" "; "0")
  | .[:-$digits] + "." + .[-$digits:];
def offset: if . < 0 then "-" + (-. | seconds(2)) else "+" + seconds(2) end;

def close_words: {
  "0": "normal · 正常挂断", "1": "A unreachable · 坐席无法接通", "2": "B unreachable · 客户无法接通",
  "3": "A busy · 坐席忙", "4": "B busy · 客户忙", "5": "maximum duration · 达到最大时长",
  "6": "channel error · 渠道服务器错误", "7": "network error · 渠道网络错误", "255": "other · 其他"}[.] // .;

def event_words:
  .effect as $e |
  if .name == "attempt.planned" then "line chosen: \($e.channel) \($e.agent) · 选定线路"
  elif .name == "attempt.sent" then "originate sent to the channel · 向渠道发起"
  elif .name == "attempt.accepted" then "the channel accepted · 渠道受理"
  elif .name == "attempt.refused" then "refused: \($e.code // "") \($e.message // "") · 渠道拒绝"
  elif .name == "attempt.unknown" then "nobody knows whether it was placed · 结果未知"
  elif .name == "a.calling" then "A, the agent, is called · 呼叫坐席"
  elif .name == "a.ringing" then "A rings · 坐席振铃"
  elif .name == "a.answered" then "A answered · 坐席接听"
  elif .name == "b.calling" then "B, the customer, is called · 呼叫客户"
  elif .name == "b.ringing" then "B rings · 客户振铃"
  elif .name == "b.answered" then "B answered · 客户接听"
  elif .name == "connected" then "B answered: they talk · 客户接听，双方通话"
  elif .name == "closed" and $e.onHook then "A's phone is on its hook · 坐席话机挂机"
  elif .name == "closed" and $e.closeTypeAfterAnswer then "closed: not connected · 未接通"
  elif .name == "closed" then
    "closed" + (if ($e.duration // 0) > 0 then " after \($e.duration) s" else "" end) + ": \($e.closeType // "?" | close_words)"
  else .name end;

def event_colour($c):
  if .name == "connected" then $c.green
  elif .name == "closed" then (if .effect.closeType == "0" then $c.bold else $c.yellow end)
  elif .name == "attempt.refused" or .name == "attempt.unknown" then $c.red
  elif .source == "cc" then $c.dim
  else "" end;

# /v1/calls/{id}/events → "key<TAB>line", in the order of arrival. The key tells an event from the others.
def timeline($created; $c):
  .events[] |
  "\(.name) \(.source) \(.at) \(.channelTime)\t"
  + "   \(.at - $created | offset | left(7)) s  "
  + (if .channelTime then .channelTime | clock else "        " end)
  + "  \(if .source == "cc" then "CC" elif .source == "callback" then "Jiuyun" elif .source == "poll" then "Huawei" else .source end | pad(7)) "
  + event_colour($c) + event_words + $c.plain;

# One row of the table of records.
def record_header:
  "callId" as $id | [($id | pad(20)), ("A → B" | pad(25)), ("state" | pad(6)), ("A called" | pad(9)),
  ("A answ." | pad(9)), ("B called" | pad(9)), ("connected" | pad(9)), ("closed" | pad(9)), ("dur." | left(5)), " close"] | join(" ");
def record_row:
  def at: if . then clock else "-" end | pad(9);
  [(.callId | pad(20)), ("\(.caller) → \(.called)" | pad(25)), (.state | pad(6)), (.aCallTime | at),
   (.aOffhookTime | at), (.bCallTime | at), (.connTime | at), (.closeTime | at),
   (if .duration == null then "?" else "\(.duration) s" end | left(5)), " \(.closeType) \(.closeType | close_words)"] | join(" ");

# ---- the simulator's journal: an array of its lines about one call ---------------------------------

def line($event; $leg): map(select(.event == $event and .leg == $leg));
def push_key: "\(.action) \(.userFlag)";
# How many callbacks the call's life gives, lost ones included.
def callbacks_due: map(select(.event == "dial" or .event == "hangup" or (.event == "answer" and .leg == "b"))) | length;
def pushes: map(select(.event == "push"));
def losses: map(select(.event == "lost"));
# Everything is pushed that will be.
def is_over($copies): any(.event == "hangup") and callbacks_due == (losses | length) + (pushes | length) / $copies;
def different_pushes: pushes | map(push_key) | unique | length;

def row($figure; $cc; $sim; $ok): {figure: $figure, cc: $cc, sim: $sim, ok: $ok};
def same($figure; $cc; $sim): row($figure; $cc | tostring; $sim | tostring; $cc == $sim);
def time_row($figure; $cc; $sim):
  if $cc == null or $sim == null
  then row($figure; if $cc then $cc | clock_ms else "never" end; if $sim then $sim | clock_ms else "never" end; $cc == $sim)
  else row($figure; $cc | clock_ms; ($sim | clock_ms) + " (\($cc - $sim | offset) s)"; ($cc - $sim | fabs) <= 1000) end;
def dialled_row($figure; $cc; $dials):
  row($figure; $cc // "nobody";
      if ($dials | length) == 0 then "nobody" else "\($dials | map(.number) | unique | join(", ")), \($dials | length) time" + (if ($dials | length) == 1 then "" else "s" end) end;
      ($dials | map(.number)) == (if $cc then [$cc] else [] end));

# The record and its timeline against the journal: an array of rows.
def compare($record; $events):
  . as $journal |
  ($journal | map(select(.event == "hangup")) | first) as $hangup |
  ($events.events | map(select(.source == "callback")) | length) as $kept |
  [ dialled_row("A dialled"; if $record.aCallTime then $record.caller else null end; $journal | line("dial"; "a")),
    dialled_row("B dialled"; if $record.bCallTime then $record.called else null end; $journal | line("dial"; "b")),
    time_row("A called"; $record.aCallTime; $journal | line("dial"; "a") | first.at),
    time_row("A answered"; $record.aOffhookTime; $journal | line("answer"; "a") | first.at),
    time_row("B called"; $record.bCallTime; $journal | line("dial"; "b") | first.at),
    time_row("B answered"; $record.bOffhookTime; $journal | line("answer"; "b") | first.at),
    time_row("connected"; $record.connTime; $journal | line("answer"; "b") | first.at),
    time_row("closed"; $record.closeTime; $hangup.at),
    same("duration"; $record.duration; $hangup.duration),
    same("close type"; $record.closeType; $hangup.byeType | tostring),
    same("state"; $record.state; "close"),
    row("callbacks"; "\($kept) kept";
        "\($journal | pushes | length) pushed, \($journal | different_pushes) different, \($journal | losses | length) lost";
        $kept == ($journal | different_pushes)),
    row("answered 200"; "-"; "\($journal | pushes | map(select(.status == 200)) | length) of \($journal | pushes | length)";
        $journal | pushes | all(.status == 200)) ];
