"""What was used: ``GET /usage``. It imports no engine."""

import csv
import io
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query, Request

from agentos_lambda.api.requests.fields import UserIdText
from agentos_lambda.api.requests.usage_query import Accept, Format, wants_csv
from agentos_lambda.api.responses import Answer, Csv, TypedRoute
from agentos_lambda.api.scope import principal_of
from agentos_lambda.usage.service import UsageLine, UsageService, UsageSum, total

if TYPE_CHECKING:
    from agentos_lambda.api import account_answers

_COLUMNS = ("day", "account", "runs", "input_tokens", "output_tokens", "seconds")
_FORMULAS = tuple("=+-@＝＋－＠")  # noqa: RUF001 - the wide forms count as well
"""How a cell begins that a spreadsheet would compute."""


def usage_router(usage: UsageService) -> APIRouter:
    """``/usage``."""
    router = APIRouter(tags=["Usage"], route_class=TypedRoute)

    @router.get(
        "/usage", summary="Sum what was used", operation_id="get_usage", response_description="By day and account"
    )
    def get_usage(
        request: Request,
        *,
        first: Annotated[date | None, Query(alias="from", description="The first day; else that of the month")] = None,
        last: Annotated[date | None, Query(alias="to", description="The last day; else today, in UTC")] = None,
        account: Annotated[UserIdText | None, Query(description="Only of this account or user: for admins")] = None,
        asked: Format = None,
        accept: Accept = None,
    ) -> Answer["account_answers.Usage"] | Csv:
        """Runs that have ended or paused, by the day on which they were accepted. At most 31 days. Whoever is no admin
        gets its own."""
        period = usage.period(first, last)
        lines = usage.lines(principal_of(request.scope), period, account)
        if wants_csv(asked, accept):
            return Csv(_csv(lines), f"usage-{period.first}-{period.last}.csv")
        return Answer(
            {
                "from": period.first.isoformat(),
                "to": period.last.isoformat(),
                "data": [{"day": line.day, "account": line.account, **_shown(line.used)} for line in lines],
                "total": _shown(total(lines)),
            }
        )

    return router


def _shown(used: UsageSum) -> "account_answers.Used":
    return {
        "runs": used.runs,
        "input_tokens": used.usage.input_tokens,
        "output_tokens": used.usage.output_tokens,
        "seconds": used.usage.milliseconds / 1000,
    }


def _csv(lines: Sequence[UsageLine]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    for line in lines:
        writer.writerow([line.day, _cell(line.account or ""), *_shown(line.used).values()])
    return text.getvalue()


def _cell(account: str) -> str:
    """A user's id may be nearly any text: as a cell it is never a formula."""
    return f"'{account}" if account.startswith(_FORMULAS) else account
