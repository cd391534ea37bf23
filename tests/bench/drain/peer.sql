-- Tables like those that the dispatcher writes, with all their indexes, for the peer's INSERTs.
CREATE TABLE peer_event (LIKE call_event INCLUDING ALL);
CREATE TABLE peer_record (LIKE call_record INCLUDING ALL);
CREATE TABLE peer_change (LIKE change INCLUDING ALL);
