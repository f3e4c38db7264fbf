-- Times are microseconds since 1970 (UTC), ids sixteen bytes, JSON is text. The same statements stand in both folders;
-- only the type names differ (blob).

create table installation (
    name  text primary key,
    value text not null
);

create table workspaces (
    id         blob primary key,
    slug       text not null unique,
    name       text not null,
    zone       text not null,
    data_key   blob not null,          -- wrapped by a root key of the vault
    event_seq  bigint not null default 0, -- the number of its last event
    created_at bigint not null
);

create table people (
    id             blob primary key,
    email          text not null unique,  -- lower case
    name           text not null,
    password_hash  text,
    is_operator    boolean not null,
    last_workspace blob,
    created_at     bigint not null
);

create table memberships (
    workspace_id blob not null references workspaces(id) on delete cascade,
    person_id    blob not null references people(id) on delete cascade,
    role         text not null,
    created_at   bigint not null,
    primary key (workspace_id, person_id)
);
create index memberships_person on memberships (person_id);

create table sessions (
    id           blob primary key,
    token_hash   blob not null unique,
    person_id    blob not null references people(id) on delete cascade,
    created_at   bigint not null,
    last_seen_at bigint not null,
    ends_at      bigint not null            -- wall time, in any case
);
create index sessions_end on sessions (ends_at);

create table sign_in_tries (
    subject     text primary key,           -- "person:…" or "source:…", hashed where it is personal
    window_from bigint not null,
    tries       bigint not null
);

create table platform_apps (
    id         blob primary key,
    platform   text not null,
    client_id  text not null,
    secret     blob not null,              -- sealed, installation scope
    created_at bigint not null,
    unique (platform, client_id)
);

create table grants (
    id                 blob primary key,
    workspace_id       blob not null references workspaces(id) on delete cascade,
    app_id             blob not null references platform_apps(id),
    platform           text not null,
    remote_person      text not null,
    login_of           text not null,       -- the name of who signs in
    scopes             text not null,       -- JSON list of what was granted
    state              text not null,       -- code of GrantState
    since              bigint,
    cause              text,                -- JSON of Cause
    attempt            bigint not null default 0,
    retry_at           bigint,
    generation         bigint not null,     -- of the newest tokens
    issued_at          bigint not null,
    access_expires_at  bigint,
    refresh_expires_at bigint,
    has_refresh        boolean not null,
    expires_at         bigint,
    act_by             bigint,
    act_by_is_stated   boolean not null,
    renewed_by         text not null,
    refresh_at         bigint,
    probe_at           bigint,              -- next check of the login
    warn_at            bigint,              -- next step of the warning ladder
    work_at            bigint,              -- the earliest of retry_at, refresh_at, probe_at, warn_at that the keeper acts on
    last_good_at       bigint,
    verdict            text,                -- JSON of the last Verdict that mattered
    spread             bigint not null,     -- jitter of its own, 0 to 999999
    fence              bigint not null default 0, -- grows with each lease
    lease_id           blob,
    lease_until        bigint,              -- wall time
    lease_holder       blob,
    linked_at          bigint not null,     -- the first consent
    signed_in_at       bigint not null      -- the last consent
);
create index grants_work on grants (work_at) where work_at is not null;
create index grants_workspace on grants (workspace_id);
create index grants_person on grants (app_id, remote_person);
create unique index grants_once on grants (workspace_id, app_id, remote_person);

create table token_generations (
    grant_id           blob not null references grants(id) on delete cascade,
    generation         bigint not null,
    workspace_id       blob not null,
    access             blob not null,      -- sealed
    refresh            blob,               -- sealed
    issued_at          bigint not null,
    access_expires_at  bigint,
    refresh_expires_at bigint,
    proven_at          bigint,              -- when its access token first worked
    primary key (grant_id, generation)
);

create table refresh_attempts (
    id           blob primary key,
    workspace_id blob not null,
    grant_id     blob not null references grants(id) on delete cascade,
    generation   bigint not null,           -- the pair that was offered
    fence        bigint not null,
    sent_at      bigint not null,           -- world time; written before the request leaves
    ended_at     bigint,
    outcome      text,                      -- renewed, not_done, unknown, refused; null while under way
    verdict      text
);
create index refresh_attempts_grant on refresh_attempts (grant_id, sent_at);

create table consents (
    id           blob primary key,
    workspace_id blob not null references workspaces(id) on delete cascade,
    person_id    blob not null references people(id) on delete cascade,
    platform     text not null,
    app_id       blob not null references platform_apps(id),
    grant_id     blob,                     -- the login to bring back; null for a first link
    state_hash   blob not null unique,
    flow_hash    blob not null,
    verifier     blob not null,            -- sealed PKCE verifier
    created_at   bigint not null,           -- wall time
    expires_at   bigint not null,           -- wall time
    used_at      bigint,                    -- wall time; set in the one statement that spends it
    tokens       blob,                     -- sealed JSON of what the consent brought, while a choice is open
    result       text                       -- JSON of ConsentOutcome
);
create index consents_end on consents (expires_at);

create table accounts (
    id           blob primary key,
    workspace_id blob not null references workspaces(id) on delete cascade,
    grant_id     blob not null references grants(id),
    platform     text not null,
    remote_id    text not null,
    name         text not null,
    handle       text,
    picture      text,
    boards       text not null,             -- JSON list of places inside it
    access       blob,                     -- sealed token of its own (Facebook page token)
    state        text not null,             -- code of AccountState
    since        bigint,
    cause        text,
    verdict      text,
    is_paused    boolean not null default false,
    probe_at     bigint,
    last_good_at bigint,
    late_at_most bigint not null,           -- how late a delivery may go out, in seconds
    linked_at    bigint not null,
    unique (workspace_id, platform, remote_id)
);
create index accounts_grant on accounts (grant_id);

-- Days on which an account could not post, or trouble was handled: the health strip.
create table account_days (
    account_id blob not null references accounts(id) on delete cascade,
    day        bigint not null,             -- days since 1970 (UTC)
    health     text not null,
    primary key (account_id, day)
);

create table posts (
    id           blob primary key,
    workspace_id blob not null references workspaces(id) on delete cascade,
    author_id    blob not null,
    is_draft     boolean not null,
    is_deleted   boolean not null default false,
    revision_id  blob not null,            -- the newest
    due_at       bigint,
    wall_date    text,                      -- as the person picked it
    wall_time    text,
    zone         text,
    not_after    bigint,
    came_from    blob,                     -- the account whose unlinking made this draft
    created_at   bigint not null,
    updated_at   bigint not null
);
create index posts_workspace on posts (workspace_id, due_at);

create table post_revisions (
    id           blob primary key,
    workspace_id blob not null,
    post_id      blob not null references posts(id) on delete cascade,
    number       bigint not null,
    content      text not null,             -- JSON of post::Content
    created_by   blob not null,
    created_at   bigint not null,
    unique (post_id, number)
);

create table deliveries (
    id            blob primary key,
    workspace_id  blob not null references workspaces(id) on delete cascade,
    post_id       blob not null references posts(id) on delete cascade,
    revision_id   blob not null references post_revisions(id),
    account_id    blob not null references accounts(id),
    platform      text not null,
    due_at        bigint not null,
    state         text not null,            -- code of DeliveryState
    detail        text not null,            -- JSON of DeliveryState
    work_at       bigint,                   -- when a worker has something to do with it; null: nothing
    attempts      bigint not null default 0,
    first_tried_at bigint,
    checked_at    bigint,                   -- pre-flight done
    remote_id     text,
    published_at  bigint,
    fence         bigint not null default 0,
    lease_id      blob,
    lease_until   bigint,                   -- wall time
    lease_holder  blob,
    created_at    bigint not null,
    updated_at    bigint not null
);
create index deliveries_work on deliveries (platform, work_at) where work_at is not null;
create index deliveries_ahead on deliveries (account_id, due_at) where work_at is not null;
create index deliveries_unclear on deliveries (platform, work_at) where state in ('committing', 'confirming');
create index deliveries_lease on deliveries (lease_id) where lease_id is not null;
create index deliveries_post on deliveries (post_id);
create index deliveries_account on deliveries (account_id, due_at);
create index deliveries_state on deliveries (workspace_id, state, due_at);
create unique index deliveries_remote on deliveries (account_id, remote_id) where remote_id is not null;

-- Results of repeatable steps, remembered so that a resumed delivery does not repeat them.
create table delivery_steps (
    delivery_id blob not null references deliveries(id) on delete cascade,
    number      bigint not null,
    kind        text not null,
    result      text not null,
    at          bigint not null,
    primary key (delivery_id, number)
);

-- Every try of a publish step and every look, and with it the story for the proof.
create table publish_attempts (
    id           blob primary key,
    workspace_id blob not null,
    delivery_id  blob not null references deliveries(id) on delete cascade,
    kind         text not null,             -- planned, check, prepare, commit, look, read_back, ask, answer, miss, reschedule, cancel
    fence        bigint not null,
    sent_at      bigint not null,           -- world time; for commits written before the request leaves
    ended_at     bigint,
    outcome      text,                      -- done, not_done, unknown, refused, found, not_found, …; null while under way
    detail       text                       -- JSON of a Verdict, or other facts
);
create index publish_attempts_delivery on publish_attempts (delivery_id, sent_at);

-- Until when an app or account must not be called, as the platform told us.
create table limits (
    subject text primary key,               -- "app:{id}" or "account:{id}"
    until   bigint not null,
    code    text
);

create table media (
    id           blob primary key,
    workspace_id blob not null references workspaces(id) on delete cascade,
    kind         text not null,
    width        bigint not null,
    height       bigint not null,
    bytes        bigint not null,
    created_by   blob not null,
    created_at   bigint not null
);

create table catch_ups (
    id           blob primary key,
    workspace_id blob not null references workspaces(id) on delete cascade,
    person_id    blob not null,
    at           bigint not null,
    moves        text not null,             -- JSON: per delivery what it was before
    first_due_at bigint not null,
    undone_at    bigint
);

create table threads (
    id           blob primary key,
    workspace_id blob not null references workspaces(id) on delete cascade,
    root_key     text not null,
    root         text not null,             -- JSON of inbox::Root
    stage        text not null,             -- JSON of inbox::Stage
    needs        boolean not null,
    opened_at    bigint not null,
    updated_at   bigint not null,
    resolved_at  bigint,
    entry_count  bigint not null
);
create unique index threads_open on threads (workspace_id, root_key) where resolved_at is null;
create index threads_updated on threads (workspace_id, updated_at);

create table thread_entries (
    thread_id blob not null references threads(id) on delete cascade,
    number    bigint not null,
    at        bigint not null,
    stage     text not null,                -- JSON of inbox::Stage
    primary key (thread_id, number)
);

create table thread_reads (
    thread_id blob not null references threads(id) on delete cascade,
    person_id blob not null references people(id) on delete cascade,
    number    bigint not null,              -- the last entry that was read
    primary key (thread_id, person_id)
);

create table events (
    workspace_id blob not null references workspaces(id) on delete cascade,
    seq          bigint not null,
    kind         text not null,
    at           bigint not null,
    primary key (workspace_id, seq)
);

create table audit (
    id           blob primary key,
    workspace_id blob,
    person_id    blob,
    action       text not null,
    object       text not null,
    at           bigint not null
);
create index audit_workspace on audit (workspace_id, at);
