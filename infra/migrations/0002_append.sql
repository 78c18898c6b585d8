-- migrate:up

-- The one way events come into the record. A later change of the contract is a new function beside this one.

-- Text fields under a hash, each as its length in four bytes, big-endian, then its bytes in UTF-8; the length -1 stands
-- for NULL. This is how PostgreSQL sends the elements of an array, after a header of 20 bytes.
CREATE FUNCTION chain_fields(VARIADIC text[]) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE
RETURN substring(array_send($1) FROM 21);

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
-- The bytes under the hashes must not depend on the session.
SET datestyle = 'ISO, YMD'
SET client_encoding = 'UTF8'
AS $append_batch_v1$
DECLARE
    v_head log_head;
    v_now timestamptz;
    v_micros text;
    v_shard text := p_shard;
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
    v_heads text[] := array_fill(NULL::text, n);            -- NULL: the stream's head stays
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
    v_micros := (extract(epoch FROM v_now) * 1000000)::bigint;

    FOR c IN
        SELECT t.*, h.version AS head_version, h.hash AS head_hash,
            o.request_hash AS known_hash, o.stream AS known_stream, o.version AS known_version,
            o.position AS known_position, o.code AS known_code, o.detail AS known_detail,
            o.field AS known_field,
            lag(t.i) OVER of_stream AS before_on_stream,
            lead(t.i) OVER of_stream IS NULL AS last_on_stream,
            lag(t.i) OVER of_key AS before_with_key
        FROM unnest(
            p_streams, p_expected_versions, p_event_counts, p_scopes, p_keys, p_request_hashes,
            p_commands, p_actors, p_codes, p_details, p_fields
        ) WITH ORDINALITY AS t (
            stream, expected, events, scope, key, request_hash, command, actor, code, detail, field, i
        )
        LEFT JOIN stream_heads h ON h.stream = t.stream
        LEFT JOIN outcomes o ON o.scope = t.scope AND o.key = t.key
        WINDOW
            of_stream AS (PARTITION BY t.stream COLLATE "C" ORDER BY t.i),
            of_key AS (PARTITION BY t.key COLLATE "C", t.scope COLLATE "C" ORDER BY t.i)
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
                        v_prev
                        || chain_fields(
                            v_shard, c.stream, v_version::text, v_position::text, p_topics[k],
                            p_effective_on[k]::text, v_micros
                        )
                        || int4send(octet_length(p_states[k])) || p_states[k]
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
                    v_head.outcome_hash
                    || chain_fields(
                        v_shard, v_head.outcome_sequence::text, c.scope, c.key, encode(c.request_hash, 'hex'),
                        c.command, c.actor, v_statuses[v_i], c.stream, v_o_versions[v_i]::text,
                        v_o_positions[v_i]::text, c.code, c.detail, c.field, v_micros
                    )
                );
                v_outcome_hashes[v_i] := v_head.outcome_hash;
            END IF;
        END IF;
        v_event := v_event + c.events;
        v_versions[v_i] := v_version;
        v_hashes[v_i] := v_hash;
        v_owners[v_i] := v_owner;
        IF c.last_on_stream AND v_version > coalesce(c.head_version, 0) THEN
            v_heads[v_i] := CASE WHEN c.head_version IS NULL THEN 'new' ELSE 'moved' END;
        END IF;
    END LOOP;

    INSERT INTO events
        (shard, position, stream, version, topic, effective_on, recorded_at, state, prev_hash, hash)
    SELECT p_shard, t.position, t.stream, t.version, t.topic, t.effective_on, v_now, t.state, t.prev_hash, t.hash
    FROM unnest(
        e_positions, e_streams, e_versions, p_topics, p_effective_on, p_states, e_prevs, e_hashes
    ) AS t (position, stream, version, topic, effective_on, state, prev_hash, hash)
    WHERE t.position IS NOT NULL;

    INSERT INTO stream_heads (stream, shard, version, hash)
    SELECT t.stream, p_shard, t.version, t.hash
    FROM unnest(p_streams, v_versions, v_hashes, v_heads) AS t (stream, version, hash, head)
    WHERE t.head = 'new';

    UPDATE stream_heads h
    SET version = t.version, hash = t.hash
    FROM unnest(p_streams, v_versions, v_hashes, v_heads) AS t (stream, version, hash, head)
    WHERE t.head = 'moved' AND h.stream = t.stream;

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
