-- Lines with a session (a Huawei seat): signed in and polled by the daemon that owns them.

-- `desired`: online, offline, or deleted: its owner signs it out and then removes the row.
-- `actual`: null = nobody has begun; else connecting, online, failing (tried again), refused (not tried
-- again before somebody changes the agent), offline. `session` and `password` are sealed with the key of
-- `agents:` in cc.yaml.
ALTER TABLE agent ADD generation bigint NOT NULL DEFAULT 1;  -- raised by each change that its owner must heed
ALTER TABLE agent ADD since bigint;                          -- when `actual` became what it is
CREATE INDEX agent_owner ON agent (owner, epoch);

-- Whose an event is that names no call: the attempt's on that line in whose time it was read.
-- On a database with many years of attempts this takes its time: calls are made again when it is done.
CREATE INDEX call_attempt_line ON call_attempt (channel, agent, sent) WHERE sent IS NOT NULL;
-- On a line with a session: received-ms of the attempt's first event that tells of more than the end of the
-- call before it, and from when on it can tell no more of the call.
ALTER TABLE call_attempt ADD heard bigint;
ALTER TABLE call_attempt ADD ended bigint;

-- Events of a line that name no call wait for a call of that line.
CREATE INDEX waiting_event_line ON waiting_event (channel, subject) WHERE channel_call_id = '';

-- received-ms of the oldest delivery in the daemon's own spool; null = it is empty. A dead daemon's stays:
-- its disk still has it.
ALTER TABLE daemon ADD spool_since bigint;
-- Whether it polls lines: it has such channels and is not stopping. Others have no share of them.
ALTER TABLE daemon ADD keeps_lines boolean NOT NULL DEFAULT false;
