"""Rules: who may approve how much, which proposals are accepted without asking, what may be spent."""

from __future__ import annotations

from decimal import Decimal

from flask import render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from marshmallow import fields

from procurement import budgets, offers, rule_book, rules
from scm.core.users import Role
from scm.finance import money
from web.area import Area
from web.desk import Desk, act, done, read
from web.schemas import Form, read_form, text

area = Area("rules", __name__)
READERS = frozenset({Role.PLANNER, Role.BUYER, Role.APPROVER, Role.ADMIN})
SIGNERS = frozenset({Role.PLANNER, Role.BUYER})
REVOKERS = frozenset({Role.PLANNER, Role.BUYER, Role.APPROVER})
LIMITERS = frozenset({Role.ADMIN, Role.APPROVER})
SPENDERS = frozenset({Role.PLANNER, Role.APPROVER, Role.ADMIN})
LARGEST = Decimal(10) ** 12


def _amount() -> fields.Decimal:
    return fields.Decimal(required=True, allow_nan=False)


class LimitForm(Form):
    """The largest order somebody may approve."""

    username = text(required=True, longest=60)
    amount = _amount()


class RuleForm(Form):
    """A rule that accepts small proposals."""

    name = text(required=True, longest=120)
    supplier_id = fields.Integer(load_default=None)
    amount = _amount()


class BudgetForm(Form):
    """A budget of a period."""

    from_date = fields.Date(required=True)
    until_date = fields.Date(required=True)
    amount = _amount()


@area.page("/admin/rules", roles=READERS)
def index(desk: Desk) -> ResponseReturnValue:
    """This function will show the rules in force, and the forms for those who may change them."""
    with read() as session:
        book = rule_book.read(session, company_id=desk.company.id, currency=desk.currency)
        suppliers = offers.suppliers(session, company_id=desk.company.id) if desk.has(*SIGNERS) else []
    return render_template("buying/rules.html", book=book, suppliers=suppliers)


@area.action("/admin/rules/limits", roles=LIMITERS)
def set_limit(desk: Desk) -> ResponseReturnValue:
    """This function will limit what somebody may approve."""
    form = read_form(LimitForm)
    largest = minor_units(form["amount"], desk.currency)
    act(
        "approval_limit.set",
        lambda session: rules.set_limit(
            session, username=form["username"], currency=desk.currency, largest_amount=largest, actor=desk.actor
        ),
    )
    return done(url_for("rules.index"), gettext("The limit is set."))


@area.action("/admin/rules/sign", roles=SIGNERS)
def sign(desk: Desk) -> ResponseReturnValue:
    """This function will put a rule in force under one's own signature."""
    form = read_form(RuleForm)
    largest = minor_units(form["amount"], desk.currency)
    act(
        "rule.sign",
        lambda session: rules.sign(
            session,
            name=form["name"],
            currency=desk.currency,
            largest_amount=largest,
            supplier_id=form["supplier_id"],
            actor=desk.actor,
            now=desk.now,
        ),
    )
    return done(url_for("rules.index"), gettext("The rule is in force under your signature."))


@area.action("/admin/rules/<int:rule_id>/revoke", roles=REVOKERS)
def revoke(desk: Desk, rule_id: int) -> ResponseReturnValue:
    """This function will take a rule out of force."""
    act("rule.revoke", lambda session: rules.revoke(session, rule_id=rule_id, actor=desk.actor, now=desk.now))
    return done(url_for("rules.index"), gettext("The rule is revoked."))


@area.action("/admin/rules/budgets", roles=SPENDERS)
def set_budget(desk: Desk) -> ResponseReturnValue:
    """This function will set the budget of a period."""
    form = read_form(BudgetForm)
    amount = minor_units(form["amount"], desk.currency)
    act(
        "budget.set",
        lambda session: budgets.set_budget(
            session,
            company_id=desk.company.id,
            from_date=form["from_date"],
            until_date=form["until_date"],
            amount=amount,
            actor=desk.actor,
        ),
    )
    return done(url_for("rules.index"), gettext("The budget is set."))


def minor_units(amount: Decimal, currency: str) -> int:
    """This function will read an amount as somebody wrote it. Raises `BadRule`."""
    scaled = amount.scaleb(money.places(currency))
    if amount > LARGEST or scaled != int(scaled):
        raise rules.BadRule(
            f"{amount} is no amount of {currency}: write it with at most {money.places(currency)} places"
        )
    return int(scaled)
