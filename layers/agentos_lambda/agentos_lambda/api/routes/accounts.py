"""The routes of service accounts. None of them imports an engine."""

import asyncio
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Path, Query, Request

from agentos_lambda.api.errors import ApiError
from agentos_lambda.api.requests.account_forms import NewAccountForm
from agentos_lambda.api.requests.session_forms import read_form
from agentos_lambda.api.responses import Answer, Created, NoContent, TypedRoute
from agentos_lambda.api.routes.paging import Page, page_info
from agentos_lambda.api.scope import principal_of
from agentos_lambda.identity import audit
from agentos_lambda.identity.accounts.model import ServiceAccount
from agentos_lambda.identity.accounts.service import AccountQuery, AccountService
from agentos_lambda.identity.errors import Missing
from agentos_lambda.identity.scopes import current_name

if TYPE_CHECKING:
    from agentos_lambda.api import account_answers

MAX_PAGE = 100


def account_router(accounts: AccountService) -> APIRouter:
    """``/service-accounts``. Whoever creates or revokes an account is written to the audit trail in any case."""
    router = APIRouter(tags=["Service accounts"], route_class=TypedRoute)
    _add_creation(router, accounts)
    _add_list(router, accounts)
    _add_revocation(router, accounts)
    return router


def _add_creation(router: APIRouter, accounts: AccountService) -> None:
    @router.post(
        "/service-accounts",
        summary="Create a service account",
        operation_id="create_service_account",
        response_description="The account, and its token, which is shown this once",
        openapi_extra={"x-form": NewAccountForm.__name__},
        status_code=201,
    )
    async def create_service_account(request: Request) -> Created["account_answers.NewServiceAccount"]:
        """The token is a bearer token of a machine. It may do what its scopes say, and no more than who creates it."""
        form = await read_form(request, NewAccountForm)
        principal = principal_of(request.scope)
        try:
            account, token = await asyncio.to_thread(accounts.create, principal, form.wanted())
        except Missing as refusal:
            raise ApiError(401, str(refusal)) from refusal
        audit.done(
            replace(principal, audited=True), "service account created", account=account.name, account_id=account.id
        )
        return Created({**_shown(account), "token": token})


def _add_list(router: APIRouter, accounts: AccountService) -> None:
    @router.get(
        "/service-accounts",
        summary="List service accounts",
        operation_id="list_service_accounts",
        response_description="A page of them, without tokens",
    )
    def list_service_accounts(
        request: Request,
        *,
        include_revoked: Annotated[bool, Query(description="Whether revoked ones are listed, too")] = True,
        limit: Annotated[int, Query(ge=1, le=MAX_PAGE, description="How many on a page")] = 20,
        page: Page = 1,
        sort_by: Annotated[str, Query(description="`created_at`, `name` or `expires_at`")] = "created_at",
        sort_order: Annotated[str, Query(description="`asc` or `desc`")] = "desc",
    ) -> Answer["account_answers.ServiceAccountPage"]:
        """The newest first. A new one may be missing for a moment."""
        query = AccountQuery(include_revoked, limit, page, sort_by, sort_order == "asc")
        found, total = accounts.list(principal_of(request.scope), query)
        return Answer({"data": [_shown(account) for account in found], "meta": page_info(page, limit, total)})


def _add_revocation(router: APIRouter, accounts: AccountService) -> None:
    @router.delete(
        "/service-accounts/{service_account_id}",
        summary="Revoke a service account",
        operation_id="revoke_service_account",
        response_description="It is revoked",
        status_code=204,
    )
    def revoke_service_account(
        request: Request, service_account_id: Annotated[str, Path(description="The id of an account")]
    ) -> NoContent:
        """Its token counts for a minute at most. Revoking it twice changes nothing."""
        principal = principal_of(request.scope)
        accounts.revoke(principal, service_account_id)
        audit.done(replace(principal, audited=True), "service account revoked", account_id=service_account_id)
        return NoContent()


def _shown(account: ServiceAccount) -> "account_answers.ServiceAccount":
    return {
        "id": account.id,
        "name": account.name,
        "principal": account.principal,
        "user_id": account.created_by,
        "token_prefix": account.token_prefix,
        "scopes": [_shown_scope(scope) for scope in account.scopes],
        "created_at": account.created_at // 1000,
        "expires_at": None if account.expires_at is None else account.expires_at // 1000,
        "last_used_at": None,
        "revoked_at": None if account.revoked_at is None else account.revoked_at // 1000,
        "created_by": account.created_by,
        "limits": None if account.limits is None else asdict(account.limits),
    }


def _shown_scope(scope: str) -> "account_answers.GrantedScope":
    resource, *resource_id, action = scope.split(":")
    return {
        "id": None,
        "raw": scope,
        "namespace": current_name(resource),
        "sub_namespace": resource_id[0] if resource_id else None,
        "permission": action,
        "value": "allow",
    }
