-- CC's schema, version 1. Applied by `ccd --migrate`, each file in a transaction of its own.
-- Times are epoch milliseconds, UTC; durations are seconds. Column names and types of call_record are
-- the contract with applications (design.md, section 4).

CREATE SEQUENCE call_id_sequence CYCLE MINVALUE 0 MAXVALUE 4194303 START 0 CACHE 1;

-- One row a call: the fold of its events. id = (ms since 2020-01-01) << 22 + sequence.
CREATE TABLE call_record (
  id             bigint       NOT NULL,
  tenant         varchar(32)  NOT NULL,
  main_num       varchar(16),
  ext_num        varchar(8),
  agent          varchar(64),
  call_id        varchar(64),
  caller         varchar(16),
  called         varchar(16),
  biz_data       text,
  channel        varchar(8),
  ch_state       varchar(32),
  state          varchar(8)   NOT NULL DEFAULT 'init',
  a_call_time    bigint,
  b_call_time    bigint,
  a_offhook_time bigint,
  b_offhook_time bigint,
  conn_time      bigint,
  close_time     bigint,
  duration       int,
  ch_audio_url   varchar(512),
  audio_url      varchar(512),
  ivr_url        varchar(512),
  ivr_text       text,
  close_type     varchar(32),
  updated        bigint       NOT NULL,
  created        bigint       NOT NULL,
  -- CC's own
  direction      varchar(3)   NOT NULL,
  initiator      varchar(8)   NOT NULL,
  business       varchar(32),
  biz_type       varchar(32),
  biz_id         varchar(64),
  user_id        varchar(64),
  progress       varchar(16)  NOT NULL DEFAULT 'queued',
  close_detail   varchar(32),
  closed_by      varchar(8),
  close_source   varchar(16),
  display_requested varchar(64),
  max_duration   int          NOT NULL,
  record         boolean      NOT NULL DEFAULT true,
  recording_state  varchar(16),
  recording_reason varchar(128),
  recording_expected_at bigint,
  merged_into    bigint,
  late_life      boolean      NOT NULL DEFAULT false,
  recovered      boolean      NOT NULL DEFAULT false,
  truncated      boolean      NOT NULL DEFAULT false,
  version        int          NOT NULL DEFAULT 0,
  PRIMARY KEY (id)
) PARTITION BY RANGE (id);

CREATE INDEX call_record_tenant ON call_record (tenant, id DESC);
CREATE INDEX call_record_biz ON call_record (tenant, biz_type, biz_id) WHERE biz_id IS NOT NULL;
CREATE INDEX call_record_open ON call_record (id) WHERE state <> 'close';

-- What happened, once each, never changed but for a smaller `received` of a repeat. `raw` is the
-- delivery's envelope, so that a record can be rebuilt from the bytes; null for CC's own events.
CREATE TABLE call_event (
  call         bigint      NOT NULL,
  event_key    bytea       NOT NULL,
  attempt      smallint    NOT NULL DEFAULT 0,
  source       varchar(8)  NOT NULL,
  name         varchar(24) NOT NULL,
  received     bigint      NOT NULL,
  channel_time bigint,
  facts        jsonb       NOT NULL,
  raw          bytea,
  PRIMARY KEY (call, event_key)
) PARTITION BY RANGE (call);

-- One try at one channel. `owner`, `epoch`: the daemon that took it upon itself to send it.
CREATE TABLE call_attempt (
  call            bigint      NOT NULL,
  attempt         smallint    NOT NULL,
  tenant          varchar(32) NOT NULL,
  channel         varchar(8)  NOT NULL,
  agent           varchar(64) NOT NULL,
  handset         varchar(16),
  caller          varchar(16),
  called          varchar(16),
  channel_call_id varchar(64),
  state           varchar(12) NOT NULL CHECK (state IN ('planned', 'sending', 'accepted', 'refused', 'unknown')),
  superseded      boolean     NOT NULL DEFAULT false,
  reason          varchar(256),
  created         bigint      NOT NULL,
  sent            bigint,
  answered        bigint,
  code            varchar(32),
  message         varchar(256),
  request_id      varchar(64),
  owner           varchar(64),
  epoch           bigint,
  hangup_asked    bigint,  -- an application wants it to end
  hangup_sent     bigint,  -- last try to tell the channel
  hangup_accepted bigint,  -- the channel took it
  query_due       bigint,  -- ask the channel how it ended, not before then
  query_tries     int NOT NULL DEFAULT 0,
  query_problem   varchar(256),  -- why the last query gave nothing; with query_due null: given up
  PRIMARY KEY (call, attempt),
  UNIQUE (channel, channel_call_id)
);
CREATE INDEX call_attempt_unsettled ON call_attempt (created) WHERE state IN ('planned', 'sending');
CREATE INDEX call_attempt_hangup ON call_attempt (hangup_asked) WHERE hangup_asked IS NOT NULL;
CREATE INDEX call_attempt_query ON call_attempt (channel, created DESC) WHERE query_due IS NOT NULL;
CREATE INDEX call_attempt_created ON call_attempt (created);

-- Events of calls that are not known yet.
CREATE TABLE waiting_event (
  event_key       bytea       PRIMARY KEY,
  channel         varchar(8)  NOT NULL,
  channel_call_id varchar(64) NOT NULL,
  subject         varchar(128),
  attempt         smallint    NOT NULL DEFAULT 0,
  source          varchar(8)  NOT NULL,
  name            varchar(24) NOT NULL,
  received        bigint      NOT NULL,
  channel_time    bigint,
  facts           jsonb       NOT NULL,
  raw             bytea,
  inserted        timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX waiting_event_call ON waiting_event (channel, channel_call_id);
CREATE INDEX waiting_event_age ON waiting_event (inserted);

-- The exclusive hold of a call on a line ("e9/13912345678") and on a handset ("13912345678").
CREATE TABLE claim (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind       varchar(8)  NOT NULL CHECK (kind IN ('line', 'handset')),
  resource   varchar(80) NOT NULL,
  call       bigint      NOT NULL,
  attempt    smallint    NOT NULL,
  taken      bigint      NOT NULL,
  release_at bigint,     -- due to be released then: our own clock closed the call
  released   bigint
);
CREATE UNIQUE INDEX claim_held ON claim (kind, resource) WHERE released IS NULL;
CREATE INDEX claim_of_call ON claim (call) WHERE released IS NULL;
CREATE INDEX claim_due ON claim (release_at) WHERE released IS NULL AND release_at IS NOT NULL;
CREATE INDEX claim_released ON claim (released) WHERE released IS NOT NULL;

CREATE TABLE idempotency_key (
  tenant    varchar(32)  NOT NULL,
  key       varchar(128) NOT NULL,
  call      bigint       NOT NULL,
  body_hash bytea        NOT NULL,
  created   bigint       NOT NULL,
  PRIMARY KEY (tenant, key)
);
CREATE INDEX idempotency_key_created ON idempotency_key (created);

-- One row a visible change, committed without a position; numbered afterwards by one owner.
CREATE TABLE change (
  id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant   varchar(32) NOT NULL,
  call     bigint,
  version  int,
  kind     varchar(32) NOT NULL,  -- call.created, call.changed, call.closed, call.amended, …
  at       bigint      NOT NULL,
  data     jsonb,
  position bigint
);
CREATE UNIQUE INDEX change_position ON change (position) WHERE position IS NOT NULL;
CREATE INDEX change_unnumbered ON change (id) WHERE position IS NULL;
CREATE INDEX change_call ON change (call, version);

-- What nobody could read, whole, with the reason.
CREATE TABLE dead_letter (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  delivery_key bytea       NOT NULL UNIQUE,
  channel    varchar(64)  NOT NULL,
  reason     varchar(256) NOT NULL,
  received   bigint       NOT NULL,
  raw        bytea        NOT NULL,
  first_seen bigint       NOT NULL,
  last_seen  bigint       NOT NULL,
  count      int          NOT NULL DEFAULT 1,
  replayed   bigint
);

-- Where the dispatcher stands in each partition, and what it needs to notice a Redis that went back.
CREATE TABLE stream_cursor (
  stream        varchar(64) PRIMARY KEY,
  entry_id      varchar(48) NOT NULL DEFAULT '0-0',
  entries_added bigint      NOT NULL DEFAULT 0,
  highest_id    varchar(48) NOT NULL DEFAULT '0-0',
  run_id        varchar(64),
  owner         varchar(64),
  epoch         bigint      NOT NULL DEFAULT 0,
  updated       bigint      NOT NULL DEFAULT 0,
  drained       bigint      NOT NULL DEFAULT 0  -- all that was received before is in the records
);

CREATE TABLE daemon (
  id      varchar(64) PRIMARY KEY,
  epoch   bigint      NOT NULL DEFAULT 1,
  seen    timestamptz NOT NULL DEFAULT clock_timestamp(),
  started timestamptz NOT NULL DEFAULT clock_timestamp(),
  version varchar(32),
  address varchar(128)
);

-- The whole fleet asks a channel no more often than this allows, by PostgreSQL's clock.
CREATE TABLE channel_budget (
  channel varchar(8)  NOT NULL,
  purpose varchar(16) NOT NULL,
  used    timestamptz NOT NULL,
  PRIMARY KEY (channel, purpose)
);

CREATE TABLE agent (
  channel  varchar(8)  NOT NULL,
  agent    varchar(64) NOT NULL,
  tenant   varchar(32) NOT NULL,
  handset  varchar(16),
  password bytea,        -- encrypted
  session  bytea,        -- encrypted
  desired  varchar(8)   NOT NULL DEFAULT 'offline',
  actual   varchar(16),
  reason   varchar(128),
  last_used bigint,
  owner    varchar(64),
  epoch    bigint,
  updated  bigint       NOT NULL,
  PRIMARY KEY (channel, agent)
);
CREATE INDEX agent_tenant ON agent (tenant, last_used);

CREATE TABLE binding (
  tenant   varchar(32) NOT NULL,
  user_id  varchar(64) NOT NULL,
  lines    jsonb       NOT NULL,  -- [{channel, agent}], in order
  phone    varchar(16),
  fallback varchar(8)  NOT NULL DEFAULT 'auto',
  updated  bigint      NOT NULL,
  PRIMARY KEY (tenant, user_id)
);

-- Whose an inbound number is.
CREATE TABLE number (
  main_num varchar(16) NOT NULL,
  ext_num  varchar(8)  NOT NULL DEFAULT '',
  tenant   varchar(32) NOT NULL,
  agents   jsonb,
  display  varchar(16),
  updated  bigint      NOT NULL,
  PRIMARY KEY (main_num, ext_num)
);

-- Refused requests for a call, for GET /v1/rejections.
CREATE TABLE rejection (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant     varchar(32) NOT NULL,
  at         bigint      NOT NULL,
  code       varchar(32) NOT NULL,
  detail     varchar(256),
  request_id varchar(64)
);
CREATE INDEX rejection_at ON rejection (at);
CREATE INDEX rejection_tenant ON rejection (tenant, at DESC);

-- Makes the monthly partitions of call_record and call_event that [from_ms, to_ms) needs; says how many
-- it made. Called by --migrate and by ccd each hour, always months ahead: there is no default partition,
-- since one that holds rows could not be split without a lock on all of them.
CREATE FUNCTION cc_make_partitions(from_ms bigint, to_ms bigint) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  id_epoch CONSTANT bigint := 1577836800000;
  month timestamp := date_trunc('month', to_timestamp(from_ms / 1000.0) AT TIME ZONE 'UTC');
  lower_id bigint;
  upper_id bigint;
  parent text;
  child text;
  made int := 0;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('cc_make_partitions'));
  WHILE extract(epoch FROM month AT TIME ZONE 'UTC') * 1000 < to_ms LOOP
    lower_id := ((extract(epoch FROM month AT TIME ZONE 'UTC') * 1000)::bigint - id_epoch) << 22;
    upper_id := ((extract(epoch FROM (month + interval '1 month') AT TIME ZONE 'UTC') * 1000)::bigint - id_epoch) << 22;
    FOREACH parent IN ARRAY ARRAY['call_record', 'call_event'] LOOP
      child := parent || '_' || to_char(month, 'YYYYMM');
      IF to_regclass(child) IS NULL THEN
        EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%s) TO (%s)',
                       child, parent, greatest(lower_id, 0), upper_id);
        made := made + 1;
      END IF;
    END LOOP;
    month := month + interval '1 month';
  END LOOP;
  RETURN made;
END $$;
