-- migrate:up

-- The one way events come into the record. A later change of the contract is a new function beside this one.

-- A field under a hash: its length in four bytes, big-endian, then its bytes; the length -1 stands for NULL.
CREATE FUNCTION chain_field(bytea) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce(int4send(octet_length($1)) || $1, '\xffffffff'::bytea);

CREATE FUNCTION chain_field(text) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce(int4send(octet_length(convert_to($1, 'UTF8'))) || convert_to($1, 'UTF8'), '\xffffffff'::bytea);

-- Appends a batch of commands: the first eleven arrays have one element a command, the last three one element
-- an event, in the order of the commands. Answers one row a command, in order. A command's own conflict, reuse or
-- refusal leaves its neighbours alone; several commands on one stream follow one another.
CREATE FUNCTION append_batch_v1(
    p_shard integer,
    p_clock timestamptz,            -- NULL: the server's clock, read under the lock
    p_streams text[],
    p_expected_versions bigint[],   -- 0: the stream must not exist
    p_event_counts bigint[],
    p_scopes text[],                -- NULL in scope, key and hash: a command without a key
    p_keys text[],
    p_request_hashes bytea[],
    p_commands text[],
    p_actors text[],
    p_codes text[],                 -- NULL in code, detail and field: an accepted command
    p_details text[],
    p_fields text[],
    p_topics text[],
    p_effective_on date[],
    p_states bytea[]
) RETURNS TABLE (
    status text,                    -- recorded, refused, duplicate, reused or conflict
    o_version bigint,               -- of the last event; the actual version for a conflict
    o_position bigint,
    o_stream text,                  -- this and the rest: the first outcome of a duplicate
    o_code text,
    o_detail text,
    o_field text
)
LANGUAGE plpgsql VOLATILE
-- The plans must not depend on what the statistics say on the first day, when the tables are empty.
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET plan_cache_mode = force_generic_plan
SET jit = off
SET datestyle = 'ISO, YMD'
AS $append_batch_v1$
DECLARE
    v_head log_head;
    v_now timestamptz;
    v_now_field bytea;
    v_shard_field bytea := chain_field(p_shard::text);
    c record;
    v_i integer;
    v_owner integer;
    v_version bigint;
    v_position bigint;
    v_hash bytea;
    v_prev bytea;
    v_event integer := 0;           -- index of the last event looked at
    -- one element a command
    n integer[] := ARRAY[cardinality(p_streams)];
    v_statuses text[] := array_fill(NULL::text, n);
    v_owners integer[] := array_fill(NULL::integer, n);     -- which command of this batch holds the key's outcome
    v_versions bigint[] := array_fill(NULL::bigint, n);     -- what the command left in its stream
    v_hashes bytea[] := array_fill(NULL::bytea, n);
    v_sequences bigint[] := array_fill(NULL::bigint, n);    -- NULL: no row in outcomes
    v_outcome_prevs bytea[] := array_fill(NULL::bytea, n);
    v_outcome_hashes bytea[] := array_fill(NULL::bytea, n);
    v_o_versions bigint[] := array_fill(NULL::bigint, n);   -- from here on what is answered
    v_o_positions bigint[] := array_fill(NULL::bigint, n);
    v_o_streams text[] := array_fill(NULL::text, n);
    v_o_codes text[] := array_fill(NULL::text, n);
    v_o_details text[] := array_fill(NULL::text, n);
    v_o_fields text[] := array_fill(NULL::text, n);
    -- one element an event; the position is NULL when its command was not recorded
    m integer[] := ARRAY[cardinality(p_topics)];
    e_positions bigint[] := array_fill(NULL::bigint, m);
    e_streams text[] := array_fill(NULL::text, m);
    e_versions bigint[] := array_fill(NULL::bigint, m);
    e_prevs bytea[] := array_fill(NULL::bytea, m);
    e_hashes bytea[] := array_fill(NULL::bytea, m);
BEGIN
    -- The lock comes first and alone: under READ COMMITTED every later statement then sees what was committed
    -- before the lock was granted. Position and counters change only under it.
    SELECT * INTO v_head FROM log_head WHERE shard = p_shard FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'shard % has no log_head row', p_shard;
    END IF;
    v_now := greatest(coalesce(p_clock, clock_timestamp()), v_head.last_recorded_at);
    v_now_field := chain_field((extract(epoch FROM v_now) * 1000000)::bigint::text);

    FOR c IN
        SELECT t.*, h.version AS head_version, h.hash AS head_hash,
            o.request_hash AS known_hash, o.stream AS known_stream, o.version AS known_version,
            o.position AS known_position, o.code AS known_code, o.detail AS known_detail,
            o.field AS known_field,
            lag(t.i) OVER (PARTITION BY t.stream ORDER BY t.i) AS before_on_stream,
            lag(t.i) OVER (PARTITION BY t.scope, t.key ORDER BY t.i) AS before_with_key
        FROM unnest(
            p_streams, p_expected_versions, p_event_counts, p_scopes, p_keys, p_request_hashes,
            p_commands, p_actors, p_codes, p_details, p_fields
        ) WITH ORDINALITY AS t (
            stream, expected, events, scope, key, request_hash, command, actor, code, detail, field, i
        )
        LEFT JOIN stream_heads h ON h.stream = t.stream
        LEFT JOIN outcomes o ON o.scope = t.scope AND o.key = t.key
        ORDER BY t.i
    LOOP
        v_i := c.i;
        IF c.before_on_stream IS NULL THEN
            v_version := coalesce(c.head_version, 0);
            v_hash := coalesce(c.head_hash, '\x0000000000000000000000000000000000000000000000000000000000000000'::bytea);
        ELSE
            v_version := v_versions[c.before_on_stream];
            v_hash := v_hashes[c.before_on_stream];
        END IF;
        v_owner := CASE WHEN c.key IS NOT NULL THEN v_owners[c.before_with_key] END;

        IF c.known_hash IS NOT NULL THEN
            IF c.known_hash = c.request_hash THEN
                v_statuses[v_i] := 'duplicate';
                v_o_versions[v_i] := c.known_version;
                v_o_positions[v_i] := c.known_position;
                v_o_streams[v_i] := c.known_stream;
                v_o_codes[v_i] := c.known_code;
                v_o_details[v_i] := c.known_detail;
                v_o_fields[v_i] := c.known_field;
            ELSE
                v_statuses[v_i] := 'reused';
            END IF;
        ELSIF v_owner IS NOT NULL THEN
            IF p_request_hashes[v_owner] = c.request_hash THEN
                v_statuses[v_i] := 'duplicate';
                v_o_versions[v_i] := v_o_versions[v_owner];
                v_o_positions[v_i] := v_o_positions[v_owner];
                v_o_streams[v_i] := p_streams[v_owner];
                v_o_codes[v_i] := p_codes[v_owner];
                v_o_details[v_i] := p_details[v_owner];
                v_o_fields[v_i] := p_fields[v_owner];
            ELSE
                v_statuses[v_i] := 'reused';
            END IF;
        ELSIF v_version <> c.expected THEN
            v_statuses[v_i] := 'conflict';
            v_o_versions[v_i] := v_version;
        ELSE
            IF c.code IS NOT NULL THEN
                v_statuses[v_i] := 'refused';
            ELSE
                v_statuses[v_i] := 'recorded';
                v_position := NULL;
                FOR k IN v_event + 1 .. v_event + c.events LOOP
                    v_head.position := v_head.position + 1;
                    v_position := v_head.position;
                    v_version := v_version + 1;
                    v_prev := v_hash;
                    v_hash := sha256(
                        v_prev || v_shard_field || chain_field(c.stream) || chain_field(v_version::text)
                        || chain_field(v_position::text) || chain_field(p_topics[k])
                        || chain_field(p_effective_on[k]::text) || v_now_field || chain_field(p_states[k])
                    );
                    e_positions[k] := v_position;
                    e_streams[k] := c.stream;
                    e_versions[k] := v_version;
                    e_prevs[k] := v_prev;
                    e_hashes[k] := v_hash;
                END LOOP;
                v_o_versions[v_i] := v_version;
                v_o_positions[v_i] := v_position;
            END IF;
            IF c.key IS NOT NULL OR c.code IS NOT NULL THEN
                v_owner := v_i;
                v_head.outcome_sequence := v_head.outcome_sequence + 1;
                v_sequences[v_i] := v_head.outcome_sequence;
                v_outcome_prevs[v_i] := v_head.outcome_hash;
                v_head.outcome_hash := sha256(
                    v_head.outcome_hash || v_shard_field || chain_field(v_head.outcome_sequence::text)
                    || chain_field(c.scope) || chain_field(c.key) || chain_field(c.request_hash)
                    || chain_field(c.command) || chain_field(c.actor) || chain_field(v_statuses[v_i])
                    || chain_field(c.stream) || chain_field(v_o_versions[v_i]::text)
                    || chain_field(v_o_positions[v_i]::text) || chain_field(c.code) || chain_field(c.detail)
                    || chain_field(c.field) || v_now_field
                );
                v_outcome_hashes[v_i] := v_head.outcome_hash;
            END IF;
        END IF;
        v_event := v_event + c.events;
        v_versions[v_i] := v_version;
        v_hashes[v_i] := v_hash;
        v_owners[v_i] := v_owner;
    END LOOP;

    INSERT INTO events
        (shard, position, stream, version, topic, effective_on, recorded_at, state, prev_hash, hash)
    SELECT p_shard, t.position, t.stream, t.version, t.topic, t.effective_on, v_now, t.state, t.prev_hash, t.hash
    FROM unnest(
        e_positions, e_streams, e_versions, p_topics, p_effective_on, p_states, e_prevs, e_hashes
    ) AS t (position, stream, version, topic, effective_on, state, prev_hash, hash)
    WHERE t.position IS NOT NULL;

    INSERT INTO stream_heads AS h (stream, shard, version, position, hash)
    SELECT DISTINCT ON (t.stream) t.stream, p_shard, t.version, t.position, t.hash
    FROM unnest(e_streams, e_versions, e_positions, e_hashes) AS t (stream, version, position, hash)
    WHERE t.position IS NOT NULL
    ORDER BY t.stream, t.version DESC
    ON CONFLICT (stream) DO UPDATE
    SET version = excluded.version, position = excluded.position, hash = excluded.hash;

    INSERT INTO outcomes (
        shard, sequence, scope, key, request_hash, command, actor, status, stream, version, position,
        code, detail, field, recorded_at, prev_hash, hash
    )
    SELECT p_shard, t.sequence, t.scope, t.key, t.request_hash, t.command, t.actor, t.status, t.stream,
        t.version, t.position, t.code, t.detail, t.field, v_now, t.prev_hash, t.hash
    FROM unnest(
        v_sequences, p_scopes, p_keys, p_request_hashes, p_commands, p_actors, v_statuses, p_streams,
        v_o_versions, v_o_positions, p_codes, p_details, p_fields, v_outcome_prevs, v_outcome_hashes
    ) AS t (
        sequence, scope, key, request_hash, command, actor, status, stream,
        version, position, code, detail, field, prev_hash, hash
    )
    WHERE t.sequence IS NOT NULL;

    UPDATE log_head
    SET position = v_head.position, last_recorded_at = v_now,
        outcome_sequence = v_head.outcome_sequence, outcome_hash = v_head.outcome_hash
    WHERE shard = p_shard;

    RETURN QUERY
    SELECT * FROM unnest(
        v_statuses, v_o_versions, v_o_positions, v_o_streams, v_o_codes, v_o_details, v_o_fields
    );
END
$append_batch_v1$;

-- migrate:down
