"""Make the weights that ship as `ecg-sensor-failure`: train the recipe on all records, put the figures on its card.

python tests/benchmarks/ship_ecg_sensor_failure.py --data MITDB --cv failures.json
python tests/benchmarks/ship_ecg_sensor_failure.py --card-only --cv failures.json     the card anew, the weights kept

`failures.json` is what ``cross_validate_anomaly.py --task failures --out failures.json`` wrote.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from _shipping import ship

from biosig_lstm.estimators import Estimator

OURS = "LSTM predictor, against its recording"
RIVALS = ("isolation forest, against its recording", "PCA of 10, scored as the networks, against its recording")


def main() -> None:
    ship("ecg-sensor-failure", protocol="mitdb-failures", card=card, doc=__doc__, half=False)


def card(model: Estimator, measured: Path) -> dict[str, Any]:
    found = json.loads(measured.read_text(encoding="utf-8"))
    return {
        "input": "one or two leads of an ECG, volts of any unit, 180 Hz or more, a minute or longer: the first two of "
        "the usual ones of more. The whole recording, or a piece of up to four hours of it, is looked at before any of "
        "it is scored",
        "networks": f"{model.members}, an LSTM that foresees level, activity, slope and bend of the next tenth of a "
        "second in windows of 2 s, one each second",
        "figures": {
            "what": "cross-validation by subject over the records that it was trained on, failures as in the protocol "
            "mitdb-failures; value and 95 % interval over subjects; beside it rivals that read the same windows",
            OURS: found["methods"][OURS],
            **{name: found["methods"][name] for name in RIVALS},
            "AUROC and average precision less those of rivals": {
                name: found["differences"][name][OURS] for name in RIVALS
            },
        },
        "limits": (
            "Research use; not a medical device. Failures were put into real recordings, none was recorded: how often "
            "real sensors fail otherwise was not measured. The threshold is that of 6 alarms an hour on records of "
            "people of one database, whose own noise and arrhythmias count as working sensors; set it anew on normal "
            "signal of another recorder. A failure that lasts for most of a recording is what is usual in it, and is "
            "not found; of some seconds of signal nothing usual is known."
        ),
    }


if __name__ == "__main__":
    main()
