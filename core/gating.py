"""Gates, under a short name for notebooks: see `core.architectures.mixture`."""

from core.architectures.mixture import (
    GateReport,
    SharedInformation,
    concept_table,
    gate_report,
    information,
    read_gates,
    report_of,
    share_table,
    shared,
)

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
