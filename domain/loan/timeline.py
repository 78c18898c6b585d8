"""A loan's facts in the order of their value dates, and the account after each on demand."""

from collections.abc import Iterator
from datetime import date

from domain.loan.account import Account, advance
from domain.loan.facts import Fact
from domain.loan.terms import Terms


class Timeline:
    """A persistent list of facts: recording never runs the engine, `account` runs it for new ones.

    Facts of the same day keep the order in which they were recorded. The account after a fact is
    remembered, so an in-order fact costs what it touches and not the length of the history.
    """

    __slots__ = ("account_memo", "fact", "parent", "terms")

    def __init__(
        self, terms: Terms, parent: "Timeline | None" = None, fact: Fact | None = None
    ) -> None:
        self.terms = terms
        self.parent = parent
        self.fact = fact
        self.account_memo: Account | None = None if fact else Account()

    def record(self, fact: Fact) -> "Timeline":
        """Return the time line with one more fact, placed by its value date."""
        later: list[Fact] = []
        node = self
        while node.parent and node.fact and node.fact.effective_on > fact.effective_on:
            later.append(node.fact)
            node = node.parent
        return _appended(node, fact, *reversed(later))

    def without(self, fact_id: str) -> "Timeline":
        """Return the time line as if a fact had never been. Raises KeyError for an unknown id."""
        later: list[Fact] = []
        node = self
        while node.parent and node.fact and node.fact.id != fact_id:
            later.append(node.fact)
            node = node.parent
        if node.parent is None:
            raise KeyError(fact_id)
        return _appended(node.parent, *reversed(later))

    def until(self, on: date) -> "Timeline":
        """Return the time line of the facts effective on or before a date."""
        node = self
        while node.parent and node.fact and node.fact.effective_on > on:
            node = node.parent
        return node

    @property
    def account(self) -> Account:
        """The account after all facts; the engine runs for those it has not seen."""
        waiting: list[Timeline] = []
        node = self
        while node.account_memo is None and node.parent:
            waiting.append(node)
            node = node.parent
        account = node.account_memo or Account()
        for step in reversed(waiting):
            if step.fact is not None:
                account = advance(account, step.fact, step.terms)
                step.account_memo = account
        return account

    def nodes(self) -> Iterator["Timeline"]:
        """Walk from the newest fact to the oldest."""
        node = self
        while node.parent:
            yield node
            node = node.parent


def _appended(node: Timeline, *facts: Fact) -> Timeline:
    for fact in facts:
        node = Timeline(node.terms, node, fact)
    return node
