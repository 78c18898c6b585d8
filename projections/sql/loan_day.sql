-- What the closes of business days said: written once, added to by restatements, never rewritten.
-- Not a fold of the streams, so no generation of the read models holds it.

CREATE TABLE IF NOT EXISTS loan_day (
    business_date date NOT NULL,
    loan_id text COLLATE "C" NOT NULL,
    known_from bigint NOT NULL,
    shard integer NOT NULL,
    state text NOT NULL,
    currency text NOT NULL,
    bucket_set text NOT NULL,
    bucket text NOT NULL,
    days_past_due integer NOT NULL,
    principal_minor bigint NOT NULL,
    overdue_principal_minor bigint NOT NULL,
    overdue_interest_minor bigint NOT NULL,
    overdue_fee_minor bigint NOT NULL,
    overdue_penalty_minor bigint NOT NULL,
    accrued_interest_minor bigint NOT NULL,
    restructured boolean NOT NULL,
    PRIMARY KEY (business_date, loan_id, known_from)
) PARTITION BY RANGE (business_date);

COMMENT ON COLUMN loan_day.known_from IS 'position up to which the read models were known when the row was written';
COMMENT ON COLUMN loan_day.state IS 'on_book, or on the first close after it left: closed_paid, charged_off, returned';
COMMENT ON COLUMN loan_day.accrued_interest_minor IS 'interest owed to the date and not paid: of past instalments, and of the running one by elapsed days';

CREATE INDEX IF NOT EXISTS loan_day_late ON loan_day (business_date, days_past_due DESC, loan_id)
    WHERE days_past_due > 0;
CREATE INDEX IF NOT EXISTS loan_day_exits ON loan_day (business_date) WHERE state <> 'on_book';

CREATE TABLE IF NOT EXISTS portfolio_day (
    business_date date NOT NULL,
    shard integer NOT NULL,
    currency text NOT NULL,
    bucket_set text NOT NULL,
    bucket text NOT NULL,
    known_from bigint NOT NULL,
    loans bigint NOT NULL,
    principal_minor bigint NOT NULL,
    overdue_minor bigint NOT NULL,
    accrued_interest_minor bigint NOT NULL,
    days_past_due_from integer NOT NULL,
    PRIMARY KEY (business_date, shard, currency, bucket, known_from)
);
COMMENT ON TABLE portfolio_day IS 'Control totals of loan_day, one row a bucket; they tie to the loans.';

CREATE TABLE IF NOT EXISTS parked_loans (
    business_date date NOT NULL,
    loan_id text COLLATE "C" NOT NULL,
    reason text NOT NULL,
    parked_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (business_date, loan_id)
);
COMMENT ON TABLE parked_loans IS 'Loans that the close of a day could not close, and why; the others were closed.';

CREATE TABLE IF NOT EXISTS day_lines (
    loan_id text COLLATE "C" PRIMARY KEY,
    version bigint NOT NULL,
    since_on date NOT NULL,
    until_on date NOT NULL,
    days_past_due integer NOT NULL,
    principal_minor bigint NOT NULL,
    overdue_principal_minor bigint NOT NULL,
    overdue_interest_minor bigint NOT NULL,
    overdue_fee_minor bigint NOT NULL,
    overdue_penalty_minor bigint NOT NULL,
    from_on date NOT NULL,
    fixed_minor bigint NOT NULL,
    earned numeric NOT NULL,
    base_minor bigint NOT NULL,
    factor numeric NOT NULL,
    period_days integer NOT NULL,
    digits integer NOT NULL
);
COMMENT ON TABLE day_lines IS 'What the engine said of a loan for all days of a stretch on which nothing happens, at one version. May be emptied at any time: the next close asks the engine again.';
COMMENT ON COLUMN day_lines.since_on IS 'the day that was asked for; figures hold from it to until_on';
COMMENT ON COLUMN day_lines.earned IS 'exact interest of the running period before from_on, minor units';
COMMENT ON COLUMN day_lines.factor IS 'of the whole running period of period_days days; of base_minor it earns a share since from_on';
COMMENT ON COLUMN day_lines.digits IS 'significant digits that exact sums are cut to before they are rounded';
