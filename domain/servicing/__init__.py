"""The servicing engine: one time line of facts, folded into an account, exact to the minor unit.

Entry points, and there are no others:

* `LoanTerms` (`terms`): everything the engine reads of a product; `validate()` says what is wrong.
* facts (`facts`): what happened, with value date and day of entry.
* `Timeline` (`timeline`): `Timeline.start(terms)`, `.record(fact)`, `.account`,
  `.account_as_of(on)`.
* `Account` (`account`): instalments, transactions, charges, balances, `payoff(on)`.
* `simulate(terms, operations)` (`simulation`): a whole loan life, for previews, the API, oracles.
"""
