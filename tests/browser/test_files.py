"""Files in a real browser: a folder made and filled by the keyboard, whose page follows its files until they are ready."""

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.e2e.serving import Server


def test_files_are_uploaded_by_the_keyboard_and_followed_until_they_are_ready(
    page: Page, live: Server, tmp_path: Path
) -> None:
    (tmp_path / "otters.md").write_text("Otters hold hands. " * 2000)
    (tmp_path / "otter.png").write_bytes(b"x")
    page.on(
        "filechooser", lambda _: None
    )  # Asks for them now: asked for with the key, the browser may hear the key first.
    page.goto("/folders")
    page.keyboard.press("n")
    page.keyboard.type("Animals")
    page.keyboard.press("Enter")
    page.wait_for_url("**/folders/*")  # loaded: before that nothing hears a key
    expect(page.get_by_role("heading", name="Animals")).to_be_visible()
    for name in ("otters.md", "otters_(1).md"):
        with page.expect_file_chooser() as chooser:
            page.keyboard.press("u")
        chooser.value.set_files([tmp_path / "otters.md", tmp_path / "otter.png"])
        row = page.get_by_role("row", name=name)
        expect(row.locator('[data-state="completed"]')).to_have_text("ready")
        expect(page.get_by_text("otter.png: Files of the type .png cannot be read here").first).to_be_visible()
    expect(page.locator("#folder-files")).not_to_have_attribute("hx-trigger", "every 1s")
    page.locator("#folder-files tbody a").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="Text")).to_contain_text("Otters hold hands.")
    page.set_viewport_size({"width": 900, "height": 760})
    page.reload()
    expect(page.get_by_role("region", name="Text")).to_be_visible()
    expect(page.get_by_role("button", name="The file")).to_have_attribute("aria-pressed", "true")
