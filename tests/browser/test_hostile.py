"""What a model, a tool, a file or a name says never becomes script, and loads nothing."""

from __future__ import annotations

import base64

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.person import Person, answer

pytestmark = pytest.mark.browser

HIT = "window.hit=1"
DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="  # one pixel
SVG = base64.b64encode(f"<svg xmlns='http://www.w3.org/2000/svg' onload='{HIT}'/>".encode()).decode()
MARKDOWN = f"""<script>{HIT}</script> <img src=x onerror="{HIT}">

[one](javascript:{HIT}) [two](JaVaScRiPt:{HIT}) [three](data:text/html,<script>{HIT}</script>) [four](vbscript:x)
<a href="java&#10;script:{HIT}">five</a> [six](/sessions) [seven](//example.com) <javascript:{HIT}>

![tracker](https://example.com/track.png) ![vector](data:image/svg+xml;base64,{SVG}) ![dot](data:image/png;base64,{DOT})

<svg onload="{HIT}"><script>{HIT}</script></svg> <math><mtext><img src=x onerror={HIT}></mtext></math>

<iframe srcdoc="<script>parent.hit=1</script>"></iframe> <object data="x"></object> <video src=x onerror={HIT}></video>

<form action="/sessions"><input name=attributes><button formaction="javascript:{HIT}">go</button></form>
<style>body {{ display: none }}</style> <link rel=stylesheet href="https://example.com/x.css">
<base href="https://example.com">

<p id="root" class="composer" style="position: fixed" onclick="{HIT}">styled</p>
<details open ontoggle={HIT}>x</details>

| <img src=x onerror={HIT}> | `<script>{HIT}</script>` |
|---|---|
| <a name=body href=#>x</a> | <template><script>{HIT}</script></template> |

```html" onmouseover="{HIT}
</code></pre><script>{HIT}</script>
```
<noscript><p title="</noscript><img src=x onerror={HIT}>">
"""
BAD = (
    "img, svg:not(.icon), script, iframe, object, embed, video, audio, form, input, style, link, base, math, template, "
    "noscript, details, [style], [id], [name], [onclick], [onerror], [onload]"
)


def test_nothing_in_a_text_becomes_script_or_is_loaded(page: Page, person: Person) -> None:
    turn = person.asks("agents", "mirror", MARKDOWN)
    text = answer(turn)
    expect(text).to_contain_text("styled")
    for _ in range(2):
        assert text.locator(BAD).evaluate_all("all => all.map(each => each.outerHTML)") == []
        links = text.get_by_role("link").evaluate_all("all => all.map(each => each.href)")
        assert set(links) == {"https://example.com/track.png"}
        assert page.evaluate("window.hit") is None
        page.reload()
        text = answer(person.turns.first)
        expect(text).to_contain_text("styled")


def test_a_picture_is_shown_when_asked_for_if_it_asks_nobody(page: Page, person: Person) -> None:
    text = answer(person.asks("agents", "mirror", MARKDOWN))
    expect(text.get_by_role("link", name="tracker (a picture at example.com)")).to_be_visible()
    expect(text.get_by_role("button", name="vector")).to_have_count(0)
    expect(text.locator("img")).to_have_count(0)
    text.get_by_role("button", name="Show the picture: dot").click()
    assert text.locator("img").evaluate("image => image.decode().then(() => image.naturalWidth)") == 1


def test_arguments_and_results_of_tools_names_of_files_and_messages_are_text(page: Page, person: Person) -> None:
    tag = f"<img src=x onerror='{HIT}'>"
    person.opens("agents", "assistant")
    page.locator("input[type=file]").set_input_files({"name": f"{tag}.txt", "mimeType": "text/plain", "buffer": b"x"})
    turn = person.says(f'call count_words {{"text": "{tag}"}}')
    person.waits_for(turn, "completed")
    turn.locator(".tool summary").click()
    expect(turn.locator(".tool pre").first).to_contain_text(tag)
    expect(turn.locator(".asked")).to_contain_text(tag)
    expect(turn.locator(".asked .files li")).to_have_text(f"{tag}.txt")
    expect(page.locator("img")).to_have_count(0)
    assert page.evaluate("window.hit") is None


def test_names_of_components_and_sessions_are_text(page: Page, person: Person) -> None:
    tag = f'<img src=x onerror="{HIT}">'
    httpx.post(f"{person.url}/sessions", json={"session_name": tag, "agent_id": "evil"}).raise_for_status()
    page.goto(person.url)
    page.get_by_role("main").get_by_role("link", name="onerror").click()
    expect(page.get_by_role("heading", level=1)).to_have_text('<img src=x onerror="alert(1)">')
    expect(page.get_by_text("<script>alert(1)</script>").first).to_be_visible()
    page.get_by_label("Search sessions").fill("onerror")
    expect(page.locator(".sessions .title").first).to_have_text(tag)
    expect(page.locator("img")).to_have_count(0)


def test_the_policy_makes_the_browser_refuse_what_the_page_would_never_do(page: Page, person: Person) -> None:
    other = page.context.new_page()  # whose console nobody minds
    other.goto(f"{person.url}/chat")
    refused = other.evaluate(
        """async () => {
          const tries = {
            html: () => { document.body.innerHTML = "<b>x</b>"; },
            host: () => fetch("https://example.com/"),
            policy: () => { trustedTypes.createPolicy("mine", {createHTML: (text) => text}); },
          };
          const refused = [];
          for (const [name, act] of Object.entries(tries)) try { await act(); } catch { refused.push(name); }
          return refused;
        }"""
    )
    assert refused == ["html", "host", "policy"]
