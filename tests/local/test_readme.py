"""What local/README.md says about files and variables is so."""

import re

import pytest

from local.settings import ROOT, Settings
from local.variables import function_variables, template_parameters

LOCAL = ROOT / "local"
TEXT = (LOCAL / "README.md").read_text()
LINKS = re.findall(r"\]\(([^)#]+)\)", TEXT)
VARIABLES = [
    name
    for row in re.findall(r"^\| (`[A-Z_`, ]+`) \|", TEXT, re.MULTILINE)
    for name in re.findall("[A-Z_]+", row)
    if name not in ("AGENTOS_RESPONSE_MODE", "OS_SECURITY_KEY")
]


@pytest.mark.parametrize("link", LINKS)
def test_a_link_leads_somewhere(link):
    assert (LOCAL / link).exists()


def test_every_file_and_folder_of_local_is_explained():
    own = {path.name for path in LOCAL.iterdir() if path.suffix == ".py" or path.is_dir()}
    assert own - {"__init__.py", "__main__.py", "__pycache__"} <= set(LINKS)


@pytest.mark.parametrize("name", VARIABLES)
def test_a_variable_of_the_shell_reaches_the_functions_in_place_of_the_template_s(name, monkeypatch):
    monkeypatch.setenv(name, "from the shell")
    value = function_variables(Settings(), {name: "from the template"}, "http://cloud")[name]
    assert value.removesuffix(",loopback") == "from the shell"  # CORS_ORIGINS: pages on this machine may call, too


def test_the_response_mode_of_the_shell_is_the_template_s_parameter(monkeypatch):
    assert "`AGENTOS_RESPONSE_MODE`" in TEXT
    assert "AGENTOS_MODEL" in VARIABLES
    monkeypatch.setenv("AGENTOS_RESPONSE_MODE", "buffered")
    assert template_parameters() == {"ResponseMode": "buffered"}


def test_the_program_for_a_debugger_is_python():
    [program] = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    compile(program, "debug.py", "exec")
