"""Which model judges: the one learned last that a trial found better, or the one that ships."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from matchers.model import Model, shipped
from registry.errors import TouchstoneError
from registry.models import LearnedModel

#: What the model that ships is called where a version is asked for.
SHIPPED = "shipped"


def running_model(session: Session) -> Model:
    """The model that is in use now.

    Raises
    ------
    TouchstoneError
        If it was learned by a version with other signals than this one has.
    """
    row = session.scalar(
        select(LearnedModel).where(LearnedModel.active).order_by(LearnedModel.id.desc()).limit(1)
    )
    return shipped() if row is None else content(row)


def content(row: LearnedModel) -> Model:
    """A learned model, read back.

    Raises
    ------
    TouchstoneError
        If this version cannot use it.
    """
    try:
        return Model.model_validate(row.content)
    except ValueError as error:
        raise TouchstoneError(
            f"model {row.version} cannot be used by this version "
            f"({' '.join(str(error).split())[:200]}): touchstone match use {SHIPPED}"
        ) from error


def learned(session: Session) -> Sequence[LearnedModel]:
    """Every learned model, newest first."""
    return session.scalars(select(LearnedModel).order_by(LearnedModel.id.desc())).all()


def use(session: Session, version: str) -> Model:
    """Have a model judge from now on; `SHIPPED` for the one that ships.

    Raises
    ------
    TouchstoneError
        Naming the models that there are.
    """
    if version in (SHIPPED, shipped().version):
        session.execute(update(LearnedModel).values(active=False))
        return shipped()
    row = session.scalar(select(LearnedModel).where(LearnedModel.version == version))
    if row is None:
        known = [SHIPPED, *session.scalars(select(LearnedModel.version).order_by(LearnedModel.id))]
        raise TouchstoneError(f"there is no model {version!r}; there are: {', '.join(known)}")
    model = content(row)
    session.execute(update(LearnedModel).values(active=False))
    row.active = True
    session.flush()
    return model


def keep(
    session: Session, model: Model, report: dict[str, object], *, active: bool
) -> LearnedModel:
    """Keep a learned model with the report of its trial; one of that version is kept once."""
    row = session.scalar(select(LearnedModel).where(LearnedModel.version == model.version))
    if row is None:
        row = LearnedModel(version=model.version, active=False)
        session.add(row)
    row.content, row.report = model.model_dump(mode="json"), report
    if active:
        session.execute(update(LearnedModel).values(active=False))
    row.active = active
    session.flush()
    return row
