-- How often this database was restored, to be compared with what stands beside the key ring; and whether it is a copy
-- that nobody has restored yet.

CREATE TABLE restore_state (
    id BIGINT NOT NULL PRIMARY KEY,
    epoch BIGINT NOT NULL,
    is_copy BOOLEAN NOT NULL,
    restored_at BIGINT NOT NULL
);
