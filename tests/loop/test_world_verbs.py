"""The world only calls verbs: whatever it does to the company, a person could do by the same call."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from scm.loop.world import simulation

WORLD = Path(simulation.__file__).parent
# The verbs that people use; whatever the world does to the company it does through these.
VERBS = {
    "companies.set_business_date",
    "idempotency.run_once",
    "accepting.accept",
    "proposals.accept",
    "orders.draft",  # of procurement
    "orders.write",
    "agreements.set_agreements",
    "orders.submit",
    "orders.approve",
    "orders.send",
    "orders.place_and_confirm",  # of sales
    "orders.cancel",
    "orders.cancel_lines",
    "orders.give_up",
    "receiving.receive",
    "putaway.put_away_all",
    "reservations.fill_backorders",
    "waves.release",
    "picking.confirm",
    "packing.pack",
    "shipping.ship",
    "delivery.confirm",
    "counting.plan_count",
    "counting.record_count",
    "counting.approve",
    "counting.reject",
    "returns.authorize",
    "inspection.record",
    "proposing.settle",
    "refresh.refresh",  # of the exceptions
    "parcels.record",
    "refunds.refund",
    "receivables.record_payment",
    "valuation.run",
    "sites.add",
    "transfer_lanes.add",
    "transfers.draft",
    "transfers.release",
    "transfers.pick",
    "transfers.ship",
    "transfers.receive",
    "bom_writing.create",
    "bom_approving.submit",
    "bom_approving.approve",
    "orders.create",  # of production
    "orders.release",
    "issuing.issue",
    "reporting.report",
    "completing.complete",
}


@pytest.mark.parametrize("path", sorted(WORLD.glob("*.py")), ids=lambda path: path.stem)
def test_the_world_writes_nothing_itself(path: Path) -> None:
    assert list(writes_in(path.read_text())) == []


@pytest.mark.parametrize(
    "source",
    [
        "session.add(row)",
        "session.execute(sa.insert(table))",
        "session.execute(sa.update(Item).values(a=1))",
        "session.execute(table.delete())",
        "session.execute(sa.text('DELETE FROM item'))",
        "connection.exec_driver_sql('x')",
        "session.flush()",
        "from scm.stock import posting",
        "from scm.stock import ledger",
        "from scm.core.db import table_of",
        "stage.database.run(work)",
        "database.unit_of_work(write=True)",
        "stage.act(lambda session: ledger.move_now(session, moves))",
        "stage.act(lambda session: setattr(row, 'x', 1))",
        "stage.act_once('today', lambda session: setattr(row, 'x', 1))",
    ],
)
def test_the_search_for_writes_finds_one(source: str) -> None:
    assert len(list(writes_in(source))) == 1


def test_every_listed_verb_is_used() -> None:
    used = {verb for path in WORLD.glob("*.py") for verb in acts_in(ast.parse(path.read_text()))}
    assert used == VERBS


WRITING_METHODS = {"add", "add_all", "delete", "merge", "flush", "commit", "exec_driver_sql", "bulk_save_objects"}
WRITING_STATEMENTS = {"insert", "update", "delete", "text"}
RAW_WRITERS = {"posting", "ledger", "balances", "table_of", "bulk", "dialect_insert"}


def writes_in(source: str) -> Iterator[str]:
    """This function will name what writes: session methods, statements, raw writers, acts that are no known verb."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from (f"line {node.lineno}: import {a.name}" for a in node.names if a.name in RAW_WRITERS)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value.id if isinstance(node.func.value, ast.Name) else ""
            on_session = owner in ("session", "connection") and node.func.attr in WRITING_METHODS
            statement = owner in ("sa", "table") and node.func.attr in WRITING_STATEMENTS
            if on_session or statement or opens_a_write(node, node.func):
                yield f"line {node.lineno}: {ast.unparse(node.func)}"
    yield from (f"act {verb}" for verb in acts_in(tree) if verb not in VERBS)


def opens_a_write(call: ast.Call, function: ast.Attribute) -> bool:
    """Only `Stage.act` and `idempotency.run_once` open a transaction that writes; `Stage.look` cannot write."""
    opened = ast.unparse(function)
    if opened.endswith("database.run"):
        return opened != "self.database.run"
    writes = [keyword.value for keyword in call.keywords if keyword.arg == "write"]
    return opened.endswith(".unit_of_work") and [ast.unparse(value) for value in writes] != ["False"]


def acts_in(tree: ast.AST) -> Iterator[str]:
    """This function will name what is called in each write transaction: the body of every lambda given to `act`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in ("act", "act_once"):
                yield called(node.args[-1])
            elif node.func.attr == "run_once":
                yield "idempotency.run_once"
                works = [keyword.value for keyword in node.keywords if keyword.arg == "work"]
                # `Stage.act_once` passes on what it was given, which is looked at where it is given.
                yield from (called(work) for work in works if ast.unparse(work) != "worked")


def called(argument: ast.expr) -> str:
    if isinstance(argument, ast.Lambda) and isinstance(argument.body, ast.Call):
        return ast.unparse(argument.body.func)
    return ast.unparse(argument)
