-- migrate:up

-- The record: events in commit order, the heads of their streams, and what became of every command.
-- The bytes under each hash are described in infra/chain.py. Names compare by their bytes (COLLATE "C"): cheaper, and
-- the same on every system.

CREATE TABLE log_head (
    shard integer PRIMARY KEY,
    position bigint NOT NULL DEFAULT 0,
    last_recorded_at timestamptz NOT NULL DEFAULT '-infinity',
    outcome_sequence bigint NOT NULL DEFAULT 0,
    outcome_hash bytea NOT NULL DEFAULT decode(repeat('00', 32), 'hex')
) WITH (fillfactor = 10);  -- updated by every batch, always on its own page

COMMENT ON TABLE log_head IS
    'One row a shard: the append lock and the position counter at once, so positions are dense and in commit order.';

CREATE TABLE events (
    shard integer NOT NULL,
    position bigint NOT NULL,
    stream text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    topic text COLLATE "C" NOT NULL,
    effective_on date NOT NULL,
    recorded_at timestamptz NOT NULL,
    state bytea NOT NULL,
    prev_hash bytea NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT events_pkey PRIMARY KEY (shard, position),
    CONSTRAINT events_stream_version_key UNIQUE (stream, version),
    CONSTRAINT events_are_numbered_from_1 CHECK (position > 0 AND version > 0),
    CONSTRAINT events_have_hashes CHECK (octet_length(prev_hash) = 32 AND octet_length(hash) = 32)
);

-- Stored bytes stay as they are: an auditor reads them with convert_from(state, 'UTF8').
ALTER TABLE events ALTER COLUMN state SET STORAGE MAIN;

CREATE TABLE stream_heads (
    stream text COLLATE "C" PRIMARY KEY,
    shard integer NOT NULL,
    version bigint NOT NULL,
    hash bytea NOT NULL
) WITH (fillfactor = 70);  -- room on the page for updates that touch no index

CREATE TABLE outcomes (
    shard integer NOT NULL,
    sequence bigint NOT NULL,
    scope text COLLATE "C",
    key text COLLATE "C",
    request_hash bytea,
    command text NOT NULL,
    actor text NOT NULL,
    status text NOT NULL,
    stream text COLLATE "C" NOT NULL,
    version bigint,
    position bigint,
    code text,
    detail text,
    field text,
    recorded_at timestamptz NOT NULL,
    prev_hash bytea NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT outcomes_pkey PRIMARY KEY (shard, sequence),
    CONSTRAINT outcomes_scope_key_key UNIQUE (scope, key),
    CONSTRAINT outcomes_are_recorded_or_refused CHECK (
        CASE status
            WHEN 'recorded' THEN code IS NULL AND version IS NOT NULL
            WHEN 'refused' THEN code IS NOT NULL AND version IS NULL AND position IS NULL
            ELSE false
        END
    ),
    CONSTRAINT outcomes_keys_are_whole CHECK (
        (scope IS NULL) = (key IS NULL) AND (key IS NULL) = (request_hash IS NULL)
    )
);

COMMENT ON TABLE outcomes IS
    'What became of each command that carried an idempotency key, and of every refused one.';

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $refuse_change$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'integrity_constraint_violation';
END
$refuse_change$;

CREATE TRIGGER events_are_final BEFORE UPDATE OR DELETE OR TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER outcomes_are_final BEFORE UPDATE OR DELETE OR TRUNCATE ON outcomes
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

INSERT INTO log_head (shard) VALUES (0);

-- migrate:down
