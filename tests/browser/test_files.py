"""Files: by button, by paste and by drop, and what is refused before anything is sent."""

from __future__ import annotations

import hashlib

import pytest
from playwright.sync_api import Page, expect

from tests.browser.person import Person, answer

pytestmark = pytest.mark.browser

NOTES = b"Buy oat milk.\n"
PASTE = """([type, name, text]) => {
  const data = new DataTransfer();
  data.items.add(new File([text], name, {type: "text/plain"}));
  const target = document.querySelector(type === "paste" ? ".composer textarea" : "main");
  const options = {bubbles: true, cancelable: true};
  target.dispatchEvent(type === "paste"
    ? new ClipboardEvent(type, {...options, clipboardData: data})
    : new DragEvent(type, {...options, dataTransfer: data}));
}"""


def test_files_are_attached_by_button_paste_and_drop_and_reach_the_model_byte_for_byte(
    page: Page, person: Person
) -> None:
    person.opens("agents", "assistant")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Attach files", exact=True).click()
    chooser.value.set_files({"name": "notes.txt", "mimeType": "text/plain", "buffer": NOTES})
    page.evaluate(PASTE, ["paste", "pasted.md", "pasted"])
    page.evaluate(PASTE, ["drop", "dropped.csv", "a,b"])
    files = page.get_by_role("list", name="Files that go with the message").get_by_role("listitem")
    expect(files).to_contain_text(["notes.txt", "pasted.md", "dropped.csv"])
    files.nth(1).get_by_role("button", name="Remove pasted.md").click()
    expect(files).to_have_count(2)
    turn = person.says("What is in these?")
    person.waits_for(turn, "completed")
    expect(answer(turn)).to_contain_text(f"file notes.txt: 14 bytes, SHA-256 {hashlib.sha256(NOTES).hexdigest()}")
    expect(answer(turn)).to_contain_text("file dropped.csv: 3 bytes")
    expect(turn.locator(".asked .files li")).to_have_text(["notes.txt", "dropped.csv"])
    page.reload()
    expect(person.turns.first.locator(".asked .files li")).to_have_text(["notes.txt", "dropped.csv"])


@pytest.mark.parametrize(
    ("name", "size", "why"),
    [
        ("setup.exe", 2, "is of a type that is not taken"),
        ("empty.txt", 0, "is empty"),
        ("large.txt", 4_600_000, "4.6 MB. A message takes 4.5 MB"),
    ],
)
def test_what_the_api_would_refuse_is_said_before_it_is_sent(
    page: Page, person: Person, name: str, size: int, why: str
) -> None:
    person.opens("agents", "assistant")
    page.get_by_role("textbox", name="Message").fill("Look")
    page.locator("input[type=file]").set_input_files(
        {"name": name, "mimeType": "application/octet-stream", "buffer": b"x" * size}
    )
    expect(page.get_by_role("alert")).to_contain_text(why)
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_disabled()
    page.get_by_role("button", name=f"Remove {name}", exact=True).click()
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_enabled()


def test_what_is_allowed_is_said_and_a_workflow_takes_no_files(page: Page, person: Person) -> None:
    person.opens("agents", "assistant")
    expect(page.locator(".composer .hint")).to_contain_text("up to 4.5 MB together")
    assert ".pdf" in (page.locator("input[type=file]").get_attribute("accept") or "")
    person.opens("workflows", "letter")
    expect(page.get_by_role("button", name="Attach files", exact=True)).to_be_hidden()
    page.evaluate(PASTE, ["drop", "dropped.csv", "a,b"])
    expect(page.get_by_role("alert")).to_have_text("A workflow takes no files.")
