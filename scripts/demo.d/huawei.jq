# What the demo compares of a Huawei call: CC's record and timeline against the agent gateway's journal.
include "demo";

def ringing($leg): map(select(.event == "ring" and .leg == $leg));
def answering($leg): map(select(.event == "answer" and .leg == $leg));
# The events that a poll brought, or will bring; what is about the agent and no call makes no history.
def of_call: map(select(.eventType != null and (.eventType | startswith("AgentState_") | not)));
def ready: map(select(.event == "event_ready")) | of_call;
def handed_out: map(select(.event == "event_handed_out")) | of_call;
# The call is over, and all that was to be told of it has been read.
def is_read: any(.event == "call_over") and (ready | length) == (handed_out | length);

def close_type_of: {customer: "0", agent: "0", platform: "6", a_no_answer: "1", b_no_answer: "2"}[.] // "?";

# Events wait for their poll, one an answer, polls are up to half a second apart.
def read_row($figure; $cc; $sim):
  if $cc == null or $sim == null
  then row($figure; if $cc then $cc | clock_ms else "never" end; if $sim then $sim | clock_ms else "never" end; $cc == $sim)
  else row($figure; $cc | clock_ms; ($sim | clock_ms) + " (\($cc - $sim | offset) s)"; $cc - $sim >= 0 and $cc - $sim <= 4000) end;

def compare_polled($record; $events):
  . as $journal |
  ($journal | map(select(.event == "call_over")) | first) as $over |
  ($events.events | map(select(.source == "poll")) | length) as $kept |
  [ dialled_row("A rang"; if $record.aCallTime then $record.caller else null end; $journal | ringing("A")),
    dialled_row("B rang"; if $record.bCallTime then $record.called else null end; $journal | ringing("B")),
    read_row("A rang at"; $record.aCallTime; $journal | ringing("A") | first.at),
    read_row("A answered"; $record.aOffhookTime; $journal | answering("A") | first.at),
    read_row("B rang at"; $record.bCallTime; $journal | ringing("B") | first.at),
    read_row("connected"; $record.connTime; $over.connectedAt),
    read_row("closed"; $record.closeTime; $over.endedAt),
    same("close type"; $record.closeType; $over.cause | close_type_of),
    same("state"; $record.state; "close"),
    row("events"; "\($kept) kept"; "\($journal | ready | length) ready, \($journal | handed_out | length) read";
        $kept == ($journal | handed_out | length)) ];
