"""Builders for stories about what is made of what: short words around the real verbs."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from scm.core.users import Actor
from scm.master import bom_approving, bom_content, bom_writing, work_centers
from scm.master.bom import BomKind
from scm.master.bom_content import BomContent, LineContent
from scm.master.work_centers import CenterRow
from tests.world import World


def content(world: World, components: Mapping[int, int], **changes: Any) -> BomContent:
    """This function will say that one unit is made of so many of each component, from the present day on."""
    lines = tuple(
        LineContent(line_number=10 * place, item_id=item, quantity=quantity)
        for place, (item, quantity) in enumerate(components.items(), start=1)
    )
    return dataclasses.replace(BomContent(kind=BomKind.MAKE, valid_from=world.today, lines=lines), **changes)


def bill(world: World, item: int, written: BomContent) -> int:
    """This function will write a draft of what an item is made of and give its id."""
    return bom_writing.create(
        world.begin(),
        written,
        site_id=world.setup.site_id,
        item_id=item,
        company_id=world.setup.company_id,
        actor=world.user("planner"),
    )


def approved_bill(world: World, item: int, components: Mapping[int, int], **changes: Any) -> int:
    """This function will write what an item is made of, and have it approved by somebody else."""
    bom_id = bill(world, item, content(world, components, **changes))
    submit(world, bom_id)
    approve(world, bom_id)
    return bom_id


def submit(world: World, bom_id: int) -> None:
    """This function will ask for the approval of a draft."""
    bom_approving.submit(world.begin(), bom_id=bom_id, **by(world, "planner"), now=world.now)


def approve(world: World, bom_id: int) -> None:
    """This function will approve a revision as the administrator."""
    bom_approving.approve(world.begin(), bom_id=bom_id, **by(world, "admin"), now=world.now)


def edit(world: World, bom_id: int, **changes: Any) -> None:
    """This function will change what a revision says, as it stands now."""
    present = bom_content.read(world.begin(), [bom_id])[bom_id]
    bom_approving.edit(
        world.begin(),
        bom_id=bom_id,
        believes=bom_approving.believed(present),
        content=dataclasses.replace(present, **changes),
        **by(world, "planner"),
        now=world.now,
    )


def by(world: World, username: str) -> dict[str, Any]:
    """This function will say in which company who acts."""
    actor: Actor = world.user(username)
    return {"company_id": world.setup.company_id, "actor": actor}


def center(world: World, code: str, *, machines: int = 1) -> int:
    """This function will add a work centre without shifts and give its id."""
    return work_centers.add(
        world.begin(),
        CenterRow(name=code.capitalize(), machines=machines),
        code=code,
        site_id=world.setup.site_id,
        company_id=world.setup.company_id,
        actor=world.user("planner"),
    )
