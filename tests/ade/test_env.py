"""The typed readings of the environment."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ade import env


def test_a_secret_may_stand_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cret\n")
    monkeypatch.setenv("THING_FILE", str(tmp_path / "secret"))
    assert env.text("THING") == "s3cret"


def test_a_value_and_a_file_for_it_are_refused_together(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("THING", "a")
    monkeypatch.setenv("THING_FILE", str(tmp_path / "secret"))
    with pytest.raises(env.BadSetting, match="THING and THING_FILE are both set"):
        env.text("THING")


def test_an_unreadable_file_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("THING_FILE", str(tmp_path / "absent"))
    with pytest.raises(env.BadSetting, match="THING_FILE=.*absent cannot be read"):
        env.text("THING")


@pytest.mark.parametrize(("written", "meant"), [("1", True), ("Yes", True), ("off", False), ("", False)])
def test_a_flag_is_yes_or_no(monkeypatch: pytest.MonkeyPatch, written: str, meant: bool) -> None:
    monkeypatch.setenv("THING", written)
    assert env.flag("THING") is meant


@pytest.mark.parametrize("written", ["maybe", "2", "-"])
def test_a_flag_that_is_neither_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    monkeypatch.setenv("THING", written)
    with pytest.raises(env.BadSetting, match=f"THING={written} is neither"):
        env.flag("THING")


@pytest.mark.parametrize("written", ["eighty", "0", "65536", "1.5"])
def test_a_number_out_of_range_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    monkeypatch.setenv("PORT", written)
    with pytest.raises(env.BadSetting, match=f"PORT={written}"):
        env.number("PORT", 8283, at_least=1, at_most=65535)


def test_an_empty_number_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "")
    assert env.number("PORT", 8283) == 8283


def test_a_list_is_written_with_commas_or_spaces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOSTS", "a.example, b.example  c.example,")
    assert env.words("HOSTS") == ["a.example", "b.example", "c.example"]


def test_an_unknown_choice_is_refused_with_the_known_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANDBOX", "docker")
    with pytest.raises(env.BadSetting, match="SANDBOX=docker is unknown: use one of auto, off"):
        env.choice("SANDBOX", "auto", ("auto", "off"))


def test_a_folder_is_made_for_its_owner_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PLACE", str(tmp_path / "a" / "b"))
    made = env.folder("PLACE", "/nowhere")
    assert stat.S_IMODE(made.stat().st_mode) == 0o700


def test_a_folder_that_cannot_be_made_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("PLACE", str(tmp_path / "file" / "b"))
    with pytest.raises(env.BadSetting, match="set PLACE"):
        env.folder("PLACE", "/nowhere")


def test_a_kept_secret_stays_the_same_and_is_for_its_owner_alone(tmp_path: Path) -> None:
    first = env.kept_secret("THING", tmp_path / "thing.key")
    assert env.kept_secret("THING", tmp_path / "thing.key") == first
    assert stat.S_IMODE((tmp_path / "thing.key").stat().st_mode) == 0o600


def test_those_who_ask_at_once_get_the_same_secret(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: env.kept_secret("THING", tmp_path / "thing.key"), range(32)))
    assert len(found) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["thing.key"]


def test_a_signing_key_is_made_once_and_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("THING", raising=False)
    key = env.signing_key("THING", tmp_path / "thing")
    assert (len(key), env.signing_key("THING", tmp_path / "thing")) == (32, key)
    assert (tmp_path / "thing").read_text().startswith("whsec_")


@pytest.mark.parametrize(("written", "key"), [("whsec_a2V5", b"key"), ("plain words", b"plain words")])
def test_a_signing_key_may_be_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, written: str, key: bytes) -> None:
    monkeypatch.setenv("THING", written)
    assert env.signing_key("THING", tmp_path / "thing") == key


def test_a_signing_key_that_is_no_base64_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("THING", "whsec_?")
    with pytest.raises(env.BadSetting, match="THING begins with whsec_"):
        env.signing_key("THING", tmp_path / "thing")
