"""Who is let in: by the key, by tokens, by both, or by neither."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from agentos_lambda.identity.authority import Authority, Grant
from agentos_lambda.identity.errors import Expired, Forbidden, InvalidToken, KeysUnavailable, Missing, WrongKey
from agentos_lambda.identity.principal import KEY_HOLDER, NOBODY, Principal, PrincipalKind
from agentos_lambda.identity.scopes import ADMIN, Scopes
from agentos_lambda.runs.errors import StoreUnavailable
from tests.clocks import ManualClock
from tests.identity.tokens import SECRET, claims, signed, verifier


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def unreadable() -> str:
    raise StoreUnavailable("the security key cannot be read")


def authority(clock, key=None, *, tokens=True, **options) -> Authority:
    source = key if callable(key) else lambda: key
    checks = verifier(clock, "HS256") if tokens else None
    return Authority(source, clock, tokens=checks, **{"takes_key": False, "isolates_users": True, **options})


def token(clock, **changed) -> str:
    return signed(claims(clock, **changed), "HS256")


def test_without_key_and_tokens_everybody_is_nobody(clock):
    open_to_all = authority(clock, tokens=False)
    assert (open_to_all.mode(), open_to_all.isolates_users, open_to_all.is_guarded()) == ("none", False, False)
    assert open_to_all.principal(None) == open_to_all.principal("anything") == NOBODY


def test_the_key_may_do_everything(clock):
    by_key = authority(clock, "the key", tokens=False)
    assert (by_key.mode(), by_key.principal("the key")) == ("security_key", KEY_HOLDER)
    with pytest.raises(Missing, match="Authorization header required"):
        by_key.principal(None)
    with pytest.raises(WrongKey, match="Invalid authentication token"):
        by_key.principal(token(clock))


def test_where_tokens_count_the_key_counts_only_if_that_is_asked_for(clock):
    assert authority(clock, "the key").mode() == "jwt"
    with pytest.raises(Missing, match="Authorization header missing"):
        authority(clock, "the key").principal(None)
    with pytest.raises(InvalidToken, match="Not enough segments"):
        authority(clock, "the key").principal("the key")
    both = authority(clock, "the key", takes_key=True)
    assert both.principal("the key") == replace(KEY_HOLDER, audited=True)
    assert both.principal(token(clock)).subject == "alice"
    assert authority(clock, "a.b.c", takes_key=True).principal("a.b.c").kind is PrincipalKind.KEY
    with pytest.raises(InvalidToken):
        authority(clock, None, takes_key=True).principal("the key")


def test_a_key_that_cannot_be_read_keeps_no_user_out(clock):
    both = authority(clock, unreadable, takes_key=True)
    assert both.principal(token(clock)).subject == "alice"
    with pytest.raises(StoreUnavailable):
        both.principal("the key")
    assert authority(clock, unreadable).principal(token(clock)).subject == "alice"


@pytest.mark.parametrize(
    ("scopes", "isolates", "isolated"), [(["agents:run"], True, True), ([ADMIN], True, False), ([], False, False)]
)
def test_users_are_isolated_unless_they_are_admins_or_isolation_is_off(clock, scopes, isolates, isolated):
    assert authority(clock, isolates_users=isolates).principal(token(clock, scopes=scopes)).isolated is isolated


def test_a_token_that_names_nobody_cannot_be_isolated(clock):
    nameless = token(clock, sub=None)
    with pytest.raises(Forbidden, match="missing a user identity"):
        authority(clock).principal(nameless)
    assert authority(clock, isolates_users=False).principal(nameless).subject is None
    assert authority(clock).principal(token(clock, sub=None, scopes=[ADMIN])).scopes.admin


USER = Principal(PrincipalKind.USER, "alice", Scopes(("agents:run",)))
ISOLATED = replace(USER, isolated=True)
ADMINISTRATOR = replace(USER, scopes=Scopes((ADMIN,)))


@pytest.mark.parametrize(
    ("principal", "acts_for", "reads_for"),
    [
        (NOBODY, "bob", "bob"),
        (KEY_HOLDER, "bob", "bob"),
        (USER, "alice", "bob"),
        (ISOLATED, "alice", "alice"),
        (ADMINISTRATOR, "bob", "bob"),
        (replace(USER, subject=None), None, "bob"),
    ],
)
def test_whose_user_a_request_may_name(principal, acts_for, reads_for):
    assert (principal.acts_for("bob"), principal.reads_for("bob")) == (acts_for, reads_for)


def test_an_admin_that_names_nobody_acts_for_itself_and_reads_everything():
    assert (ADMINISTRATOR.acts_for(None), ADMINISTRATOR.reads_for(None)) == ("alice", None)


def test_no_two_principals_have_one_name():
    principals = [NOBODY, KEY_HOLDER, USER, replace(USER, subject="key"), replace(USER, subject=None)]
    names = [each.name(user_id) for each in principals for user_id in (None, "alice")]
    assert names == [
        *("nobody", "nobody:alice", "key", "key:alice", "user:alice", "user:alice", "user:key", "user:key"),
        *("user", "user"),
    ]


def test_what_a_connection_has_shown_counts_until_the_token_expires(clock):
    by_token = authority(clock)
    shown = token(clock)
    grant = by_token.grant(by_token.principal(shown), shown, "c-1")
    assert by_token.granted(grant, "c-1") == replace(by_token.principal(shown), isolated=True)
    clock.advance(3_600_000 - 1)
    assert by_token.granted(grant, "c-1").subject == "alice"
    clock.advance(1)
    assert by_token.granted(grant, "c-1") is None
    assert shown not in repr(grant)


def test_what_a_connection_has_shown_is_worth_nothing_where_it_does_not_count(clock):
    by_key, by_token, open_to_all = (
        authority(clock, SECRET, tokens=False),
        authority(clock),
        authority(clock, tokens=False),
    )
    of_key = by_key.grant(KEY_HOLDER, SECRET, "c-1")
    of_token = by_token.grant(by_token.principal(token(clock)), "", "c-1")
    assert by_key.granted(of_key, "c-1") == KEY_HOLDER
    assert by_key.granted(of_key, "c-2") is by_key.granted(of_token, "c-1") is by_key.granted(None, "c-1") is None
    assert by_token.granted(of_key, "c-1") is by_token.granted(None, "c-1") is None
    assert open_to_all.granted(None, "c-1") == NOBODY
    assert open_to_all.grant(NOBODY, "anything", "c-1") is None


@pytest.mark.parametrize(
    ("later", "renews"),
    [
        (Grant(subject="alice", scopes=("agents:run", "teams:run"), expires_at=9), True),
        (Grant(subject="alice", scopes=(ADMIN,), expires_at=9), True),
        (Grant(subject="alice", scopes=("teams:run",), expires_at=9), False),
        (Grant(subject="bob", scopes=("agents:run",), expires_at=9), False),
        (Grant("proof"), False),
    ],
)
def test_a_token_renews_one_of_the_same_user_who_may_do_no_less(later, renews):
    assert later.renews(Grant(subject="alice", scopes=("agents:run",), expires_at=1)) is renews


def test_an_expired_token_is_named_as_such(clock):
    old = token(clock)
    clock.advance(3_600_000 + 60_000)
    with pytest.raises(Expired):
        authority(clock).principal(old)


def test_nobody_is_let_in_while_keys_cannot_be_had(clock):
    class NoKeys:
        def verify(self, token):
            raise KeysUnavailable("gone")

    with pytest.raises(KeysUnavailable):
        Authority(lambda: None, clock, tokens=NoKeys(), takes_key=False).principal(token(clock))


@dataclass
class Rereadable:
    """A key that is remembered, or has to be read."""

    key: str | None
    asked: int = 0

    def __call__(self) -> str | None:
        self.asked += 1
        return "the key"

    def reread(self) -> str | None:
        return self()

    def remembered(self) -> str | None:
        return self.key


def test_a_remembered_key_is_compared_without_asking_anybody(clock):
    source = Rereadable("the key")
    by_key = authority(clock, source, tokens=False)
    assert by_key.known("the key") == KEY_HOLDER
    assert [by_key.known(each) for each in (None, "another", "agno_pat_abc")] == [None] * 3
    source.key = None
    assert by_key.known("the key") is None
    assert source.asked == 0


def test_what_only_principal_decides_is_not_known(clock):
    assert authority(clock, tokens=False).known("anything") == NOBODY
    assert authority(clock, "the key", tokens=False).known("the key") == KEY_HOLDER
    assert authority(clock, "the key", takes_key=True).known("the key") is None
