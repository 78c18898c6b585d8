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
    version bigint,                 -- of the last event; the actual version for a conflict
    "position" bigint,
    stream text,                    -- this and the rest: the first outcome's for a duplicate
    code text,
    detail text,
    field text
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
#variable_conflict use_column
DECLARE
    zero constant bytea := decode(repeat('00', 32), 'hex');
    v_shard constant text := p_shard;
    v_count constant integer := cardinality(p_streams);
    v_now timestamptz;
    v_micros text;
    -- the log's head
    v_log_position bigint;
    v_sequence bigint;
    v_outcome_hash bytea;
    -- the command in hand
    c record;
    v_version bigint;
    v_hash bytea;
    v_prev bytea;
    v_known outcomes;
    v_event integer := 0;           -- index of the last event looked at
    -- one element a command: what it left in its stream, and which element of v_outcomes its key has
    v_versions bigint[] := array_fill(NULL::bigint, ARRAY[v_count]);
    v_hashes bytea[] := array_fill(NULL::bytea, ARRAY[v_count]);
    v_owners integer[] := array_fill(NULL::integer, ARRAY[v_count]);
    -- what is inserted at the end
    v_events events[] := '{}';
    v_outcomes outcomes[] := '{}';
    v_new_heads stream_heads[] := '{}';
    v_moved_heads stream_heads[] := '{}';
    v_moved_at tid[] := '{}';       -- where the moved ones stand; under the lock nobody else moves them
BEGIN
    -- The lock comes first and alone: under READ COMMITTED every later statement then sees what was committed
    -- before the lock was granted. Position and counters change only under it.
    SELECT h.position, h.outcome_sequence, h.outcome_hash, h.last_recorded_at
    INTO v_log_position, v_sequence, v_outcome_hash, v_now
    FROM log_head h WHERE h.shard = p_shard FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'shard % has no log_head row', p_shard;
    END IF;
    v_now := greatest(coalesce(p_clock, clock_timestamp()), v_now);
    v_micros := (extract(epoch FROM v_now) * 1000000)::bigint;

    FOR c IN
        SELECT i, h.version AS head_version, h.hash AS head_hash, h.ctid AS head_at,
            o.sequence AS known_sequence,
            lag(i) OVER of_stream AS before_on_stream,
            lead(i) OVER of_stream IS NULL AS last_on_stream,
            lag(i) OVER of_key AS before_with_key
        FROM generate_series(1, v_count) AS i
        LEFT JOIN stream_heads h ON h.stream = p_streams[i]
        LEFT JOIN outcomes o ON o.scope = p_scopes[i] AND o.key = p_keys[i]
        WINDOW
            of_stream AS (PARTITION BY p_streams[i] COLLATE "C" ORDER BY i),
            of_key AS (PARTITION BY p_keys[i] COLLATE "C", p_scopes[i] COLLATE "C" ORDER BY i)
        ORDER BY i
    LOOP
        IF c.before_on_stream IS NULL THEN
            v_version := coalesce(c.head_version, 0);
            v_hash := coalesce(c.head_hash, zero);
        ELSE
            v_version := v_versions[c.before_on_stream];
            v_hash := v_hashes[c.before_on_stream];
        END IF;
        v_known := NULL;
        IF c.known_sequence IS NOT NULL THEN
            SELECT * INTO v_known FROM outcomes o WHERE o.scope = p_scopes[c.i] AND o.key = p_keys[c.i];
        ELSIF c.before_with_key IS NOT NULL AND p_keys[c.i] IS NOT NULL THEN
            v_owners[c.i] := v_owners[c.before_with_key];
            v_known := v_outcomes[v_owners[c.i]];
        END IF;
        stream := p_streams[c.i];
        version := NULL;
        position := NULL;
        code := p_codes[c.i];
        detail := p_details[c.i];
        field := p_fields[c.i];

        IF v_known.sequence IS NOT NULL THEN
            IF v_known.request_hash = p_request_hashes[c.i] THEN
                status := 'duplicate';
                stream := v_known.stream;
                version := v_known.version;
                position := v_known.position;
                code := v_known.code;
                detail := v_known.detail;
                field := v_known.field;
            ELSE
                status := 'reused';
            END IF;
        ELSIF v_version <> p_expected_versions[c.i] THEN
            status := 'conflict';
            version := v_version;
        ELSE
            IF code IS NOT NULL THEN
                status := 'refused';
            ELSE
                status := 'recorded';
                FOR k IN v_event + 1 .. v_event + p_event_counts[c.i] LOOP
                    v_log_position := v_log_position + 1;
                    position := v_log_position;
                    v_version := v_version + 1;
                    v_prev := v_hash;
                    v_hash := sha256(
                        v_prev
                        || chain_fields(
                            v_shard, stream, v_version::text, position::text, p_topics[k],
                            p_effective_on[k]::text, v_micros
                        )
                        || int4send(octet_length(p_states[k])) || p_states[k]
                    );
                    v_events := v_events || ROW(
                        p_shard, position, stream, v_version, p_topics[k], p_effective_on[k], v_now,
                        p_states[k], v_prev, v_hash
                    )::events;
                END LOOP;
                version := v_version;
            END IF;
            IF p_keys[c.i] IS NOT NULL OR code IS NOT NULL THEN
                v_sequence := v_sequence + 1;
                v_prev := v_outcome_hash;
                v_outcome_hash := sha256(
                    v_prev
                    || chain_fields(
                        v_shard, v_sequence::text, p_scopes[c.i], p_keys[c.i],
                        encode(p_request_hashes[c.i], 'hex'), p_commands[c.i], p_actors[c.i], status,
                        stream, version::text, position::text, code, detail, field, v_micros
                    )
                );
                v_outcomes := v_outcomes || ROW(
                    p_shard, v_sequence, p_scopes[c.i], p_keys[c.i], p_request_hashes[c.i],
                    p_commands[c.i], p_actors[c.i], status, stream, version, position,
                    code, detail, field, v_now, v_prev, v_outcome_hash
                )::outcomes;
                v_owners[c.i] := cardinality(v_outcomes);
            END IF;
        END IF;
        v_event := v_event + p_event_counts[c.i];
        v_versions[c.i] := v_version;
        v_hashes[c.i] := v_hash;
        IF NOT c.last_on_stream OR v_version = coalesce(c.head_version, 0) THEN
            NULL;
        ELSIF c.head_version IS NULL THEN
            v_new_heads := v_new_heads || ROW(p_streams[c.i], p_shard, v_version, v_hash)::stream_heads;
        ELSE
            v_moved_heads := v_moved_heads || ROW(p_streams[c.i], p_shard, v_version, v_hash)::stream_heads;
            v_moved_at := v_moved_at || c.head_at;
        END IF;
        RETURN NEXT;
    END LOOP;

    INSERT INTO events SELECT * FROM unnest(v_events);
    INSERT INTO outcomes SELECT * FROM unnest(v_outcomes);
    IF cardinality(v_new_heads) > 0 THEN
        INSERT INTO stream_heads SELECT * FROM unnest(v_new_heads);
    END IF;
    IF cardinality(v_moved_at) > 0 THEN
        UPDATE stream_heads h SET version = m.version, hash = m.hash
        FROM unnest(v_moved_at, v_moved_heads) AS m ("at", stream, shard, version, hash)
        WHERE h.ctid = m."at";
    END IF;

    UPDATE log_head h
    SET position = v_log_position, last_recorded_at = v_now,
        outcome_sequence = v_sequence, outcome_hash = v_outcome_hash
    WHERE h.shard = p_shard;
END
$append_batch_v1$;

-- migrate:down
