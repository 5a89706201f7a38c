-- The first schema: projects, users and what belongs to them, trips, sessions, the vault, signing keys and the audit.
-- One text for SQLite and PostgreSQL. Every key begins with the project. Times are microseconds since 1970 (UTC);
-- 0 stands for "never" so that no column needs NULL to say it.

CREATE TABLE projects (
    id TEXT NOT NULL PRIMARY KEY,
    display_name TEXT NOT NULL,
    environment TEXT NOT NULL,
    stytch_id TEXT NOT NULL,
    stytch_public_token TEXT NOT NULL,
    stytch_callback_id TEXT NOT NULL,
    stack_id TEXT NOT NULL,
    owner_team_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    config TEXT NOT NULL
);
CREATE UNIQUE INDEX projects_stytch_id ON projects (stytch_id);
CREATE UNIQUE INDEX projects_stytch_public_token ON projects (stytch_public_token);
CREATE UNIQUE INDEX projects_stytch_callback_id ON projects (stytch_callback_id);
CREATE UNIQUE INDEX projects_stack_id ON projects (stack_id);
CREATE INDEX projects_changed ON projects (changed_at);

CREATE TABLE project_keys (
    project_id TEXT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    id TEXT NOT NULL,
    set_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    hash BYTEA NOT NULL,
    last_four TEXT NOT NULL,
    description TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, id)
);
CREATE UNIQUE INDEX project_keys_hash ON project_keys (project_id, kind, hash);

-- The data key of a project, wrapped by a master key; deleting the row shreds what it sealed.
CREATE TABLE data_keys (
    project_id TEXT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    id TEXT NOT NULL,
    wrapped BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, id)
);

CREATE TABLE signing_keys (
    project_id TEXT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    use_name TEXT NOT NULL,
    kid TEXT NOT NULL,
    stage TEXT NOT NULL,
    public_jwk TEXT NOT NULL,
    sealed_private BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    retires_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, use_name, kid)
);
CREATE UNIQUE INDEX signing_keys_current ON signing_keys (project_id, use_name) WHERE stage = 'current';

CREATE TABLE users (
    project_id TEXT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    id TEXT NOT NULL,
    version BIGINT NOT NULL,
    security_epoch BIGINT NOT NULL,
    status TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    signed_up_at BIGINT NOT NULL,
    last_active_at BIGINT NOT NULL,
    is_anonymous BOOLEAN NOT NULL,
    display_name TEXT NOT NULL,
    first_name TEXT NOT NULL,
    middle_name TEXT NOT NULL,
    last_name TEXT NOT NULL,
    folded_name TEXT NOT NULL,
    picture_url TEXT NOT NULL,
    external_id TEXT NOT NULL,
    client_metadata TEXT NOT NULL,
    client_read_only_metadata TEXT NOT NULL,
    server_metadata TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    password_id TEXT NOT NULL,
    extras TEXT NOT NULL,
    PRIMARY KEY (project_id, id)
);
CREATE UNIQUE INDEX users_external_id ON users (project_id, external_id) WHERE external_id <> '';
CREATE INDEX users_created ON users (project_id, created_at, id);
CREATE INDEX users_signed_up ON users (project_id, signed_up_at, id);

-- Who was deleted, so that an id never means somebody else, and where somebody merged went.
CREATE TABLE user_tombstones (
    project_id TEXT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    id TEXT NOT NULL,
    deleted_at BIGINT NOT NULL,
    merged_into TEXT NOT NULL,
    PRIMARY KEY (project_id, id)
);

CREATE TABLE emails (
    project_id TEXT NOT NULL,
    id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    address TEXT NOT NULL,
    folded TEXT NOT NULL,
    verified_at BIGINT NOT NULL,
    verified_by TEXT NOT NULL,
    is_primary BOOLEAN NOT NULL,
    claims_sign_in BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, id),
    FOREIGN KEY (project_id, user_id) REFERENCES users (project_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX emails_sign_in ON emails (project_id, folded) WHERE claims_sign_in;
CREATE UNIQUE INDEX emails_primary ON emails (project_id, user_id) WHERE is_primary;
CREATE UNIQUE INDEX emails_user ON emails (project_id, user_id, folded);
CREATE INDEX emails_folded ON emails (project_id, folded);

CREATE TABLE phones (
    project_id TEXT NOT NULL,
    id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    number TEXT NOT NULL,
    verified_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, id),
    FOREIGN KEY (project_id, user_id) REFERENCES users (project_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX phones_number ON phones (project_id, number);
CREATE INDEX phones_user ON phones (project_id, user_id);

-- One account at one provider, linked to one user. The three laws of linking are its unique indexes.
CREATE TABLE external_accounts (
    project_id TEXT NOT NULL,
    id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    config_id TEXT NOT NULL,
    provider TEXT NOT NULL,
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    sign_in_slot TEXT NOT NULL,
    allow_sign_in BOOLEAN NOT NULL,
    allow_connected_accounts BOOLEAN NOT NULL,
    email TEXT NOT NULL,
    email_verified BOOLEAN NOT NULL,
    email_id TEXT NOT NULL,
    picture_url TEXT NOT NULL,
    locale TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, id),
    FOREIGN KEY (project_id, user_id) REFERENCES users (project_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX accounts_sign_in_owner ON external_accounts (project_id, config_id, issuer, subject)
    WHERE allow_sign_in;
CREATE UNIQUE INDEX accounts_no_twin ON external_accounts (project_id, user_id, config_id, issuer, subject);
CREATE UNIQUE INDEX accounts_sign_in_slot ON external_accounts (project_id, user_id, config_id, sign_in_slot)
    WHERE allow_sign_in;
CREATE INDEX accounts_subject ON external_accounts (project_id, config_id, issuer, subject);
CREATE INDEX accounts_created ON external_accounts (project_id, created_at, id);

-- One row per browser trip. Its secrets are hashes; what the provider proved waits sealed in `parked`.
CREATE TABLE flows (
    project_id TEXT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    id TEXT NOT NULL,
    dialect TEXT NOT NULL,
    kind TEXT NOT NULL,
    stage TEXT NOT NULL,
    config_id TEXT NOT NULL,
    key_id TEXT NOT NULL,
    ticket_hash BYTEA NOT NULL,
    state_hash BYTEA NOT NULL,
    cookie_hash BYTEA NOT NULL,
    grant_hash BYTEA NOT NULL,
    user_id TEXT NOT NULL,
    asker_session_id TEXT NOT NULL,
    asker_epoch BIGINT NOT NULL,
    asker_by_backend BOOLEAN NOT NULL,
    trip TEXT NOT NULL,
    parked BYTEA NOT NULL,
    result TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, id)
);
CREATE INDEX flows_expiry ON flows (expires_at);

CREATE TABLE sessions (
    project_id TEXT NOT NULL,
    id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    token_hash BYTEA NOT NULL,
    started_at BIGINT NOT NULL,
    last_accessed_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    factors TEXT NOT NULL,
    custom_claims TEXT NOT NULL,
    ip_address TEXT NOT NULL,
    user_agent TEXT NOT NULL,
    is_impersonation BOOLEAN NOT NULL,
    PRIMARY KEY (project_id, id),
    FOREIGN KEY (project_id, user_id) REFERENCES users (project_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX sessions_token ON sessions (project_id, token_hash);
CREATE INDEX sessions_user ON sessions (project_id, user_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

-- The vault: one row per grant of a provider, told apart by the scopes that were granted.
CREATE TABLE token_sets (
    project_id TEXT NOT NULL,
    account_id TEXT NOT NULL,
    scopes TEXT NOT NULL,
    sealed BYTEA NOT NULL,
    has_refresh_token BOOLEAN NOT NULL,
    obtained_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    dead_at BIGINT NOT NULL,
    fence BIGINT NOT NULL,
    lease_owner TEXT NOT NULL,
    lease_until BIGINT NOT NULL,
    retry_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, account_id, scopes),
    FOREIGN KEY (project_id, account_id) REFERENCES external_accounts (project_id, id) ON DELETE CASCADE
);

-- What a refresh was about to do: a row that says "sent" and has no outcome is an ambiguous grant.
CREATE TABLE refresh_journal (
    project_id TEXT NOT NULL,
    account_id TEXT NOT NULL,
    scopes TEXT NOT NULL,
    fence BIGINT NOT NULL,
    state TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (project_id, account_id, scopes, fence),
    FOREIGN KEY (project_id, account_id, scopes) REFERENCES token_sets (project_id, account_id, scopes)
        ON DELETE CASCADE
);

-- Audit and event in one row, in the order of the user's versions; ids only, no addresses.
CREATE TABLE audit (
    project_id TEXT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    user_id TEXT NOT NULL,
    user_version BIGINT NOT NULL,
    id TEXT NOT NULL,
    at BIGINT NOT NULL,
    action TEXT NOT NULL,
    decision TEXT NOT NULL,
    reason TEXT NOT NULL,
    actor TEXT NOT NULL,
    dialect TEXT NOT NULL,
    account_id TEXT NOT NULL,
    flow_id TEXT NOT NULL,
    PRIMARY KEY (project_id, user_id, user_version, id)
);
