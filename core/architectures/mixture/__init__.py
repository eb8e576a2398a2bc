"""What a gate does with digits: which expert takes which, how evenly, how decisively.

`gate_report` reads a gate on digits. The tables say who takes what, each beside what classes alone
or chance would give; `rerouted` says what happens when the gate decides otherwise.
"""

from __future__ import annotations

from core.architectures.mixture.information import SharedInformation, information, shared
from core.architectures.mixture.report import GateReport, gate_report, read_gates, report_of
from core.architectures.mixture.tables import concept_table, share_table

__all__ = [
    "GateReport",
    "SharedInformation",
    "concept_table",
    "gate_report",
    "information",
    "read_gates",
    "report_of",
    "share_table",
    "shared",
]
