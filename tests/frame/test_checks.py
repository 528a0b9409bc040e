"""The checks of coverage and of slither's findings say what is missing."""

from __future__ import annotations

import check_coverage
import check_slither

LCOV = """TN:
SF:contracts/src/Market.sol
DA:10,3
DA:11,0
BRDA:10,0,0,3
BRDA:10,0,1,-
end_of_record
SF:contracts/test/Market.t.sol
DA:5,0
end_of_record
SF:contracts/src/Market.sol
DA:11,2
end_of_record
"""


def test_coverage_adds_up_records_and_leaves_out_tests() -> None:
    (market,) = check_coverage.parse(LCOV)
    assert market.lines == {10: 3, 11: 2}
    assert market.missed_branches() == [10]
    assert check_coverage.totals([market]) == (100.0, 50.0)
    assert "branches never taken, in lines: 10" in check_coverage.table([market])


def test_coverage_joins_neighbouring_lines() -> None:
    assert check_coverage.ranges([9, 3, 4, 5, 5]) == "3-5 9"


def test_coverage_of_nothing_is_whole() -> None:
    assert check_coverage.percent(0, 0) == 100.0


REPORT = {
    "results": {
        "detectors": [
            {
                "check": "timestamp",
                "impact": "Low",
                "description": "Market.phase(uint256) uses timestamp",
                "elements": [
                    {
                        "type": "node",
                        "name": "t < deadline",
                        "type_specific_fields": {
                            "parent": {
                                "type": "function",
                                "name": "phase",
                                "type_specific_fields": {
                                    "signature": "phase(uint256)",
                                    "parent": {"type": "contract", "name": "Market"},
                                },
                            }
                        },
                    }
                ],
            }
        ]
    }
}


def test_slither_place_of_a_local_variable_names_its_function() -> None:
    node = REPORT["results"]["detectors"][0]["elements"][0]
    function = node["type_specific_fields"]["parent"]
    variable = {"type": "variable", "name": "start", "type_specific_fields": {"parent": function}}
    assert check_slither.place_of(variable) == "Market.phase(uint256).start"


def test_slither_finding_needs_an_answer() -> None:
    found = check_slither.findings(REPORT)
    assert list(found) == [("timestamp", "Market.phase(uint256)")]
    (problem,) = check_slither.compare(found, {})
    assert "Market.phase(uint256)" in problem


def test_slither_answer_is_read_from_the_table() -> None:
    found = check_slither.findings(REPORT)
    text = (
        "| detector | place | answer |\n|---|---|---|\n| timestamp | `Market.phase(uint256)` | deadlines are hours |\n"
    )
    assert check_slither.compare(found, check_slither.answers(text)) == []
    assert check_slither.compare({}, check_slither.answers(text)) == [
        "no longer found: | timestamp | `Market.phase(uint256)` |"
    ]


def test_slither_empty_answer_is_none() -> None:
    found = check_slither.findings(REPORT)
    text = "| `timestamp` | `Market.phase(uint256)` |  |"
    assert len(check_slither.compare(found, check_slither.answers(text))) == 1
