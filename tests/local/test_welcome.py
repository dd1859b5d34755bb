import json
import shlex

import pytest

from local.settings import Settings
from local.welcome import welcome


@pytest.fixture
def greet(tmp_path):
    def greet(manifest, *, key_is_set=False):
        settings = Settings(port=8123, state=tmp_path)
        settings.manifest.write_text(json.dumps(manifest))
        return welcome(settings, key_is_set=key_is_set)

    return greet


def test_the_example_is_a_command_that_runs_the_first_component(greet):
    text = greet({"agents": [], "teams": [{"id": "t", "quick_prompts": ["what's new?"]}]})
    [command] = [line for line in text.splitlines() if "curl" in line]
    assert shlex.split(command) == [
        *("curl", "-N", "http://127.0.0.1:8123/teams/t/runs"),
        *("-F", "message=what's new?", "-F", "stream=true"),
    ]


def test_a_component_without_prompts_is_greeted(greet):
    assert "message=Hello" in greet({"agents": [{"id": "a"}]})


def test_the_example_has_the_key_where_one_is_set_but_never_its_value(greet, monkeypatch):
    monkeypatch.setenv("OS_SECURITY_KEY", "hidden")
    text = greet({"agents": [{"id": "a"}]}, key_is_set=True)
    assert "Bearer $OS_SECURITY_KEY" in text
    assert "hidden" not in text


def test_without_components_there_is_no_example(greet):
    text = greet({"agents": [], "teams": [], "workflows": []})
    assert "curl" not in text
    assert "http://127.0.0.1:8123/docs" in text
