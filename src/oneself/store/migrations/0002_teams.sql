-- Teams: groups of users of one project. The members of a team of the project `internal` own projects.

CREATE TABLE teams (
    project_id TEXT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    id TEXT NOT NULL,
    display_name TEXT NOT NULL,
    picture_url TEXT NOT NULL,
    client_metadata TEXT NOT NULL,
    client_read_only_metadata TEXT NOT NULL,
    server_metadata TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, id)
);

CREATE TABLE team_members (
    project_id TEXT NOT NULL,
    team_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    joined_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, team_id, user_id),
    FOREIGN KEY (project_id, team_id) REFERENCES teams (project_id, id) ON DELETE CASCADE,
    FOREIGN KEY (project_id, user_id) REFERENCES users (project_id, id) ON DELETE CASCADE
);
CREATE INDEX team_members_user ON team_members (project_id, user_id);
CREATE INDEX projects_owner ON projects (owner_team_id);
