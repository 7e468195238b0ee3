"""Memory that commands need for sound of 1 to 60 minutes: stereo, 44.1 kHz, 16 bits.

`OMP_NUM_THREADS=1 python tests/benchmarks/measure_long_sound.py --data FSDD [--minutes 1 10 60]`

Each command runs in a process of its own, whose greatest resident memory is read from the system: `classify` with a
model of a table, which looks at pieces of 30 s, and `transcribe` with the model of yes and no.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

import biosig_lstm as bl
from biosig_lstm.filters.resample_sound import resample_sound

FS = 44_100


def write_sound(data: Path, path: Path, minutes: float) -> Path:
    """Write spoken digits one after the other on two channels, minute by minute."""
    import soundfile

    read = [bl.read_audio(word) for word in sorted(data.glob("*.wav"))[::40]]
    words = [resample_sound(word.signals, word.fs, rate_hz=FS)[0] for word in read]
    minute = np.resize(np.concatenate(words), 60 * FS)
    with soundfile.SoundFile(path, "w", FS, 2, subtype="PCM_16") as file:
        for _ in range(round(minutes)):
            file.write(np.stack([minute, minute], axis=1))
    return path


def write_model(data: Path, path: Path) -> Path:
    """Train a model of a table of a few words for one epoch: what it answers does not count here."""
    words = sorted(data.glob("[01]_*.wav"))[::10]
    rows = [f"{word},{word.name[0]},{word.name.split('_')[1]}" for word in words]
    table = path.with_suffix(".csv")
    table.write_text("\n".join(["path,label,subject", *rows]), encoding="utf-8")
    bl.Classifier.from_table(table, n_splits=0, max_epochs=1, progress=False).save(path)
    return path


def peak_mib(*arguments: str) -> float:
    """Return the greatest resident memory of one command, as Linux tells it (`getrusage` counts the parent in)."""
    code = f"from biosig_lstm.cli import main; main({list(arguments)!r}); "
    code += "import sys; sys.stderr.write(open('/proc/self/status').read())"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(re.findall(r"VmHWM:\s+(\d+) kB", ended.stderr)[-1]) / 2**10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, type=Path, help="folder of the Free Spoken Digit Dataset")
    parser.add_argument("--minutes", type=float, nargs="+", default=[1, 10, 60])
    given = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    print("| minutes | `classify`, pieces of 30 s, MiB | `transcribe yesno`, MiB |\n|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        model = str(write_model(given.data, Path(folder) / "words.biosig"))
        for minutes in given.minutes:
            sound = str(write_sound(given.data, Path(folder) / "sound.wav", minutes))
            peaks = [
                peak_mib(*command, sound, "--out", f"{folder}/out")
                for command in (("classify", model), ("transcribe", "yesno"))
            ]
            print(f"| {minutes:g} | {peaks[0]:.0f} | {peaks[1]:.0f} |", flush=True)


if __name__ == "__main__":
    main()
