"""What waits for the returns desk: parcels to inspect, goods to decide on, money to give back, and who never came."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from aftersales import status
from aftersales.documents import ReturnAuthorization
from aftersales.status import Waiting
from scm.loop.exceptions.findings import Finding, Kind, Scope
from scm.master.partners import Partner

OVERDUE_DAYS = 14  # a parcel that has not come this long after it was authorized is asked for


def returns(session: Session, scope: Scope) -> Iterator[Finding]:
    """This function will find returns that wait for the desk, by authorization and step."""
    found = status.awaiting(session, site_id=scope.site_id)
    steps: tuple[tuple[Kind, Sequence[Waiting]], ...] = (
        (Kind.TO_INSPECT, found.to_inspect),
        (Kind.TO_DISPOSE, found.to_dispose),
        (Kind.TO_REFUND, found.to_refund),
        (Kind.RETURN_OVERDUE, found.to_receive),
    )
    heads = {
        row.id: row
        for row in session.execute(
            sa.select(ReturnAuthorization.id, ReturnAuthorization.authorized_date, Partner.name)
            .join(Partner, Partner.id == ReturnAuthorization.customer_id)
            .where(ReturnAuthorization.id.in_({one.return_id for _, step in steps for one in step}))
        )
    }
    for kind, waiting in steps:
        by_return: dict[int, list[Waiting]] = defaultdict(list)
        for one in waiting:
            by_return[one.return_id].append(one)
        for return_id, lines in by_return.items():
            head = heads[return_id]
            age = (scope.today - head.authorized_date).days
            if kind is Kind.RETURN_OVERDUE and age <= OVERDUE_DAYS:
                continue
            yield Finding(
                kind=kind,
                subject_id=return_id,
                label=lines[0].number,
                name=head.name,
                quantity=sum(one.quantity for one in lines),
                due_date=head.authorized_date,
                facts={"lines": len({one.return_line_id for one in lines}), "age_days": age},
            )
