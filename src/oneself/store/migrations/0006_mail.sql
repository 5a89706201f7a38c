-- Mail that waits to be sent, and the one-time codes that mails carry. A row of the outbox names its user without
-- pointing there: what is to be said may outlive who it was about. What is sealed in either opens only in its row.

CREATE TABLE outbox (
    project_id TEXT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    sealed BYTEA NOT NULL,
    attempts BIGINT NOT NULL,
    next_at BIGINT NOT NULL,
    sent_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, id)
);
CREATE INDEX outbox_due ON outbox (next_at);
CREATE INDEX outbox_expiry ON outbox (expires_at);

CREATE TABLE one_time_codes (
    project_id TEXT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    hash BYTEA NOT NULL,
    kind TEXT NOT NULL,
    user_id TEXT NOT NULL,
    email_id TEXT NOT NULL,
    address TEXT NOT NULL,
    folded TEXT NOT NULL,
    security_epoch BIGINT NOT NULL,
    sealed BYTEA NOT NULL,
    attempts BIGINT NOT NULL,
    used_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, hash)
);
CREATE INDEX one_time_codes_asked ON one_time_codes (project_id, kind, folded, created_at);
CREATE INDEX one_time_codes_user ON one_time_codes (project_id, user_id);
CREATE INDEX one_time_codes_expiry ON one_time_codes (expires_at);
