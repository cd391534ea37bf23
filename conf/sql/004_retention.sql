-- Old months go as whole partitions: nothing is searched, nothing is left behind to be vacuumed.

-- The monthly partitions of a table, oldest first: ids from lower_id up to and without upper_id.
CREATE FUNCTION cc_partitions(parent text)
RETURNS TABLE (child text, lower_id bigint, upper_id bigint) LANGUAGE sql STABLE AS $$
  SELECT c.relname::text,
         (regexp_match(pg_get_expr(c.relpartbound, c.oid), 'FROM \(''(\d+)''\)'))[1]::bigint,
         (regexp_match(pg_get_expr(c.relpartbound, c.oid), 'TO \(''(\d+)''\)'))[1]::bigint
  FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
  WHERE i.inhparent = to_regclass(parent) ORDER BY 2
$$;

-- Whether a call of these ids is open, or holds a line or a handset.
CREATE FUNCTION cc_calls_in_use(lower_id bigint, upper_id bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT 1 FROM call_record r WHERE r.id >= lower_id AND r.id < upper_id
                 AND r.state <> 'close' AND r.merged_into IS NULL)
      OR EXISTS (SELECT 1 FROM claim c WHERE c.call >= lower_id AND c.call < upper_id AND c.released IS NULL)
$$;

-- Takes a month off its table: 'retired', 'in use' or 'gone' (somebody else did). Fails with 55P03 where
-- the table can't be had within 100 ms, so that whoever drains or reads is never kept waiting for
-- longer. The data goes by cc_drop_retired(), which no one waits for.
CREATE FUNCTION cc_retire_partition(parent text, child text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  lower_bound bigint;
  upper_bound bigint;
BEGIN
  PERFORM set_config('lock_timeout', '100ms', true);
  EXECUTE format('LOCK TABLE ONLY %I IN ACCESS EXCLUSIVE MODE', parent);
  SELECT p.lower_id, p.upper_id INTO lower_bound, upper_bound FROM cc_partitions(parent) p WHERE p.child = $2;
  IF NOT FOUND THEN RETURN 'gone'; END IF;
  IF cc_calls_in_use(lower_bound, upper_bound) THEN RETURN 'in use'; END IF;
  EXECUTE format('ALTER TABLE %I DETACH PARTITION %I', parent, child);
  EXECUTE format('ALTER TABLE %I RENAME TO %I', child, 'retired_' || child || '_' || txid_current());
  RETURN 'retired';
END $$;

-- Drops what was taken off, also by a daemon that died in between; says how many.
CREATE FUNCTION cc_drop_retired() RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  name text;
  dropped int := 0;
BEGIN
  PERFORM set_config('lock_timeout', '100ms', true);
  FOR name IN SELECT relname FROM pg_class WHERE relkind = 'r' AND relname ~ '^retired_call_(record|event)_\d+_\d+$'
              AND relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = to_regclass('call_record')) LOOP
    EXECUTE format('DROP TABLE IF EXISTS %I', name);
    dropped := dropped + 1;
  END LOOP;
  RETURN dropped;
END $$;
