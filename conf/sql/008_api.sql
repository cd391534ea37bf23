-- Who may ask, how much, and who was shown what (api.md).

-- Tenants made by `ccd tenant`; those of cc.yaml are not here. Null = as if it were not given.
CREATE TABLE tenant (
  name         varchar(32) PRIMARY KEY,
  settings     jsonb       NOT NULL,  -- as under tenants: in cc.yaml, without keys
  disabled     boolean     NOT NULL DEFAULT false,
  created      bigint      NOT NULL,
  updated      bigint      NOT NULL
);

-- Keys made by `ccd key`, of tenants of either kind. What opens is in api_secret.
CREATE TABLE api_key (
  tenant     varchar(32) NOT NULL,
  id         varchar(64) NOT NULL,  -- a name for logs, unique in its tenant
  scopes     text[]      NOT NULL,
  addresses  text[]      NOT NULL DEFAULT '{}',  -- networks; none = from anywhere
  note       varchar(256),
  created    bigint      NOT NULL,
  PRIMARY KEY (tenant, id)
);

-- Two of a key at most are live: the one in use, and the one that takes its place.
CREATE TABLE api_secret (
  sha256   bytea       PRIMARY KEY,  -- of the key; the key itself is nowhere
  tenant   varchar(32) NOT NULL,
  key      varchar(64) NOT NULL,
  created  bigint      NOT NULL,
  expires  bigint,                   -- null = never
  revoked  bigint,
  used     bigint,                   -- last, give or take a minute
  FOREIGN KEY (tenant, key) REFERENCES api_key (tenant, id) ON DELETE CASCADE
);
CREATE INDEX api_secret_key ON api_secret (tenant, key);

-- Raised by each change of the three: daemons look at it each second.
CREATE TABLE access_revision (one boolean PRIMARY KEY DEFAULT true CHECK (one), revision bigint NOT NULL DEFAULT 1);
INSERT INTO access_revision DEFAULT VALUES;

-- What of its limit a tenant has left: tokens of a bucket that is refilled by PostgreSQL's clock. The row
-- `open` is only locked: who makes a call of a tenant with limited calls holds it while he counts. Unlogged,
-- so that nobody waits for a disk: after a crash all buckets are full.
CREATE UNLOGGED TABLE tenant_usage (
  tenant   varchar(32) NOT NULL,
  kind     varchar(8)  NOT NULL CHECK (kind IN ('rate', 'open')),
  tokens   double precision NOT NULL DEFAULT 0,
  refilled timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (tenant, kind)
);

CREATE TABLE audit (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at         bigint       NOT NULL,
  tenant     varchar(32)  NOT NULL,
  key        varchar(96)  NOT NULL,
  action     varchar(32)  NOT NULL,
  request_id varchar(64),
  address    varchar(64),
  calls      bigint[],
  count      bigint       NOT NULL DEFAULT 0,
  detail     jsonb
);
CREATE INDEX audit_tenant ON audit (tenant, id DESC);
CREATE INDEX audit_key ON audit (tenant, key, id DESC);
CREATE INDEX audit_action ON audit (tenant, action, id DESC);
CREATE INDEX audit_at ON audit (at);
CREATE INDEX audit_request ON audit (request_id) WHERE request_id IS NOT NULL;
CREATE INDEX audit_calls ON audit USING gin (calls);

-- Refused requests for calls say what they were about, numbers masked.
ALTER TABLE rejection ADD key varchar(64);
ALTER TABLE rejection ADD status smallint;
ALTER TABLE rejection ADD caller varchar(16);
ALTER TABLE rejection ADD called varchar(16);
ALTER TABLE rejection ADD agent varchar(64);
ALTER TABLE rejection ADD user_id varchar(64);
ALTER TABLE rejection ADD channel varchar(8);
ALTER TABLE rejection ADD business varchar(32);
ALTER TABLE rejection ADD biz_type varchar(32);
ALTER TABLE rejection ADD biz_id varchar(64);
ALTER TABLE rejection ADD call bigint;
UPDATE rejection SET code = CASE code WHEN 'unable' THEN 'channel-unable' WHEN 'key_reused' THEN 'idempotency-key-reused'
  WHEN 'no_main_number' THEN 'invalid-request' WHEN 'unknown_call' THEN 'invalid-request' ELSE replace(code, '_', '-') END;
DROP INDEX rejection_tenant;
CREATE INDEX rejection_tenant ON rejection (tenant, id DESC);

-- A tenant's open calls are counted where it may have so many only.
CREATE INDEX call_record_tenant_open ON call_record (tenant, id) WHERE state <> 'close';

-- What calls are looked for by. Each of a tenant's, newest first; a filter that none of these knows (state,
-- channel, closeType, business) is checked row by row. On a database with years of calls this takes its
-- time: calls are made again when it is done.
CREATE INDEX call_record_agent ON call_record (tenant, agent, id DESC) WHERE agent IS NOT NULL;
CREATE INDEX call_record_user ON call_record (tenant, user_id, id DESC) WHERE user_id IS NOT NULL;
CREATE INDEX call_record_called ON call_record (tenant, called, id DESC) WHERE called IS NOT NULL;
CREATE INDEX call_record_caller ON call_record (tenant, caller, id DESC) WHERE caller IS NOT NULL;
DROP INDEX call_record_biz;
-- An id of the application's is of few calls, so type and id together need no index of their own.
CREATE INDEX call_record_biz_id ON call_record (tenant, biz_id, id DESC) WHERE biz_id IS NOT NULL;
CREATE INDEX call_record_biz_type ON call_record (tenant, biz_type, id DESC) WHERE biz_type IS NOT NULL;
