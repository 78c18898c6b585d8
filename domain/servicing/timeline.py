"""The time line of an account: facts in order of value date, folded lazily from checkpoints.

A time line never changes: recording a fact gives a new one that shares everything before it. A
working state has one owner: it moves on with the next fact, and a copy stays behind at checkpoints
only. So an in-order fact costs what it touches and not the length of the history.
"""

from collections.abc import Callable, Iterator
from datetime import date
from decimal import localcontext
from functools import partial
from itertools import takewhile
from typing import TypeVar

from domain.servicing import facts as f
from domain.servicing.account import Account
from domain.servicing.cumulative_fold import comes_first, open_cumulative
from domain.servicing.fold import apply, evaluate, fold, fold_on, open_ledger, order_key
from domain.servicing.ledger import Ledger
from domain.servicing.movements import overdue_has_earned
from domain.servicing.passing import time_matters
from domain.servicing.payoff import payoff
from domain.servicing.terms import LoanTerms
from domain.servicing.values import Recalculation

CHECKPOINT_EVERY = 32  # folding this many facts again is cheaper than keeping every state

T = TypeVar("T")


class _Root:
    """Where the chain begins: terms and the day of the first disbursement."""

    __slots__ = ("ids", "started_on", "terms")

    def __init__(self, terms: LoanTerms, started_on: date, ids: set[str]) -> None:
        self.terms = terms
        self.started_on = started_on
        self.ids = ids  # of every fact ever recorded on any branch: most new ids are not among them

    def key(self, fact: f.Fact) -> tuple[date, int, date]:
        """Order of folding. Explicit periods are a calculation, not a life: order of entry."""
        if self.terms.explicit_periods:
            return (self.started_on, 0, self.started_on)
        return order_key(fact)

    def begin(self) -> Ledger:
        """Return the state before anything happened."""
        return open_ledger(self.terms, self.started_on)


class _Node:
    """A fact and what came before it. `states` holds the state after it, unless that moved on.

    Taking from a list and putting on it are atomic: threads that ask one time line at the same
    time each fold a state of their own, and none sees another's half done.
    """

    __slots__ = ("depth", "disbursed", "fact", "is_checkpoint", "key", "parent", "root", "states")

    def __init__(self, parent: "_Node | None", fact: f.Fact | None, root: _Root) -> None:
        self.parent = parent
        self.fact = fact
        self.root = root
        self.depth = 0 if parent is None else parent.depth + 1
        self.is_checkpoint = self.depth % CHECKPOINT_EVERY == 0  # a state stays when it moves on
        before = parent is not None and parent.disbursed
        self.disbursed = before or isinstance(fact, f.Disbursed)
        self.key = None if fact is None else root.key(fact)
        self.states: list[Ledger] | None = None

    def back(self) -> "Iterator[_Node]":
        """Nodes with a fact, newest first."""
        node: _Node | None = self
        while node is not None and node.fact is not None:
            yield node
            node = node.parent

    def facts(self) -> list[f.Fact]:
        """All facts, oldest first."""
        facts = [node.fact for node in self.back() if node.fact is not None]
        facts.reverse()
        return facts

    def follow(self, fact: f.Fact) -> "_Node":
        """Add a fact after this one."""
        self.root.ids.add(fact.id)
        return _Node(self, fact, self.root)

    def take(self) -> Ledger:
        """Take the state after this fact, folded from the nearest one before it. See `put`."""
        held = _pop(self.states)
        if held is not None:
            return held
        pending: list[_Node] = []
        node = self
        while (state := node.lend()) is None:
            pending.append(node)
            assert node.parent is not None, "a root always has a state"
            node = node.parent
        with localcontext(self.root.terms.arithmetic()):
            for following in reversed(pending):
                following.fold_on(state)
                if following.is_checkpoint and following is not self:  # which has it back: `put`
                    following.put(state.copy())
        return state

    def put(self, state: Ledger) -> None:
        """Give a state back that was taken and not changed."""
        self.states = [state]

    def lend(self) -> Ledger | None:
        """Give the state away to a following fact; None if it is not here."""
        if self.fact is None:
            return self.root.begin()
        state = _pop(self.states)
        if state is not None and (state.shared or self.is_checkpoint):
            if self.is_checkpoint:
                self.put(state)
            return state.copy()
        return state

    def fold_on(self, state: Ledger) -> None:
        """Change the state before this fact into the one after it."""
        parent, fact = self.parent, self.fact
        assert parent is not None, "a root has no fact"
        assert fact is not None, "a root has no fact"
        apply(state, fact, parent.facts)


def _pop(states: list[Ledger] | None) -> Ledger | None:
    if not states:
        return None  # as it mostly is: to raise and to catch costs more than to look
    try:
        return states.pop()
    except IndexError:
        return None


class Timeline:
    """Facts of one account. `record` is cheap and folds nothing; every question folds what is new.

    `through` is the last day on which anything was entered: overdue interest is shown up to it.
    """

    __slots__ = ("_account", "_expected", "_planned", "_tip", "terms", "through")

    def __init__(self, terms: LoanTerms, tip: _Node, through: date | None = None) -> None:
        self.terms = terms
        self._tip = tip
        self.through = through
        self._account: Account | None = None
        self._planned: Account | None = None
        self._expected: tuple[f.Fact, Timeline] | None = None

    @classmethod
    def start(cls, terms: LoanTerms) -> "Timeline":
        """Return the time line of an account nothing happened to yet."""
        root = _Root(terms, terms.expected_disbursement_on, set())
        return cls(terms, _Node(None, None, root))

    # --- facts

    @property
    def facts(self) -> list[f.Fact]:
        """Facts that count, in the order they are folded."""
        return self._tip.facts()

    @property
    def newest(self) -> f.Fact | None:
        """The fact that is folded last."""
        return self._tip.fact

    @property
    def disbursed(self) -> bool:
        """Whether money was paid out."""
        return self._tip.disbursed

    def find(self, fact_id: str) -> f.Fact | None:
        """Return the fact of an id, if it counts."""
        if fact_id not in self._tip.root.ids:
            return None
        return next((n.fact for n in self._tip.back() if n.fact and n.fact.id == fact_id), None)

    def record(self, fact: f.Fact) -> "Timeline":
        """Return the time line with one more fact; KeyError if it reverses an unknown one."""
        expected, self._expected = self._expected, None
        if expected is not None and (expected[0] is fact or expected[0] == fact):
            return expected[1]
        through = fact.entered_on if self.through is None else max(self.through, fact.entered_on)
        if isinstance(fact, f.Reversed):
            return self._without(fact.fact_id, through)
        if isinstance(fact, f.Evaluated):
            return Timeline(self.terms, self._tip, max(through, fact.effective_on))
        tip = self._tip.follow(fact)
        if _comes_before(tip, self._tip):
            tip = _inserted(tip, self._tip)
        if isinstance(fact, f.Disbursed):
            tip = _anchored(tip)
        return Timeline(self.terms, tip, through)

    def expect(self, fact: f.Fact, after: "Timeline") -> None:
        """Keep what recording a fact gives, with its folded state, for when it is recorded.

        `after` must not be used any more: recording the fact hands it on.
        """
        self._expected = (fact, after)

    def _without(self, fact_id: str, through: date) -> "Timeline":
        later: list[f.Fact] = []
        node = self._tip
        while node.fact is not None and node.fact.id != fact_id:
            later.append(node.fact)
            assert node.parent is not None, "a node with a fact has a parent"
            node = node.parent
        if node.fact is None or node.parent is None:
            raise KeyError(fact_id)
        tip = node.parent
        for following in reversed(later):
            tip = tip.follow(following)
        if isinstance(node.fact, f.Disbursed):
            tip = _anchored(tip)
        return Timeline(self.terms, tip, through)

    # --- states

    @property
    def account(self) -> Account:
        """State after all facts; overdue interest up to the last trigger, or the last entry."""
        if self._account is None:
            self._account = _look(self._tip, self.through)
        return self._account

    def account_as_of(self, on: date) -> Account:
        """State on a day: the facts with a value date up to it, and interest to it."""
        node, through = self._at(on)
        return _look(node, through)

    def read(self, view: Callable[[Ledger], T], on: date | None = None) -> T:
        """Let `view` look at the state now, or on a day; it keeps no part of it and changes none.

        Cheaper than an account: the state stays free to move on.
        """
        node, through = (self._tip, self.through) if on is None else self._at(on)
        if self.terms.cumulative:
            return view(_cumulative(node, through))
        state = node.take()
        try:
            if through is not None and _changes_by(state, through):
                shown = state.copy()
                evaluate(shown, through)
                return view(shown)
            return view(state)
        finally:
            node.put(state)

    def payoff(self, on: date) -> int:
        """What closes the account on a day, by what counts until then; minor units."""
        node, through = self._at(on)
        if self.terms.cumulative:
            return payoff(_cumulative(node, through), on)
        state = node.take()
        try:
            return payoff(state, on)
        finally:
            node.put(state)

    def seen_on(self, on: date) -> bool:
        """Whether every fact counts on a day."""
        return self._tip.key is None or self._tip.key[0] <= on

    def _at(self, on: date) -> tuple[_Node, date]:
        node = self._tip
        while node.key is not None and node.key[0] > on and node.parent is not None:
            node = node.parent
        through = on
        if self.terms.recalculation is Recalculation.AT_TRIGGER and self.through is not None:
            through = min(on, self.through)
        return node, through

    def planned(self) -> Account:
        """Return the account as it is expected to be paid out: tranches, or the whole principal.

        With the charges of the application.
        """
        if self._planned is None:
            charges = [fact for fact in self.facts if isinstance(fact, f.ChargeAdded)]
            self._planned = Account(_planned(self.terms, charges))
        return self._planned

    def __iter__(self) -> Iterator[f.Fact]:
        return iter(self.facts)


def _look(node: _Node, through: date | None) -> Account:
    """Show a state for as long as somebody looks: a later fact then folds on a copy."""
    if node.root.terms.cumulative:
        return Account(_cumulative(node, through))
    state = node.take()
    if through is not None and _changes_by(state, through):
        shown = state.copy()
        node.put(state)
        evaluate(shown, through)
        return Account(shown)
    state.shared = True
    node.put(state)
    return Account(state)


def _cumulative(node: _Node, through: date | None) -> Ledger:
    """Fold a cumulative loan as a whole: every fact may change it from its first row."""
    terms, facts = node.root.terms, sorted(node.facts(), key=comes_first)
    if not any(isinstance(fact, f.Disbursed) for fact in facts):
        return node.root.begin()
    return fold_on(open_cumulative(terms, facts, through), facts)


def _inserted(new: _Node, tip: _Node) -> _Node:
    """Return the chain with a fact that does not come last."""
    later = list(takewhile(partial(_comes_before, new), tip.back()))
    node = later[-1].parent
    for moved in (new, *reversed(later)):
        assert node is not None, "a node with a fact has a parent"
        assert moved.fact is not None, "a root is before everything"
        node = node.follow(moved.fact)
    assert node is not None, "the last one that was moved"
    return node


def _comes_before(new: _Node, node: _Node) -> bool:
    """Whether a fact is folded before another node's.

    A waiver follows the charge it gives up, and the money without which no charge falls due.
    """
    if node.fact is None or node.key is None or new.key is None:
        return False  # a root is before everything
    if isinstance(new.fact, f.ChargeWaived):
        return node.fact.id != new.fact.charge_id and not _is_first_money(node)
    return node.key > new.key


def _is_first_money(node: _Node) -> bool:
    assert node.parent is not None, "a node with a fact has a parent"
    if not isinstance(node.fact, f.Disbursed):
        return False
    return not any(isinstance(before.fact, f.Disbursed) for before in node.parent.back())


def _changes_by(state: Ledger, through: date) -> bool:
    if time_matters(state, through):
        return True
    if not state.recalculates or overdue_has_earned(state.plan, through):
        return False
    late = state.plan.due_before(through)
    return any(period.due_principal > period.paid_principal for period in late)


def _anchored(tip: _Node) -> _Node:
    """Chain whose root starts on the first disbursement."""
    facts = tip.facts()
    first = next((x.effective_on for x in facts if isinstance(x, f.Disbursed)), None)
    terms = tip.root.terms
    started_on = terms.expected_disbursement_on if first is None else first
    if started_on == tip.root.started_on:
        return tip
    node = _Node(None, None, _Root(terms, started_on, tip.root.ids))
    for fact in facts:
        node = node.follow(fact)
    return node


def _planned(terms: LoanTerms, charges: list[f.ChargeAdded]) -> Ledger:
    tranches = [(t.expected_on, t.amount_minor) for t in terms.expected_tranches]
    if not tranches:
        tranches = [(terms.expected_disbursement_on, terms.principal_minor)]
    expected: list[f.Fact] = [
        f.Disbursed(id=f"expected:{n}", effective_on=on, entered_on=on, amount_minor=amount)
        for n, (on, amount) in enumerate(sorted(tranches))
    ]
    if terms.cumulative:
        ledger = fold(open_cumulative(terms, expected, None), charges)
    else:
        ledger = fold(open_ledger(terms, min(on for on, _ in tranches)), [*expected, *charges])
    for row in ledger.rows:
        row.met_on = None
    return ledger
