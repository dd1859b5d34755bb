import pytest

from agentos_lambda.engine.errors import ComponentsError
from agentos_lambda.engine.models.default import default_model
from agentos_lambda.engine.models.demo import DemoModel


@pytest.mark.parametrize("setting", [None, "", "  ", "demo"])
def test_without_a_setting_it_is_the_demo_model(monkeypatch: pytest.MonkeyPatch, setting: str | None) -> None:
    monkeypatch.delenv("AGENTOS_MODEL", raising=False)
    if setting is not None:
        monkeypatch.setenv("AGENTOS_MODEL", setting)

    assert isinstance(default_model(), DemoModel)


def test_a_provider_whose_package_is_missing_is_told_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTOS_MODEL", "groq:llama")

    with pytest.raises(ComponentsError, match=r"AGENTOS_MODEL=groq:llama: the package groq is missing"):
        default_model()


@pytest.mark.parametrize("setting", ["gpt-5-mini", "nobody:at-all", "openai:"])
def test_a_setting_that_names_no_model_is_told_by_name(monkeypatch: pytest.MonkeyPatch, setting: str) -> None:
    monkeypatch.setenv("AGENTOS_MODEL", setting)

    with pytest.raises(ComponentsError, match="AGENTOS_MODEL="):
        default_model()
