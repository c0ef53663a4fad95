"""Encoding a large corpus on a Ray cluster, each of whose machines has this package installed."""

from __future__ import annotations

import logging
import os
import socket
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from embeddings.encoders.encoder import load_encoder
from embeddings.errors import EmbeddingsError
from embeddings.extras import optional

BATCH = 256
CONNECT_SECONDS = 10


class _Worker:
    """Holds the model on a machine of the cluster."""

    def __init__(self, encoder_name: str) -> None:
        self._encoder = load_encoder(encoder_name)

    def fingerprint(self) -> str:
        return self._encoder.fingerprint

    def encode(self, texts: list[str]) -> np.ndarray:
        return self._encoder.encode_passages(texts)


def encode_on_ray(
    texts: Sequence[str],
    encoder_name: str,
    address: str,
    *,
    progress: Callable[[int], None] | None = None,
) -> np.ndarray:
    """Unit vectors (n, dimension), float32, of passages, in their order.

    `address` is a cluster's (`ray://host:10001`, `host:6379`, `auto`), or `local` for this machine alone.
    The batches of a machine that dies are done again by the others. Raises EmbeddingsError where Ray is
    missing, the cluster does not answer, or a machine of it has another model under that name.
    """
    ray = optional("ray", "ray")
    encoder = load_encoder(encoder_name)
    vectors = np.empty((len(texts), encoder.dimension), np.float32)
    waiting = deque(range(0, len(texts), BATCH))
    done = 0
    with _cluster(ray, address):
        idle = _workers(ray, encoder_name)
        if set(ray.get([worker.fingerprint.remote() for worker in idle])) != {encoder.fingerprint}:
            raise EmbeddingsError(
                f"Une machine de la grappe Ray ({address}) a un autre modèle « {encoder_name} » "
                "que celle-ci : installez partout la même version de Sourcier."
            )
        running: dict[Any, tuple[Any, int]] = {}
        while waiting or running:
            while idle and waiting:
                worker, at = idle.pop(), waiting.popleft()
                running[worker.encode.remote(list(texts[at : at + BATCH]))] = worker, at
            if not running:
                raise EmbeddingsError(f"Toutes les machines de la grappe Ray ({address}) se sont arrêtées.")
            (finished,), _ = ray.wait(list(running), num_returns=1)
            worker, at = running.pop(finished)
            try:
                part = ray.get(finished)
            except ray.exceptions.RayActorError:
                waiting.appendleft(at)
                continue
            idle.append(worker)
            vectors[at : at + len(part)] = part
            done += len(part)
            if progress:
                progress(done)
    return vectors


def _workers(ray: Any, encoder_name: str) -> list[Any]:
    """A worker for each GPU of a machine, or for all of its processors where it has none."""
    near = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy
    workers = []
    for node in ray.nodes():
        processors, gpus = int(node["Resources"].get("CPU", 0)), int(node["Resources"].get("GPU", 0))
        if not node["Alive"] or not processors:
            continue
        actor = ray.remote(_Worker).options(
            num_cpus=max(1, processors // max(1, gpus)),
            num_gpus=min(1, gpus),
            scheduling_strategy=near(node["NodeID"], soft=False),
        )
        workers += [actor.remote(encoder_name) for _ in range(min(max(1, gpus), processors))]
    return workers


@contextmanager
def _cluster(ray: Any, address: str) -> Iterator[None]:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        _reach(address)
        ray.init(address=address, logging_level=logging.ERROR, log_to_driver=False)
        yield
    except (OSError, ValueError, RuntimeError, ray.exceptions.RayError) as error:
        reason = str(error).strip().splitlines()[-1:] or [type(error).__name__]
        raise EmbeddingsError(
            f"Encodage impossible sur la grappe Ray ({address}) : {reason[0]} "
            "(la grappe doit répondre, et Sourcier y être installé sur chaque machine)."
        ) from error
    finally:
        ray.shutdown()


def _reach(address: str) -> None:
    """Raises OSError at once where nothing listens: Ray itself goes on trying for minutes."""
    host, _, port = address.rpartition("/")[2].rpartition(":")
    if port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS).close()
