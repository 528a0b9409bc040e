"""A folder of results is there whole or not at all, and nothing that exists is replaced."""

import json
from pathlib import Path

import pytest

from stowatt.errors import OutputError
from stowatt.scenarios.errors import ScenarioError
from stowatt.scenarios.results import finished, load, new_folder, read_run, save
from tests.report.scenario_sample import results


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    before = results(2, 4)
    with new_folder(tmp_path / "run") as draft:
        save(before, draft, {"report.html": "<p>"})
    after = load(tmp_path / "run")
    assert after.run == json.loads(json.dumps(before.run))
    for (name, old), (_, new) in zip(before.tables(), after.tables(), strict=True):
        assert old.equals(new), name
    assert names(tmp_path) == ["run"]
    assert (tmp_path / "run" / "report.html").read_text() == "<p>"


def test_an_error_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), new_folder(tmp_path / "a" / "run") as draft:
        (draft / "half").write_text("x")
        raise RuntimeError
    assert names(tmp_path / "a") == []


def test_an_empty_folder_is_filled_and_a_used_one_refused(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with new_folder(tmp_path / "run") as draft:
        (draft / "x").write_text("1")
    with pytest.raises(OutputError, match="not empty"), new_folder(tmp_path / "run"):
        pass
    assert (tmp_path / "run" / "x").read_text() == "1"


def test_somebody_else_was_faster(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"), new_folder(tmp_path / "run") as draft:
        (draft / "x").write_text("mine")
        (tmp_path / "run").mkdir()
        (tmp_path / "run" / "x").write_text("theirs")
    assert (tmp_path / "run" / "x").read_text() == "theirs"
    assert names(tmp_path) == ["run"]


@pytest.mark.parametrize("target", ["file", "file/run", "link"])
def test_what_is_no_folder_is_refused_in_one_line(tmp_path: Path, target: str) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(OutputError) as refused, new_folder(tmp_path / target):
        pass
    assert "\n" not in str(refused.value)


def test_a_run_of_another_scenario_is_not_taken_for_this_one(tmp_path: Path) -> None:
    assert not finished(tmp_path / "none", "00")
    with new_folder(tmp_path / "run") as draft:
        save(results(1, 2), draft)
    assert finished(tmp_path / "run", "ab" * 32)
    with pytest.raises(ScenarioError, match="holds another scenario"):
        finished(tmp_path / "run", "00")


@pytest.mark.parametrize("text", ["", "[]", '{"format": "other"}', "\udcff"])
def test_a_run_file_that_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.json").write_text(text, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(ScenarioError):
        read_run(tmp_path)


def test_a_table_that_is_missing(tmp_path: Path) -> None:
    with new_folder(tmp_path / "run") as draft:
        save(results(1, 2), draft)
    (tmp_path / "run" / "homes.parquet").unlink()
    with pytest.raises(ScenarioError, match="cannot be read"):
        load(tmp_path / "run")


def test_a_folder_without_a_run(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="holds no run"):
        load(tmp_path)
