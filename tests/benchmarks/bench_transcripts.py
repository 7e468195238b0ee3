"""Time the decoders, the edit distance beside jiwer, and writing down minutes of sound.

python tests/benchmarks/bench_transcripts.py
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import jiwer
import numpy as np
import torch

from biosig_lstm.containers import Recording
from biosig_lstm.decoding import align, beam_search, greedy
from biosig_lstm.metrics import word_error_rate
from biosig_lstm.recipes import recipe_for

FRAMES, OUTPUTS = 1500, 30
MINUTES, FS = 10, 8000


def seconds(work: Callable[[], object], *, repeats: int = 5) -> float:
    work()
    taken = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return float(np.median(taken))


def main() -> None:
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    logits = 3 * rng.normal(size=(FRAMES, OUTPUTS))
    logits[:, 0] += 4
    logs = (logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))).astype(np.float32)
    said = greedy(logs)
    print(f"\n{FRAMES} answers of {OUTPUTS} outputs (a minute at 25 a second), {len(said)} symbols\n")
    print("| decoder | ms |\n|---|---|")
    print(f"| best path | {1e3 * seconds(lambda: greedy(logs)):.2f} |")
    for width in (8, 32, 100):
        print(f"| beam search, width {width} | {1e3 * seconds(lambda w=width: beam_search(logs, beam_width=w)):.0f} |")
    print(f"| alignment | {1e3 * seconds(lambda: align(logs, said)):.1f} |")

    words = [f"w{k}" for k in range(2000)]
    references = [" ".join(rng.choice(words, size=20)) for _ in range(2000)]
    texts = [" ".join(w for w in text.split() if rng.random() > 0.1) for text in references]
    ours, theirs = word_error_rate(references, texts), jiwer.wer(references, texts)
    assert abs(ours - theirs) < 1e-12, "the rates differ"
    times = [seconds(lambda f=f: f(references, texts), repeats=3) for f in (word_error_rate, jiwer.wer)]
    print("\n2,000 texts of 20 words, equal rates\n\n| word error rate | s | ratio |\n|---|---|---|")
    print(f"| biosig_lstm | {times[0]:.3f} | |\n| jiwer | {times[1]:.3f} | {times[1] / times[0]:.1f} |")

    recipe = recipe_for("connected-digits")
    noise = Recording(rng.normal(0, 0.05, (1, MINUTES * 60 * FS)), FS, ["sound"], ["FS"], id="noise")
    short = recipe.pipeline(noise.crop(stop_s=3.0))
    model = recipe.new()
    settings = {"max_epochs": 1, "device": "cpu", "progress": False, "class_weights": None}
    model.fit(replace(short, texts=["1 2"]), **settings)
    started = time.perf_counter()
    model.answers(noise)
    taken = time.perf_counter() - started
    print(f"\n{MINUTES} minutes of sound at {FS} Hz, features and network: {taken:.1f} s")


if __name__ == "__main__":
    main()
