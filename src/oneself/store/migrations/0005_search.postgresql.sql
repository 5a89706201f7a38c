-- An index behind every operand of a search. Beginnings are found in the order of bytes, whatever the database's own
-- order of letters is; the domain of an address is a column of its own, computed.

ALTER TABLE emails ALTER COLUMN folded TYPE TEXT COLLATE "C";
ALTER TABLE emails ADD COLUMN domain TEXT COLLATE "C" GENERATED ALWAYS AS (substr(folded, strpos(folded, '@') + 1)) STORED;
DROP INDEX emails_folded;
CREATE INDEX emails_folded ON emails (project_id, folded, user_id);
CREATE INDEX emails_domain ON emails (project_id, domain, user_id);
CREATE INDEX accounts_provider ON external_accounts (project_id, provider, user_id) WHERE allow_sign_in;
CREATE INDEX users_status ON users (project_id, status, created_at, id);
CREATE INDEX users_password ON users (project_id, created_at, id) WHERE password_hash <> '';
