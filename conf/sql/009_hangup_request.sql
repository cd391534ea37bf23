-- Who asked for the hang-up, for the log: the request for the call stands beside it. In a file of its own:
-- a transaction that holds call_record too would wait for a daemon that waits for it.
ALTER TABLE call_attempt ADD hangup_request_id varchar(64);
