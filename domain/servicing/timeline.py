"""The time line of an account: facts in order of value date, folded lazily from checkpoints.

A time line never changes: recording a fact gives a new one that shares everything before it.
"""

from collections.abc import Iterator
from datetime import date
from decimal import localcontext

from domain.servicing import facts as f
from domain.servicing.account import Account, Transaction
from domain.servicing.fold import apply, evaluate, fold, open_ledger, order_key
from domain.servicing.ledger import Ledger
from domain.servicing.terms import LoanTerms
from domain.servicing.values import Recalculation

CHECKPOINT_EVERY = 16  # folding this many facts again is cheaper than keeping every state


class _Node:
    """A fact and what came before it; remembers the state after it, now and then."""

    __slots__ = ("depth", "fact", "key", "parent", "remembered", "root")

    def __init__(self, parent: "_Node | None", fact: f.Fact | None, root: "_Root") -> None:
        self.parent = parent
        self.fact = fact
        self.root = root
        self.depth = 0 if parent is None else parent.depth + 1
        self.key = None if fact is None else root.key(fact)
        self.remembered: Ledger | None = None

    def chain(self) -> "list[_Node]":
        """Nodes with a fact, oldest first."""
        nodes: list[_Node] = []
        node: _Node | None = self
        while node is not None and node.fact is not None:
            nodes.append(node)
            node = node.parent
        nodes.reverse()
        return nodes

    def facts(self) -> list[f.Fact]:
        """All facts, oldest first."""
        return [node.fact for node in self.chain() if node.fact is not None]

    def state(self) -> Ledger:
        """State after this fact, folded from the last state remembered before it."""
        pending: list[_Node] = []
        node: _Node = self
        while node.remembered is None:
            if node.parent is None:
                node.remembered = self.root.begin()
                break
            pending.append(node)
            node = node.parent
        with localcontext(self.root.terms.arithmetic()):
            for following in reversed(pending):
                node = following.extend()
        assert node.remembered is not None, "the state was just folded"
        return node.remembered

    def extend(self) -> "_Node":
        """Fold this fact on the parent's state; the parent keeps its own now and then only."""
        parent = self.parent
        assert parent is not None, "a root has nothing to fold"
        assert parent.remembered is not None, "states are folded in order"
        assert self.fact is not None, "only the root has no fact"
        state = parent.remembered.copy()
        apply(state, self.fact, parent.facts)
        self.remembered = state
        if parent.depth % CHECKPOINT_EVERY:
            parent.remembered = None
        return self


class _Root:
    """Where the chain begins: terms and the day of the first disbursement."""

    __slots__ = ("started_on", "terms")

    def __init__(self, terms: LoanTerms, started_on: date) -> None:
        self.terms = terms
        self.started_on = started_on

    def key(self, fact: f.Fact) -> tuple[date, int, date]:
        """Order of folding. Explicit periods are a calculation, not a life: order of entry."""
        if self.terms.explicit_periods:
            return (self.started_on, 0, self.started_on)
        return order_key(fact)

    def begin(self) -> Ledger:
        """Return the state before anything happened."""
        return open_ledger(self.terms, self.started_on)


class Timeline:
    """Facts of one account. `record` is cheap; `account` folds what is not folded yet."""

    __slots__ = ("_account", "_tip", "terms", "through", "voided")

    def __init__(
        self,
        terms: LoanTerms,
        tip: _Node,
        through: date | None = None,
        voided: tuple[Transaction, ...] = (),
    ) -> None:
        self.terms = terms
        self._tip = tip
        self.through = through
        self.voided = voided
        self._account: Account | None = None

    @classmethod
    def start(cls, terms: LoanTerms) -> "Timeline":
        """Return the time line of an account nothing happened to yet."""
        root = _Root(terms, terms.expected_disbursement_on)
        return cls(terms, _Node(None, None, root))

    @property
    def facts(self) -> list[f.Fact]:
        """Facts that count, in the order they are folded."""
        return self._tip.facts()

    @property
    def disbursed(self) -> bool:
        """Whether money was paid out."""
        return any(isinstance(fact, f.Disbursed) for fact in self._tip.facts())

    def record(self, fact: f.Fact) -> "Timeline":
        """Return the time line with one more fact; KeyError if it reverses an unknown one."""
        through = fact.entered_on if self.through is None else max(self.through, fact.entered_on)
        if isinstance(fact, f.Reversed):
            return self._reverse(fact.fact_id, through)
        if isinstance(fact, f.Evaluated):
            return Timeline(self.terms, self._tip, max(through, fact.effective_on), self.voided)
        key = self._tip.root.key(fact)
        later: list[f.Fact] = []
        node = self._tip
        while node.fact is not None and _comes_before(fact, key, node):
            later.append(node.fact)
            assert node.parent is not None, "a node with a fact has a parent"
            node = node.parent
        tip = _Node(node, fact, node.root)
        for following in reversed(later):
            tip = _Node(tip, following, tip.root)
        if isinstance(fact, f.Disbursed):
            tip = _anchored(tip)
        return Timeline(self.terms, tip, through, self.voided)

    def _reverse(self, fact_id: str, through: date) -> "Timeline":
        shown = {t.id: t for t in self.account.transactions}
        later: list[f.Fact] = []
        node = self._tip
        while node.fact is not None and node.fact.id != fact_id:
            later.append(node.fact)
            assert node.parent is not None, "a node with a fact has a parent"
            node = node.parent
        if node.fact is None or node.parent is None:
            raise KeyError(fact_id)
        reversed_fact = node.fact
        tip = node.parent
        for following in reversed(later):
            tip = _Node(tip, following, tip.root)
        voided = self.voided
        if isinstance(reversed_fact, f.Disbursed):
            tip = _anchored(tip)
        elif fact_id in shown:
            voided = (*voided, shown[fact_id])
        return Timeline(self.terms, tip, through, voided)

    @property
    def account(self) -> Account:
        """State after all facts; overdue interest up to the last trigger, or the last entry."""
        if self._account is None:
            self._account = self._account_at(self._tip, self.through)
        return self._account

    def account_as_of(self, on: date) -> Account:
        """State on a day: the facts with a value date up to it, and interest to it."""
        node = self._tip
        while node.key is not None and node.key[0] > on and node.parent is not None:
            node = node.parent
        through = on
        if self.terms.recalculation is Recalculation.AT_TRIGGER and self.through is not None:
            through = min(on, self.through)
        return self._account_at(node, through)

    def _account_at(self, node: _Node, through: date | None) -> Account:
        state = node.state()
        if through is not None and _has_overdue(state, through):
            state = state.copy()
            evaluate(state, through)
        return Account(state)

    def planned(self) -> Account:
        """Return the account as it is expected to be paid out: tranches, or the whole principal."""
        return Account(_planned(self.terms))

    def __iter__(self) -> Iterator[f.Fact]:
        return iter(self.facts)


def _comes_before(fact: f.Fact, key: tuple[date, int, date], node: _Node) -> bool:
    """Whether a fact is folded before a node's; a waiver follows the charge it gives up."""
    assert node.fact is not None, "a root is before everything"
    assert node.key is not None, "a node with a fact has a key"
    if isinstance(fact, f.ChargeWaived):
        return node.fact.id != fact.charge_id
    return node.key > key


def _has_overdue(state: Ledger, through: date) -> bool:
    if not state.recalculates:
        return False
    return any(p.due_on < through and p.outstanding_principal > 0 for p in state.plan.periods)


def _anchored(tip: _Node) -> _Node:
    """Chain whose root starts on the first disbursement."""
    facts = tip.facts()
    first = next((x.effective_on for x in facts if isinstance(x, f.Disbursed)), None)
    terms = tip.root.terms
    started_on = terms.expected_disbursement_on if first is None else first
    if started_on == tip.root.started_on:
        return tip
    node = _Node(None, None, _Root(terms, started_on))
    for fact in facts:
        node = _Node(node, fact, node.root)
    return node


def _planned(terms: LoanTerms) -> Ledger:
    tranches = [(t.expected_on, t.amount_minor) for t in terms.expected_tranches]
    if not tranches:
        tranches = [(terms.expected_disbursement_on, terms.principal_minor)]
    ledger = open_ledger(terms, min(on for on, _ in tranches))
    return fold(
        ledger,
        [
            f.Disbursed(id=f"expected:{n}", effective_on=on, entered_on=on, amount_minor=amount)
            for n, (on, amount) in enumerate(sorted(tranches))
        ],
    )
