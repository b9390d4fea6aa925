"""The page to try the model, in a real browser."""

from pathlib import Path
from typing import Any

import pytest

from tests.report.browser import started
from tests.runtime.server.served import serving
from tests.serving.export.exported import NAME, project
from trivium.cli.export import export

pytest.importorskip("onnxscript")
pytestmark = pytest.mark.slow


def opened(browser: Any, port: int, wrong: list[str]) -> Any:
    page = browser.new_page()
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: wrong.append(request.url) if f"127.0.0.1:{port}" not in request.url and not
            request.url.startswith(("blob:", "data:")) else None)
    page.goto(f"http://127.0.0.1:{port}/")
    page.wait_for_selector("fieldset")
    return page


def test_a_person_gives_a_row_and_sees_the_answer_and_what_it_rests_on(tmp_path: Path) -> None:
    root = project(tmp_path / "project")
    export(root, NAME, None, small=False)
    (tmp_path / "token").write_text("secret")
    media, wrong = root / "data/raw/media", list[str]()
    with serving(root / "exports" / NAME, "--token-file", str(tmp_path / "token")) as served, started() as browser:
        page = opened(browser, served.port, wrong)
        assert page.locator("legend").all_inner_texts() == ["text", "image", "audio"]
        page.fill("[data-stream=text] textarea", "anna 0")
        page.set_input_files("[data-stream=image] input[type=file]", str(media / "0.png"))
        page.set_input_files("[data-stream=audio] input[type=file]", str(media / "0.wav"))
        page.wait_for_selector("[data-stream=audio] audio")
        page.wait_for_selector("[data-stream=image] img")
        page.click("#ask")
        page.wait_for_selector("#state.bad")
        assert page.inner_text("#state") == "Show the token: `Authorization: Bearer TOKEN`."
        page.fill("#token", "secret")
        page.click("#ask")
        page.wait_for_selector("#answer:not([hidden])")
        first = page.locator(".row.first span").all_inner_texts()
        assert page.inner_text("#said") == first[0] and first[0] in ("anna", "ben", "carla") and first[1].endswith(" %")
        assert page.locator("#bars .row").count() == 3
        assert page.locator("#rests td:first-child").all_inner_texts() == ["text", "image", "audio"]
        page.click("[data-stream=image] button.plain:has-text('Remove')")
        page.click("#ask")
        page.locator("#rests td:first-child").nth(2).wait_for(state="detached")
        assert page.locator("#rests td:first-child").all_inner_texts() == ["text", "audio"]
        page.goto(f"http://127.0.0.1:{served.port}/docs")
        page.wait_for_selector("#limits tr")
        assert "-F audio=@file" in page.inner_text("#form")
    assert wrong == []
