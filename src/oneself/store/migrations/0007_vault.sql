-- Tokens of sign-ins that nobody redeemed, kept for the account that they are of: tried before a grant is called dead.
-- What is sealed is bound to the project, user, account and scopes of its row.

CREATE TABLE token_candidates (
    project_id TEXT NOT NULL,
    account_id TEXT NOT NULL,
    scopes TEXT NOT NULL,
    sealed BYTEA NOT NULL,
    expires_at BIGINT NOT NULL,
    kept_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, account_id, scopes),
    FOREIGN KEY (project_id, account_id) REFERENCES external_accounts (project_id, id) ON DELETE CASCADE
);
CREATE INDEX token_candidates_age ON token_candidates (kept_at);

-- Trips whose grant waits to be redeemed, by when it ends.
CREATE INDEX flows_parked ON flows (expires_at) WHERE stage = 'parked';

-- For refreshing ahead of the end: what lives and can be renewed, by when it ends.
CREATE INDEX token_sets_end ON token_sets (expires_at) WHERE has_refresh_token AND dead_at = 0;
