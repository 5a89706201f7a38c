-- Signing keys follow one another: each use counts its keys, and each key says from when it signs. `stage` is read by
-- code before this step alone.

ALTER TABLE signing_keys ADD COLUMN generation BIGINT NOT NULL DEFAULT 0;
ALTER TABLE signing_keys ADD COLUMN signs_at BIGINT NOT NULL DEFAULT 0;
UPDATE signing_keys SET signs_at = created_at;
CREATE UNIQUE INDEX signing_keys_generation ON signing_keys (project_id, use_name, generation);
CREATE INDEX signing_keys_due ON signing_keys (signs_at) WHERE retires_at = 0;
CREATE INDEX signing_keys_retired ON signing_keys (retires_at) WHERE retires_at <> 0;
