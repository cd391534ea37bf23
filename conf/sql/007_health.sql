-- Which channel a call may go to, and what makes another attempt of it (rules.md, "Health", "Choosing",
-- "Attempts").

-- One state for all daemons. A channel without a row is closed, whole and as configured.
CREATE TABLE channel_health (
  channel    varchar(8)  PRIMARY KEY,
  breaker    varchar(12) NOT NULL DEFAULT 'closed' CHECK (breaker IN ('closed', 'open', 'half_open')),
  since      bigint      NOT NULL DEFAULT 0,  -- when `breaker` became what it is
  why        varchar(256),                    -- it is not closed
  open_ms    bigint      NOT NULL DEFAULT 0,  -- for how long it was opened last
  next_trial bigint,                          -- open: half-open from then on
  by_finals  boolean     NOT NULL DEFAULT false,  -- opened by how calls ended: only ends close it again
  trials     int         NOT NULL DEFAULT 0,  -- calls that may still be tried: half-open, or silent
  trial_at   bigint,                          -- when the last one of them was given out
  silent     bigint,                          -- degraded since then: no callbacks
  silent_why varchar(256),
  silent_ms  bigint      NOT NULL DEFAULT 0,  -- for how long it was left alone last
  silent_next bigint,                         -- one call may be tried from then on
  silent_over bigint     NOT NULL DEFAULT 0,  -- when it was heard of again
  signing    bigint,                          -- degraded since then: sign-ins fail
  signing_why varchar(256),
  event_p50  bigint,                          -- ms from a call's acceptance to its first event
  event_p99  bigint,                          -- the usual one: not moved while it is silent
  missing    bigint      NOT NULL DEFAULT 0,  -- accepted calls whose events are overdue
  looked     bigint      NOT NULL DEFAULT 0,  -- when somebody looked for silence last
  -- what operators set: null = as configured
  enabled    boolean,
  forced     varchar(8)  CHECK (forced IN ('open', 'closed')),
  priority   int,
  weight     int,
  set_by     varchar(128),
  set_at     bigint
);

-- How each attempt of the last minutes spoke of its channel. 0 = well, 1 = failed, 2 = could not be reached
-- or did not answer in time; null = not known yet.
CREATE TABLE channel_verdict (
  call     bigint     NOT NULL,
  attempt  smallint   NOT NULL,
  channel  varchar(8) NOT NULL,
  begun    bigint     NOT NULL,
  taken    smallint,
  taken_at bigint,
  final    smallint,
  final_at bigint,
  judged   bigint     NOT NULL,  -- the later of both
  PRIMARY KEY (call, attempt)
);
CREATE INDEX channel_verdict_recent ON channel_verdict (channel, judged);

-- Every change of a channel's state, for people.
CREATE TABLE channel_change (
  id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  channel varchar(8)   NOT NULL,
  at      bigint       NOT NULL,
  was     varchar(32)  NOT NULL,
  state   varchar(32)  NOT NULL,
  why     varchar(256)
);
CREATE INDEX channel_change_recent ON channel_change (channel, at DESC);

-- A display number that a channel would not show (rules.md, "Numbers shown").
CREATE TABLE display_refusal (
  tenant  varchar(32) NOT NULL,
  channel varchar(8)  NOT NULL,
  number  varchar(16) NOT NULL,
  code    varchar(32) NOT NULL,
  first   bigint      NOT NULL,
  last    bigint      NOT NULL,
  count   bigint      NOT NULL DEFAULT 1,
  PRIMARY KEY (tenant, channel, number, code)
);

-- What the canary of each callback location did last. `location`: the URL without its secret.
CREATE TABLE canary (
  location varchar(256) PRIMARY KEY,
  channel  varchar(8)  NOT NULL,
  id       varchar(32),            -- of the last delivery
  posted   bigint      NOT NULL DEFAULT 0,
  status   int,                    -- NGINX's answer; 0 = none
  problem  varchar(256),           -- why it was not taken
  arrived  bigint,                 -- when the last one came out of the stream
  arrived_id varchar(32),
  delay_ms bigint                  -- of that one
);

-- What the request had asked for, so that another attempt keeps to it.
ALTER TABLE call_attempt ADD wish jsonb;
-- All attempts of a call begin before this; null = 15 s after it was made.
ALTER TABLE call_attempt ADD send_by bigint;
-- It failed for the sake of its line (its session): the channel may well do.
ALTER TABLE call_attempt ADD line_fault boolean NOT NULL DEFAULT false;
-- Somebody wants this call's line: it is asked about before others.
ALTER TABLE call_attempt ADD query_asked bigint;

CREATE INDEX binding_lines ON binding USING gin (lines jsonb_path_ops);
-- The pool of a tenant: its lines on a channel, least recently used first.
CREATE INDEX agent_pool ON agent (tenant, channel, last_used NULLS FIRST, agent) WHERE desired = 'online';
