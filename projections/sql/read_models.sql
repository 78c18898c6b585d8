-- The read models that are folds of the event streams. One generation of them lives in one schema
-- (`read_v1`, `read_v2`, ...); views of the same names stand in front of the current one.
-- All amounts are minor units of the row's currency. The date 9999-12-31 stands for "still".

CREATE TABLE applied_versions (
    stream text COLLATE "C" PRIMARY KEY,
    version bigint NOT NULL CHECK (version >= 0),
    parked boolean NOT NULL DEFAULT false
) WITH (fillfactor = 70);
COMMENT ON COLUMN applied_versions.parked IS 'true: an event of the stream is in dead_letters, and so are all later ones';

CREATE TABLE feed_positions (
    shard integer PRIMARY KEY,
    position bigint NOT NULL
) WITH (fillfactor = 10);

CREATE TABLE dead_letters (
    stream text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    shard integer NOT NULL,
    position bigint NOT NULL,
    topic text NOT NULL,
    cause text NOT NULL,
    parked_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (stream, version)
);
COMMENT ON COLUMN dead_letters.cause IS 'why it could not be applied; `after version N` for events parked behind another';

CREATE TABLE loan_summary (
    loan_id text COLLATE "C" NOT NULL,
    status text NOT NULL,
    customer_id text NOT NULL,
    external_id text,
    product_code text NOT NULL,
    product_version bigint NOT NULL,
    currency text NOT NULL,
    method text,
    grade text,
    purpose text,
    region text,
    channel text,
    applied_minor bigint NOT NULL,
    amount_minor bigint,
    rate_annual numeric,
    instalments bigint NOT NULL,
    tolerance_minor bigint NOT NULL,
    tolerance_percent numeric NOT NULL,
    tolerance_days bigint NOT NULL,
    tolerance_day bigint,
    penalty_counts boolean NOT NULL,
    four_eyes_from_minor bigint NOT NULL,
    overdue_turns jsonb NOT NULL,
    recalculates boolean NOT NULL,
    bears_penalties boolean NOT NULL,
    model_id text,
    model_version text,
    model_score numeric,
    recommended text,
    decision text,
    applied_on date NOT NULL,
    reviewed_on date,
    accepted_on date,
    withdrawn_on date,
    disbursed_on date,
    returned_on date,
    last_due_on date,
    longest_period_days bigint NOT NULL,
    rows_total bigint NOT NULL,
    next_instalment bigint,
    next_due_on date,
    next_due_minor bigint,
    principal_minor bigint NOT NULL,
    interest_minor bigint NOT NULL,
    fee_minor bigint NOT NULL,
    penalty_minor bigint NOT NULL,
    overpaid_minor bigint NOT NULL,
    principal_paid_minor bigint NOT NULL,
    interest_paid_minor bigint NOT NULL,
    fee_paid_minor bigint NOT NULL,
    penalty_paid_minor bigint NOT NULL,
    waived_minor bigint NOT NULL,
    recovered_minor bigint NOT NULL,
    recovery_cost_minor bigint NOT NULL,
    last_payment_on date,
    last_payment_minor bigint,
    last_fact_on date,
    bucket_set text,
    bucket text,
    days_past_due bigint NOT NULL,
    in_arrears boolean NOT NULL,
    missed bigint[] NOT NULL,
    restructured_on date,
    restructure_kind text,
    restructures bigint NOT NULL,
    financial_difficulty boolean NOT NULL,
    charged_off_on date,
    charged_off_minor bigint,
    terminated_on date,
    reference text COLLATE "C",
    spread_bps bigint,
    reset text,
    repriced_on date,
    next_reset_on date,
    replanned_on date,
    written_off_on date,
    written_off_minor bigint,
    settled_on date,
    settled_how text,
    misused_on date,
    suspends_accrual boolean NOT NULL,
    non_accrual_on date,
    shard bigint NOT NULL,
    position bigint NOT NULL,
    version bigint NOT NULL,
    recorded_at timestamptz NOT NULL,
    left_on date GENERATED ALWAYS AS (LEAST(settled_on, charged_off_on, returned_on)) STORED,
    CHECK (abs(principal_minor) <= 1000000000000000 AND abs(interest_minor) <= 1000000000000000)
) WITH (fillfactor = 70);
COMMENT ON COLUMN loan_summary.bucket IS 'as the close of day last published it; NULL: never late';
COMMENT ON COLUMN loan_summary.tolerance_day IS 'of the month: an instalment is overdue after the first one on or after its due date';
COMMENT ON COLUMN loan_summary.penalty_counts IS 'whether an unpaid penalty alone keeps an instalment overdue';
COMMENT ON COLUMN loan_summary.days_past_due IS 'when the bucket was last published; of a date: loan_day';
COMMENT ON COLUMN loan_summary.missed IS 'instalments published as missed and not met since';
COMMENT ON COLUMN loan_summary.longest_period_days IS 'of any instalment ever published; bounds the search for the running one';
COMMENT ON COLUMN loan_summary.recalculates IS 'the engine says the figures of a day: interest follows what is paid, or the rows as published do not tell';
COMMENT ON COLUMN loan_summary.overdue_turns IS 'when the product charges for overdue instalments: [{wait_days, every, unit}]; every NULL: once';
COMMENT ON COLUMN loan_summary.bears_penalties IS 'the product agrees a penalty rate: the close charges it at the end of a month';
COMMENT ON COLUMN loan_summary.non_accrual_on IS 'since when interest is no income until it is paid; NULL: it is';
COMMENT ON COLUMN loan_summary.misused_on IS 'since when funds are used against the contract; NULL: they are not';
COMMENT ON COLUMN loan_summary.next_reset_on IS 'when a floating rate is fixed next; NULL: the rate is fixed, or the contract ended';
COMMENT ON COLUMN loan_summary.left_on IS 'from this date on the loan is not on the book';

CREATE TABLE reference_values (
    code text COLLATE "C" NOT NULL,
    published_on date NOT NULL,
    value numeric NOT NULL,
    corrected boolean NOT NULL,
    shard bigint NOT NULL,
    position bigint NOT NULL,
    recorded_at timestamptz NOT NULL,
    actor_kind text NOT NULL,
    actor_id text NOT NULL
);
COMMENT ON TABLE reference_values IS 'Reference rates such as the LPR, one row a day of publication, as known now.';

CREATE TABLE repricings (
    loan_id text COLLATE "C" NOT NULL,
    effective_on date NOT NULL,
    reference text COLLATE "C" NOT NULL,
    value numeric NOT NULL,
    published_on date NOT NULL,
    spread_bps bigint NOT NULL,
    rate_annual_before numeric NOT NULL,
    rate_annual numeric NOT NULL,
    version bigint NOT NULL,
    shard bigint NOT NULL,
    position bigint NOT NULL,
    recorded_at timestamptz NOT NULL
);
COMMENT ON TABLE repricings IS 'What a floating loan took over on a reset date, as known now.';

CREATE TABLE instalments (
    loan_id text COLLATE "C" NOT NULL,
    number bigint NOT NULL,
    version bigint NOT NULL,
    valid_from date NOT NULL,
    valid_to date NOT NULL,
    seen_until date NOT NULL,
    from_on date NOT NULL,
    due_on date NOT NULL,
    principal_minor bigint NOT NULL,
    interest_minor bigint NOT NULL,
    fee_minor bigint NOT NULL,
    penalty_minor bigint NOT NULL,
    principal_paid_minor bigint NOT NULL,
    interest_paid_minor bigint NOT NULL,
    fee_paid_minor bigint NOT NULL,
    penalty_paid_minor bigint NOT NULL,
    interest_waived_minor bigint NOT NULL,
    fee_waived_minor bigint NOT NULL,
    penalty_waived_minor bigint NOT NULL,
    met_on date
);
COMMENT ON TABLE instalments IS
    'Every row as published: the version of the event, and the value dates for which it holds, [valid_from, valid_to).';
COMMENT ON COLUMN instalments.seen_until IS 'the row takes in the facts up to this value date; later than valid_from after a restatement';

CREATE TABLE transactions (
    loan_id text COLLATE "C" NOT NULL,
    transaction_id text COLLATE "C" NOT NULL,
    kind text NOT NULL,
    revision bigint NOT NULL,
    version bigint NOT NULL,
    shard bigint NOT NULL,
    position bigint NOT NULL,
    effective_on date NOT NULL,
    recorded_at timestamptz NOT NULL,
    currency text NOT NULL,
    amount_minor bigint NOT NULL,
    principal_minor bigint NOT NULL,
    interest_minor bigint NOT NULL,
    fee_minor bigint NOT NULL,
    penalty_minor bigint NOT NULL,
    overpaid_minor bigint NOT NULL,
    lines jsonb NOT NULL,
    source text,
    channel text,
    code text,
    component text,
    instalment bigint,
    cost_minor bigint NOT NULL,
    tax_minor bigint NOT NULL,
    cause text,
    cause_id text,
    reversed_on date,
    superseded_position bigint
) WITH (fillfactor = 80);
COMMENT ON TABLE transactions IS
    'What moved money or terms. A restatement adds a revision and says on the one before at which position it was superseded.';
COMMENT ON COLUMN transactions.lines IS 'allocation lines as published: [{instalment, principal_minor, interest_minor, fee_minor, penalty_minor}]';

CREATE TABLE cases (
    loan_id text COLLATE "C" NOT NULL,
    stream text COLLATE "C" NOT NULL,
    open boolean NOT NULL,
    tier text NOT NULL,
    opened_on date NOT NULL,
    claimed_by text,
    claimed_at timestamptz,
    released_at timestamptz,
    release_cause text,
    closed_on date,
    closed_how text,
    shard bigint NOT NULL,
    position bigint NOT NULL,
    version bigint NOT NULL
) WITH (fillfactor = 80);

CREATE TABLE audit_trail (
    shard bigint NOT NULL,
    position bigint NOT NULL,
    stream text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    topic text NOT NULL,
    effective_on date NOT NULL,
    recorded_at timestamptz NOT NULL,
    source_recorded_at timestamptz,
    actor_kind text NOT NULL,
    actor_id text NOT NULL,
    actor_roles text[] NOT NULL,
    on_behalf_of text,
    reason_code text,
    policy_versions jsonb NOT NULL,
    approvals jsonb NOT NULL,
    command_id text,
    causation_id text,
    correlation_id text,
    summary text NOT NULL
);

CREATE TABLE override_register (
    loan_id text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    shard bigint NOT NULL,
    position bigint NOT NULL,
    effective_on date NOT NULL,
    recorded_at timestamptz NOT NULL,
    actor_kind text NOT NULL,
    actor_id text NOT NULL,
    reason_code text,
    approvals jsonb NOT NULL,
    recommended text NOT NULL,
    decided text NOT NULL,
    direction text NOT NULL,
    model_id text,
    model_version text,
    model_score numeric,
    grade text,
    purpose text,
    region text
);

CREATE TABLE four_eyes (
    loan_id text COLLATE "C" NOT NULL,
    disbursement_id text NOT NULL,
    prepared_version bigint NOT NULL,
    currency text NOT NULL,
    amount_minor bigint NOT NULL,
    four_eyes_from_minor bigint NOT NULL,
    payload_hash text,
    prepared_by text,
    prepared_at timestamptz,
    checked_by text,
    checked_at timestamptz,
    checked_payload_hash text,
    checks text[] NOT NULL,
    passed boolean,
    disbursed_on date,
    shard bigint NOT NULL,
    position bigint NOT NULL
);
COMMENT ON TABLE four_eyes IS 'One row a preparation of a payout; prepared_version 0: paid out without one.';

CREATE TABLE journal (
    shard bigint NOT NULL,
    position bigint NOT NULL,
    number bigint NOT NULL,
    stream text COLLATE "C" NOT NULL,
    topic text NOT NULL,
    product_code text COLLATE "C" NOT NULL,
    currency text NOT NULL,
    value_on date NOT NULL,
    recorded_at timestamptz NOT NULL,
    accounts text[] NOT NULL,
    amounts_minor bigint[] NOT NULL
);
COMMENT ON TABLE journal IS 'One balanced entry an event, or an event and product: accounts and amounts side by side, debit positive.';

CREATE TABLE ledger_balances (
    product_code text COLLATE "C" NOT NULL,
    currency text NOT NULL,
    account text COLLATE "C" NOT NULL,
    amount_minor bigint NOT NULL,
    PRIMARY KEY (product_code, currency, account)
) WITH (fillfactor = 50);
COMMENT ON TABLE ledger_balances IS 'The sums of all journal entries so far, so that a close need not add up history.';
