"""How units emerge in training, and what they are under other seeds, dropout and transfer.

Short trainings, fewer digits and epochs than the dashboard's own, serve the comparisons of dropout
and transfer; each is stored as soon as it is done, so that a comparison that is cancelled goes on
where it was.
"""

from core.analyses.comparing.base import SeveralTask, hidden_dense, movable, seeds_of
from core.analyses.comparing.correspondence import Correspondence, CorrespondenceTask, also_best
from core.analyses.comparing.dropout import (
    DIGITS,
    DROPOUTS,
    EPOCHS,
    MEASURES,
    ORDERS,
    PART,
    SHARES,
    SILENCED,
    DropoutComparison,
    DropoutTask,
    silenced,
)
from core.analyses.comparing.emergence import (
    DETECTOR,
    Emergence,
    EmergenceTask,
    Peak,
    concept_auc,
    peak,
    shuffled_auc,
)
from core.analyses.comparing.seeds import WITHIN, BestUnits, best_units
from core.analyses.comparing.short import ShortModelTask, of_classes
from core.analyses.comparing.transfer import (
    KINDS,
    TRANSFER_DIGITS,
    TRANSFER_EPOCHS,
    Transfer,
    TransferTask,
    tuning,
)

__all__ = [
    "DETECTOR",
    "DIGITS",
    "DROPOUTS",
    "EPOCHS",
    "KINDS",
    "MEASURES",
    "ORDERS",
    "PART",
    "SHARES",
    "SILENCED",
    "TRANSFER_DIGITS",
    "TRANSFER_EPOCHS",
    "WITHIN",
    "BestUnits",
    "Correspondence",
    "CorrespondenceTask",
    "DropoutComparison",
    "DropoutTask",
    "Emergence",
    "EmergenceTask",
    "Peak",
    "SeveralTask",
    "ShortModelTask",
    "Transfer",
    "TransferTask",
    "also_best",
    "best_units",
    "concept_auc",
    "hidden_dense",
    "movable",
    "of_classes",
    "peak",
    "seeds_of",
    "shuffled_auc",
    "silenced",
    "tuning",
]
