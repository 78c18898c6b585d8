-- migrate:up

-- How far the outcomes of messages were answered on their topic. Kafka keeps the same number in the transaction of the
-- answers; this one serves when Kafka has forgotten it, as it does after a week of silence.
CREATE TABLE answer_checkpoints (
    shard integer NOT NULL,
    topic text NOT NULL,
    topic_id uuid NOT NULL,
    sequence bigint NOT NULL CHECK (sequence >= 0),
    saved_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shard, topic)
) WITH (fillfactor = 20);

-- migrate:down
