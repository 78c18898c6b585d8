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
