"""A loan's facts in the order of their value dates, and the account after each, computed only when asked for."""

from collections.abc import Iterator
from datetime import date

from domain.loan.account import Account, advance
from domain.loan.facts import Fact
from domain.loan.terms import Terms


class Timeline:
    """A persistent list of facts. Recording never runs the engine; `account` runs it for what is new.

    Facts of the same day keep the order in which they were recorded. The account after a fact is remembered,
    so an in-order fact costs what it touches and not the length of the history.
    """

    __slots__ = ("_account", "fact", "parent", "terms")

    def __init__(
        self, terms: Terms, parent: "Timeline | None" = None, fact: Fact | None = None
    ) -> None:
        self.terms = terms
        self.parent = parent
        self.fact = fact
        self._account: Account | None = None if fact else Account()

    def record(self, fact: Fact) -> "Timeline":
        """Return the time line with one more fact, placed by its value date."""
        later: list[Fact] = []
        node = self
        while node.parent and node.fact and node.fact.effective_on > fact.effective_on:
            later.append(node.fact)
            node = node.parent
        return node._append(fact, *reversed(later))

    def without(self, fact_id: str) -> "Timeline":
        """Return the time line as if a fact had never been. Raises KeyError for an unknown id."""
        later: list[Fact] = []
        node = self
        while node.parent and node.fact and node.fact.id != fact_id:
            later.append(node.fact)
            node = node.parent
        if node.parent is None:
            raise KeyError(fact_id)
        return node.parent._append(*reversed(later))

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
        while node._account is None and node.parent:
            waiting.append(node)
            node = node.parent
        account = node._account or Account()
        for step in reversed(waiting):
            if step.fact is not None:
                account = advance(account, step.fact, step.terms)
                step._account = account
        return account

    def nodes(self) -> Iterator["Timeline"]:
        """Walk from the newest fact to the oldest."""
        node = self
        while node.parent:
            yield node
            node = node.parent

    def _append(self, *facts: Fact) -> "Timeline":
        node = self
        for fact in facts:
            node = Timeline(self.terms, node, fact)
        return node
