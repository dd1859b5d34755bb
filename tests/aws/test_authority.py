"""From a function's environment to who it lets in. What is configured wrongly lets nobody in."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from agentos_lambda.aws.functions.authority import authority_of
from agentos_lambda.aws.settings import Settings
from agentos_lambda.identity.errors import InvalidToken, KeysUnavailable, Unauthorized
from agentos_lambda.identity.principal import PrincipalKind
from agentos_lambda.runs.clock import SystemClock
from agentos_lambda.stores.clients import Clients
from tests.identity.tokens import AUDIENCE, ISSUER, SECRET, claims, jwk, public_pem, signed
from tests.process import ROOT

OF_ISSUER = {"JWT_ISSUER": ISSUER, "JWT_AUDIENCE": AUDIENCE}


@pytest.fixture
def authority(monkeypatch):
    def made(**variables: str):
        for name, value in {"OS_SECURITY_KEY": "the key", **variables}.items():
            monkeypatch.setenv(name, value)
        return authority_of(Settings.from_environment(), Clients())

    return made


def token(algorithm: str = "RS256") -> str:
    return signed(claims(SystemClock()), algorithm)


def test_without_variables_the_key_counts_and_nothing_else(authority):
    by_key = authority()
    assert (by_key.mode(), by_key.isolates_users) == ("security_key", False)
    assert by_key.principal("the key").kind is PrincipalKind.KEY


@pytest.mark.parametrize("variables", [{"AUTH_MODE": ""}, {"JWT_AUDIENCE": ""}, {"USER_ISOLATION": "on"}])
def test_what_is_empty_or_only_refines_tokens_configures_none(authority, variables):
    assert authority(**variables).mode() == "security_key"


def test_a_public_key_a_secret_and_a_file_verify_tokens(authority, tmp_path):
    by_key = authority(JWT_VERIFICATION_KEY=public_pem("RS256"), **OF_ISSUER)
    assert (by_key.mode(), by_key.isolates_users) == ("jwt", True)
    assert by_key.principal(token()).subject == "alice"
    with pytest.raises(InvalidToken):
        by_key.principal("the key")
    file = tmp_path / "jwks.json"
    file.write_text(json.dumps({"keys": [jwk("ES256"), jwk("RS256", "second")]}))
    by_file = authority(JWT_VERIFICATION_KEY="", JWT_JWKS_FILE=str(file), JWT_ALGORITHMS="ES256,RS256", **OF_ISSUER)
    assert by_file.principal(token("ES256")).subject == "alice"
    by_secret = authority(JWT_JWKS_FILE="", JWT_VERIFICATION_KEY=SECRET, JWT_ALGORITHMS="HS256")
    assert by_secret.principal(token("HS256")).subject == "alice"


def test_settings_change_what_they_say(authority):
    both = authority(
        JWT_VERIFICATION_KEY=public_pem("RS256"), AUTH_MODE="both", USER_ISOLATION="off", JWT_REQUIRE_EXPIRY="off"
    )
    assert both.principal("the key").kind is PrincipalKind.KEY
    user = both.principal(signed(claims(SystemClock(), exp=None)))
    assert (user.subject, user.isolated) == ("alice", False)


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({"AUTH_MODE": "jwt"}, "neither a key, nor a file of keys, nor an issuer"),
        ({"JWT_AUDIENCE": AUDIENCE}, "neither a key, nor a file of keys, nor an issuer"),
        ({"JWT_AUDIENCE": AUDIENCE, "JWT_JWKS_URL": f"{ISSUER}/keys"}, "neither a key"),
        ({"AUTH_MODE": "open"}, "AUTH_MODE is one of"),
        ({**OF_ISSUER, "USER_ISOLATION": "yes"}, "USER_ISOLATION is on or off"),
        ({"JWT_ISSUER": ISSUER}, "JWT_AUDIENCE is missing"),
        ({**OF_ISSUER, "JWT_ALGORITHMS": "none"}, "not an algorithm"),
        ({"JWT_VERIFICATION_KEY": "short", "JWT_ALGORITHMS": "HS256"}, "32 bytes"),
        ({"JWT_VERIFICATION_KEY": SECRET}, "not a public key in PEM"),
        ({"JWT_VERIFICATION_KEY": "RSA", "JWT_ALGORITHMS": "HS256,RS256"}, "cannot be allowed together"),
        ({"JWT_VERIFICATION_KEY": "EC"}, "no key fits"),
        ({"JWT_JWKS_FILE": "/none/jwks.json"}, "No such file"),
        ({"JWT_JWKS_FILE": __file__}, "tokens cannot be verified"),
        ({"JWT_JWKS_FILE": "EMPTY"}, "neither a key"),
    ],
)
def test_what_is_configured_wrongly_lets_nobody_in(authority, caplog, tmp_path, variables, reason):
    empty = tmp_path / "jwks.json"
    empty.write_text('{"keys": []}')
    made = {"RSA": public_pem("RS256"), "EC": public_pem("ES256"), "EMPTY": str(empty)}
    closed = authority(**{name: made.get(value, value) for name, value in variables.items()})
    assert reason in caplog.text
    assert (closed.mode(), closed.is_guarded()) == ("jwt", True)
    for presented in (token(), "the key", "anything"):
        with pytest.raises(KeysUnavailable):
            closed.principal(presented)
    with pytest.raises(Unauthorized):
        closed.principal(None)


PROBE = """
import sys, time
import app
print(time.process_time(), *sys.modules)
"""


def loaded(folder: str, manifest: Path, **variables: str) -> tuple[float, set[str]]:
    done = subprocess.run(
        [sys.executable, "-c", PROBE],
        cwd=ROOT / "functions" / folder,
        env={
            "PYTHONPATH": str(ROOT / "layers/agentos_lambda"),
            "AGENTOS_MANIFEST": str(manifest),
            "AWS_DEFAULT_REGION": "eu-west-1",
            **variables,
        },
        capture_output=True,
        text=True,
        check=True,
    )
    seconds, *modules = done.stdout.split()
    return float(seconds), set(modules)


@pytest.mark.parametrize("folder", ["config", "control", "websocket"])
def test_libraries_for_tokens_are_imported_only_where_tokens_are_configured(folder, manifest):
    libraries = {"jwt", "cryptography", "agentos_lambda.identity.tokens", "agentos_lambda.identity.tokens.verifier"}
    assert not libraries & loaded(folder, manifest)[1]
    assert libraries <= loaded(folder, manifest, **OF_ISSUER)[1]
