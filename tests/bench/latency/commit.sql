-- The peer: one row, committed and read again, on one connection.
INSERT INTO peer (at) VALUES (1) RETURNING id AS id \gset
SELECT at FROM peer WHERE id = :id;
