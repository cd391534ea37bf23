-- Recordings (and IVR files) on their way from the channel into the store, and what lies there.

-- One row a file. Made in the transaction that folds a call's end, so that none is missed; whoever holds
-- `owner`, `epoch` works on it, anybody may take what a dead owner left.
CREATE TABLE recording (
  call         bigint       NOT NULL,
  file         varchar(8)   NOT NULL CHECK (file IN ('audio', 'ivr')),
  tenant       varchar(32)  NOT NULL,
  channel      varchar(8)   NOT NULL,
  agent        varchar(64),
  channel_call_id varchar(64),
  source       text         NOT NULL,  -- where the channel has it; never logged
  closed       bigint       NOT NULL,  -- when the call ended, epoch ms
  state        varchar(10)  NOT NULL DEFAULT 'expected'
               CHECK (state IN ('expected', 'stored', 'absent', 'deleted', 'orphaned')),
  due          bigint,                 -- not before then; null = nobody has looked yet
  tries        int          NOT NULL DEFAULT 0,
  problem      varchar(256),           -- why the last try failed
  owner        varchar(64),
  epoch        bigint,
  object       varchar(400),           -- its name in the store; set before the first byte goes there
  upload       varchar(1024),          -- a multipart upload under way: to be aborted by who finds it
  size         bigint,
  crc64        varchar(20),            -- unsigned decimal, as OSS has it
  content_type varchar(64),
  store        varchar(200),           -- the one that `object` was put into; null = wherever we put now
  stored       bigint,                 -- when it was complete in the store, epoch ms
  PRIMARY KEY (call, file)
);
CREATE INDEX recording_due ON recording (due NULLS FIRST) WHERE state IN ('expected', 'orphaned');
CREATE INDEX recording_stored ON recording (tenant, stored) WHERE state = 'stored';

-- Calls of before: what their channels may still have.
INSERT INTO recording (call, file, tenant, channel, agent, channel_call_id, source, closed)
SELECT id, 'audio', tenant, channel, agent, call_id, ch_audio_url, coalesce(close_time, updated)
FROM call_record
WHERE id >= ((extract(epoch FROM now()) * 1000)::bigint - 1577836800000 - 30 * 86400000::bigint) << 22
  AND recording_state = 'expected' AND state = 'close' AND merged_into IS NULL
  AND channel IS NOT NULL AND ch_audio_url IS NOT NULL;
