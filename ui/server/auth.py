"""Who may come in: a file of users with hashed passwords. `python -m ui.server.auth NOM` writes a line of it."""

from __future__ import annotations

import base64
import binascii
import getpass
import hashlib
import hmac
import re
import secrets
import sys
import time
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from fastapi import Request

from qa.errors import SourcierError

LOCAL_USER = "local"
"""The one user where nobody has to log in."""

RESERVED = f"«\u00a0{LOCAL_USER}\u00a0» désigne qui se sert de Sourcier sans mot de passe\u00a0; choisissez un autre nom."
"""Why that name is refused to those who log in."""

USER_KEY = "sourcier.user"
"""Where `RequireUser` leaves the user's name in the ASGI scope."""

SESSION_SECONDS = 7 * 24 * 3600
MIN_PASSWORD = 8
MAX_PASSWORD = 1000
"""The longest password: putting accents together takes a time that grows as the square of the length."""

_MAX_TYPED_NAME = 256
_MAX_HEADER = 8_000
_MAX_SESSIONS = 10_000
_NAME = re.compile(r"[^\s:\x00-\x1f]{1,64}")
_LINE = re.compile(r"\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([\w+/]+)\$([\w+/]+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Hashed:
    """A password as scrypt keeps it: cost 2**`log_n`, block size `r`, parallelism `p`, salt and key."""

    log_n: int
    r: int
    p: int
    salt: bytes
    key: bytes

    def matches(self, password: str) -> bool:
        """Whether this is the password, in a time that does not depend on where it differs."""
        return hmac.compare_digest(self.key, _scrypt(password, self.salt, self.log_n, self.r, self.p))

    def __str__(self) -> str:
        salt, key = (base64.b64encode(part).decode().rstrip("=") for part in (self.salt, self.key))
        return f"$scrypt$ln={self.log_n},r={self.r},p={self.p}${salt}${key}"


def _scrypt(password: str, salt: bytes, log_n: int, r: int, p: int) -> bytes:
    typed = unicodedata.normalize("NFC", password).encode()
    memory = 128 * (1 << log_n) * r + 128 * r * p + (1 << 20)
    return hashlib.scrypt(typed, salt=salt, n=1 << log_n, r=r, p=p, maxmem=memory, dklen=32)


def hash_password(password: str, *, log_n: int = 15) -> Hashed:
    """The password hashed with a salt of its own; about 0.2 s and 32 MB at the default cost."""
    salt = secrets.token_bytes(16)
    return Hashed(log_n, 8, 3, salt, _scrypt(password, salt, log_n, 8, 3))


class Users:
    """The users of a file, and those of them who are logged in, until the server stops."""

    def __init__(self, users: dict[str, Hashed]) -> None:
        self._users = users
        self._nobody = hash_password(secrets.token_hex(), log_n=max(h.log_n for h in users.values()))
        self._sessions: dict[str, tuple[str, float]] = {}
        self._known: dict[str, bytes] = {}
        self._key = secrets.token_bytes(32)

    def recognise(self, name: str, password: str) -> str | None:
        """The user, where this password has been found right before; costs nothing."""
        if _too_long(name, password):
            return None
        name = unicodedata.normalize("NFC", name)
        return name if hmac.compare_digest(self._known.get(name, b""), self._mark(name, password)) else None

    def check(self, name: str, password: str) -> str | None:
        """The user, where this is their password; takes as long for a name that does not exist."""
        if _too_long(name, password):
            return None
        name = unicodedata.normalize("NFC", name)
        right = self._users.get(name, self._nobody).matches(password)
        if not right or name not in self._users:
            return None
        self._known[name] = self._mark(name, password)
        return name

    def _mark(self, name: str, password: str) -> bytes:
        return hmac.digest(self._key, f"{name}\0{password}".encode("utf-8", "replace"), "sha256")

    def open_session(self, name: str) -> str:
        """The secret of a new session, for a cookie."""
        now = time.monotonic()
        kept = [(s, about) for s, about in self._sessions.items() if about[1] > now][-_MAX_SESSIONS:]
        secret = secrets.token_urlsafe(32)
        self._sessions = {**dict(kept), secret: (name, now + SESSION_SECONDS)}
        return secret

    def close_session(self, secret: str) -> None:
        """Ends a session."""
        self._sessions.pop(secret, None)

    def of_session(self, secret: str) -> str | None:
        """The user of a session, None where it has ended."""
        name, until = self._sessions.get(secret, ("", 0.0))
        return name if until > time.monotonic() else None

    def identify(self, request: Request) -> str | None:
        """The user behind this request, as `RequireUser` knows them."""
        return request.scope.get(USER_KEY)


def _too_long(name: str, password: str) -> bool:
    """Whether nobody has this name, or this password, before any work on them."""
    return len(name) > _MAX_TYPED_NAME or len(password) > MAX_PASSWORD


def user_of(request: Request) -> str:
    """The user behind a request of the API."""
    return str(request.scope.get(USER_KEY) or LOCAL_USER)


def credentials(header: str) -> tuple[str, str] | None:
    """Name and password of an `Authorization` header: Basic, or Bearer with « nom:mot de passe » as the key."""
    if len(header) > _MAX_HEADER:
        return None
    scheme, _, value = header.strip().partition(" ")
    if scheme.lower() == "basic":
        try:
            value = base64.b64decode(value.strip(), validate=True).decode()
        except (binascii.Error, ValueError):
            return None
    elif scheme.lower() == "bearer":
        value = value.encode("latin-1", "replace").decode("utf-8", "replace")
    else:
        return None
    name, colon, password = value.strip().partition(":")
    return (name, password) if colon else None


def load_users(path: Path) -> Users:
    """The users of a file of lines « nom:empreinte »; raises SourcierError in one French line."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SourcierError(
            f"Le fichier des utilisateurs {path} est illisible\u00a0: vérifiez-le, ou créez-le avec les "
            "lignes qu’écrit «\u00a0python -m ui.server.auth NOM\u00a0»."
        ) from error
    users: dict[str, Hashed] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        name, _, rest = line.strip().partition(":")
        hashed = _parsed(rest)
        if not _NAME.fullmatch(name) or hashed is None:
            raise SourcierError(
                f"{path}, ligne {number}\u00a0: il faut «\u00a0nom:empreinte\u00a0», "
                "comme l’écrit «\u00a0python -m ui.server.auth NOM\u00a0»."
            )
        name = unicodedata.normalize("NFC", name)
        if name in users:
            raise SourcierError(f"{path}, ligne {number}\u00a0: «\u00a0{name}\u00a0» y est déjà.")
        if name == LOCAL_USER:
            raise SourcierError(f"{path}, ligne {number}\u00a0: {RESERVED}")
        users[name] = hashed
    if not users:
        raise SourcierError(
            f"{path} ne nomme personne\u00a0: ajoutez une ligne par «\u00a0python -m ui.server.auth NOM\u00a0»."
        )
    return Users(users)


def _parsed(text: str) -> Hashed | None:
    match = _LINE.fullmatch(text.strip())
    if not match:
        return None
    log_n, r, p = (int(match[n]) for n in (1, 2, 3))
    try:
        salt, key = (base64.b64decode(f"{match[n]}===") for n in (4, 5))
    except binascii.Error:
        return None
    sound = 10 <= log_n <= 20 and 1 <= r <= 32 and 1 <= p <= 16 and len(salt) >= 8 and len(key) == 32
    return Hashed(log_n, r, p, salt, key) if sound else None


def main(arguments: list[str]) -> int:
    """Asks for a password twice and prints the user's line; 1 where it cannot."""
    if len(arguments) != 1 or not _NAME.fullmatch(arguments[0]):
        print("Usage\u00a0: python -m ui.server.auth NOM  (sans espace ni deux-points)", file=sys.stderr)
        return 1
    if arguments[0] == LOCAL_USER:
        print(RESERVED, file=sys.stderr)
        return 1
    password = getpass.getpass("Mot de passe\u00a0: ")
    if len(password) < MIN_PASSWORD:
        print(f"Mot de passe trop court\u00a0: {MIN_PASSWORD} caractères au moins.", file=sys.stderr)
        return 1
    if len(password) > MAX_PASSWORD:
        print(f"Mot de passe trop long\u00a0: {MAX_PASSWORD} caractères au plus.", file=sys.stderr)
        return 1
    if getpass.getpass("Encore une fois\u00a0: ") != password:
        print("Les deux mots de passe diffèrent\u00a0: recommencez.", file=sys.stderr)
        return 1
    print(f"{arguments[0]}:{hash_password(password)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
