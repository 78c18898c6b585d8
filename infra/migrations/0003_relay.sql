-- migrate:up

-- How far each topic was filled from each shard. Losing a row only means publishing again.
CREATE TABLE relay_checkpoints (
    shard integer NOT NULL,
    topic text NOT NULL,
    topic_id uuid NOT NULL,
    position bigint NOT NULL CHECK (position >= 0),
    saved_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shard, topic)
) WITH (fillfactor = 20);

COMMENT ON COLUMN relay_checkpoints.topic_id IS
    'A topic that was made again has another id; then the position counts for nothing.';

-- migrate:down
