-- Apart from the tables, because a rebuild makes keys and indexes after it has filled the tables.

ALTER TABLE loan_summary ADD PRIMARY KEY (loan_id);
ALTER TABLE reference_values ADD PRIMARY KEY (code, published_on);
ALTER TABLE repricings ADD PRIMARY KEY (loan_id, effective_on);
ALTER TABLE instalments ADD PRIMARY KEY (loan_id, number, version);
ALTER TABLE transactions ADD PRIMARY KEY (loan_id, transaction_id, kind, revision);
ALTER TABLE cases ADD PRIMARY KEY (loan_id);
ALTER TABLE audit_trail ADD PRIMARY KEY (shard, position);
ALTER TABLE override_register ADD PRIMARY KEY (loan_id, version);
ALTER TABLE four_eyes ADD PRIMARY KEY (loan_id, disbursement_id, prepared_version);
ALTER TABLE journal ADD PRIMARY KEY (shard, position, number);

CREATE INDEX dead_letters_by_position ON dead_letters (shard, position);

CREATE INDEX loan_summary_by_status ON loan_summary (status, loan_id);
CREATE INDEX loan_summary_by_customer ON loan_summary (customer_id);
CREATE INDEX loan_summary_by_external_id ON loan_summary (external_id) WHERE external_id IS NOT NULL;
CREATE INDEX loan_summary_in_arrears ON loan_summary (loan_id) WHERE in_arrears OR days_past_due > 0;
CREATE INDEX loan_summary_by_period ON loan_summary (longest_period_days);
CREATE INDEX loan_summary_by_due_date ON loan_summary (next_due_on, loan_id) WHERE next_due_on IS NOT NULL;

CREATE INDEX loan_summary_by_reset ON loan_summary (next_reset_on)
    WHERE status = 'active' AND next_reset_on IS NOT NULL;
CREATE INDEX repricings_by_value ON repricings (reference, effective_on, published_on, value);

-- Each version is in one of two: those that were, are or may come to be overdue, where a day's close
-- reads up to its date, and those that were met in time. The further columns spare visits to the table.
CREATE INDEX instalments_ever_overdue ON instalments (due_on, valid_to, met_on)
    WHERE valid_to > due_on AND (met_on IS NULL OR met_on > due_on);
CREATE INDEX instalments_never_overdue ON instalments (due_on, valid_to, met_on, valid_from)
    WHERE NOT (valid_to > due_on AND (met_on IS NULL OR met_on > due_on));

CREATE INDEX transactions_by_value_date ON transactions (effective_on);
CREATE INDEX transactions_by_position ON transactions (position);
-- The close of a day asks for these of all loans, and few loans have any.
CREATE INDEX transactions_deferring ON transactions (loan_id)
    WHERE kind IN ('capitalised_income', 'capitalised_income_adjustment', 'buy_down_fee',
        'buy_down_fee_adjustment');

CREATE INDEX cases_open ON cases (claimed_by, loan_id) WHERE open;

CREATE INDEX audit_trail_by_stream ON audit_trail (stream, version);
CREATE INDEX audit_trail_by_actor ON audit_trail (actor_id, shard, position);
CREATE INDEX audit_trail_by_topic ON audit_trail (topic, shard, position);

CREATE INDEX override_register_by_position ON override_register (shard, position);
CREATE INDEX four_eyes_by_position ON four_eyes (shard, position);

CREATE INDEX journal_by_value_date ON journal (value_on);
CREATE INDEX journal_by_stream ON journal (stream, position);
