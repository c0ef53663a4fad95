"""Fifty users who ask without a pause: `python tests/load.py http://127.0.0.1:7860 QUESTIONS.jsonl`.

Each of them waits for an answer before asking again. Prints the errors, the times and the server's memory.
With `--users FILE`, a file of lines « nom:mot de passe », each user logs in as one of them.
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import json
import operator
import random
import time
from collections import Counter
from pathlib import Path

import httpx
import numpy as np


async def ask(
    client: httpx.AsyncClient, questions: list[str], until: float, seen: Counter[str]
) -> list[float]:
    """The seconds each answer of one user took."""
    spent = []
    while time.monotonic() < until:
        began = time.monotonic()
        try:
            response = await client.post("/api/answer", json={"question": random.choice(questions)})
            seen[str(response.status_code)] += 1
            if response.status_code == 200:
                spent.append(time.monotonic() - began)
        except httpx.HTTPError as error:
            seen[type(error).__name__] += 1
    return spent


async def load(options: argparse.Namespace) -> None:
    """Runs the users side by side and prints what came of it."""
    questions = [json.loads(line)["question"] for line in options.questions.read_text("utf-8").splitlines()]
    logins = (
        [tuple(line.split(":", 1)) for line in options.users.read_text("utf-8").split()]
        if options.users
        else [None]
    )
    clients = [
        httpx.AsyncClient(base_url=options.url, auth=logins[n % len(logins)], timeout=120)
        for n in range(options.count)
    ]
    seen: Counter[str] = Counter()
    until = time.monotonic() + options.seconds
    times = np.array(
        functools.reduce(
            operator.iadd,
            await asyncio.gather(*(ask(client, questions, until, seen) for client in clients)),
            [],
        )
    )
    await asyncio.gather(*(client.aclose() for client in clients))
    p50, p95 = np.percentile(times, [50, 95]) * 1000
    print(f"{dict(seen)}; {len(times) / options.seconds:.1f} answers/s; p50 {p50:.0f} ms, p95 {p95:.0f} ms")


def resident(pid: int | None) -> str:
    """The resident memory of a process, in MB."""
    if pid is None:
        return ""
    status = Path(f"/proc/{pid}/status").read_text("utf-8")
    return f"{int(status.split('VmRSS:')[1].split()[0]) // 1024} MB"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("questions", type=Path)
    parser.add_argument("--users", type=Path)
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--pid", type=int, help="the server's, to see its memory")
    given = parser.parse_args()
    print("memory before:", resident(given.pid))
    asyncio.run(load(given))
    print("memory after:", resident(given.pid))
