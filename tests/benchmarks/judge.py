"""How long the judge takes, without a database: 10,000 keys against 50,000 candidates.

python -m tests.benchmarks.judge [--keys 10000] [--candidates 5] [--rounds 5]
"""

from __future__ import annotations

import argparse
import statistics
from collections import Counter
from time import perf_counter

from rich.console import Console

from alembic_upsert_guard.inference import Candidate, ConflictTarget, Element, judge


def main() -> None:
    """Print the median and what the answers were."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keys", type=int, default=10_000)
    parser.add_argument("--candidates", type=int, default=5, help="of each key's table")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    tables = [table(n, arguments.candidates) for n in range(arguments.keys)]
    taken = []
    for _ in range(arguments.rounds):
        began = perf_counter()
        verdicts = [judge(target, candidates) for target, candidates in tables]
        taken.append(perf_counter() - began)
    answers = Counter(verdict.state.value for verdict in verdicts)
    told = ", ".join(f"{number:,} {answer}" for answer, number in sorted(answers.items()))
    Console().print(
        f"{arguments.keys:,} keys against {arguments.keys * arguments.candidates:,} candidates: "
        f"{statistics.median(taken):.3f} s (median of {arguments.rounds}); {told}"
    )


def table(number: int, candidates: int) -> tuple[ConflictTarget, tuple[Candidate, ...]]:
    """A key and what its table offers: every fifth key has nothing that serves."""
    served = number % 5 != 0
    offered = [Candidate("pk", (Element("id"),))]
    offered += [
        Candidate(f"ix_{n}", (Element("tenant"), Element(f"c{n}")), unique=n % 2 == 0)
        for n in range(candidates - 2)
    ]
    offered.append(
        Candidate("uq", (Element("email"), Element("tenant") if served else Element("kind")))
    )
    return ConflictTarget((Element("tenant"), Element("email"))), tuple(offered)


if __name__ == "__main__":
    main()
