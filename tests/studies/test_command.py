"""`stowatt study …`: what is printed, what is written, and one line for whatever is wrong."""

import json
import sys
from pathlib import Path

import pytest

from stowatt.cli import app
from stowatt.studies.documents import load, marked, renew_page, save
from stowatt.studies.errors import StudyError

SMALL = ["study", "manipulation", "--families", "lots", "--sizes", "4,8", "--books", "4"]


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def command(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["stowatt", *words])
        with pytest.raises(SystemExit) as ended:
            app.main()
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return command


def test_the_table_the_json_and_the_files_are_of_one_run(run, tmp_path):
    status, out, _ = run(*SMALL, "--out", "r.json", "--page", "p.md")
    assert status == 0
    assert "one lot each" in out
    stored = load(tmp_path / "r.json", "manipulation")
    status, out, _ = run(*SMALL, "--json")
    assert status == 0
    assert json.loads(out) == stored
    assert "### Misreporting: one lot each" in marked((tmp_path / "p.md").read_text(), "manipulation")
    assert run("study", "manipulation", "--from", "r.json", "--json")[1] == out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p.md", "r.json"]


def test_parquet_holds_a_row_for_each_cell(run, tmp_path):
    import polars as pl

    assert run("study", "reliability", "--sellers", "2", "--windows", "10", "--out", "r.parquet")[0] == 0
    table = pl.read_parquet(tmp_path / "r.parquet")
    assert {"policy", "kind", "uncovered.value", "uncovered.low"} <= set(table.columns)
    assert len(table) == len(table.select("policy", "kind").unique())


def test_figures_are_the_same_for_the_same_results(run, tmp_path):
    pytest.importorskip("matplotlib")
    run(*SMALL, "--out", "r.json")
    for name in ("a.svg", "b.svg", "c.png"):
        assert run("study", "manipulation", "--from", "r.json", "--plot", name)[0] == 0
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    run("study", "reliability", "--sellers", "2", "--windows", "10", "--plot", "d.svg")
    assert (tmp_path / "d.svg").read_text().startswith("<?xml")


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("manipulation", "--sizes", "4,many"), "no list of numbers"),
        (("manipulation", "--sizes", ""), "market sizes"),
        (("manipulation", "--sizes", "3"), "market sizes"),
        (("manipulation", "--books", "1"), "1 books"),
        (("manipulation", "--families", "dice"), "dice"),
        (("manipulation", "--rule", "highest"), "highest"),
        (("manipulation", "--out", "r.csv"), "r.csv"),
        (("manipulation", "--out", "no/r.json"), "no/r.json"),
        (("manipulation", "--from", "none.json"), "none.json"),
        (("reliability", "--sellers", "0"), "0 sellers"),
        (("reliability", "--windows", "0"), "0 windows"),
        (("wear", "--cells", "lead"), "lead"),
        (("wear", "--temperatures", "300"), "300"),
        (("wear", "--days", "0"), "0 days"),
    ],
)
def test_wrong_wishes_are_one_line(run, words, what):
    status, out, err = run("study", *words)
    assert status == 1
    assert out == ""
    assert err.startswith("error: ")
    assert what in err
    assert err.count("\n") == 1


def test_results_of_another_study_or_with_gaps_are_refused(run, tmp_path):
    (tmp_path / "other.json").write_text('{"study": "wear"}')
    assert "holds no results of study" in run("study", "reliability", "--from", "other.json")[2]
    (tmp_path / "gap.json").write_text('{"study": "wear", "cells": []}')
    status, _, err = run("study", "wear", "--from", "gap.json", "--page", "p.md")
    assert status == 1
    assert "lack" in err
    assert not (tmp_path / "p.md").exists()
    status, _, err = run("study", "wear", "--from", "gap.json")
    assert (status, err.count("\n")) == (1, 1)


def test_a_page_keeps_what_is_outside_its_markers(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# Title\n\n<!-- x: begin -->\nold\n<!-- x: end -->\n\nEnd.\n")
    renew_page(page, "x", "new $1 \\1")
    assert page.read_text() == "# Title\n\n<!-- x: begin -->\nnew $1 \\1\n<!-- x: end -->\n\nEnd.\n"
    page.write_text("no markers")
    with pytest.raises(StudyError, match="no lines"):
        renew_page(page, "x", "new")
    assert page.read_text() == "no markers"


def test_saved_is_loaded(tmp_path: Path):
    document = {"study": "x", "cells": [{"a": {"b": 1.5}}, {"a": {"b": 2}}], "slopes": []}
    save(tmp_path / "x.json", document)
    assert load(tmp_path / "x.json", "x") == document
