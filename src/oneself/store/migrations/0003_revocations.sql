-- Grants to hand back to their providers after an unlink or the deletion of a user. A row outlives account and user, so
-- it names them without pointing at them; what is sealed in it stays bound to the project, user and account of its key.

CREATE TABLE revocations (
    project_id TEXT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    account_id TEXT NOT NULL,
    scopes TEXT NOT NULL,
    user_id TEXT NOT NULL,
    config_id TEXT NOT NULL,
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    sealed BYTEA NOT NULL,
    attempts BIGINT NOT NULL,
    next_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, account_id, scopes)
);
CREATE INDEX revocations_due ON revocations (next_at);
