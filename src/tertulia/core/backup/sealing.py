"""A file under a passphrase: scrypt makes the key, AES-GCM seals it in pieces of a megabyte.

Each piece is sealed with its number and whether it is the last one, so that none can be changed, left out, doubled or
cut off without being noticed. It can be read at any place, as an archive wants to be.
"""

from __future__ import annotations

import io
import os
from typing import IO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

MAGIC = b"TERTULIA\x01"
SALT, PREFIX, TAG = 16, 7, 16
HEADER = len(MAGIC) + SALT + PREFIX + TAG
PIECE = 1024 * 1024
COST = 2**16
"""64 MB of memory and a fifth of a second for each passphrase that is tried."""


class WrongPassphrase(Exception):
    """The file was sealed with another one."""


class Damaged(Exception):
    """Something of it was changed or is missing."""


def is_sealed(file: IO[bytes]) -> bool:
    """Leaves the file at its beginning."""
    begins = file.read(len(MAGIC)) == MAGIC
    file.seek(0)
    return begins


def _box(passphrase: str, salt: bytes) -> AESGCM:
    return AESGCM(Scrypt(salt=salt, length=32, n=COST, r=8, p=1).derive(passphrase.encode()))


def _nonce(prefix: bytes, number: int, is_last: bool) -> bytes:
    return prefix + number.to_bytes(4) + bytes([is_last])


class Seal(io.RawIOBase):
    """Writes into a file, sealed. `close` ends it and leaves the file open."""

    def __init__(self, file: IO[bytes], passphrase: str) -> None:
        salt, self._prefix = os.urandom(SALT), os.urandom(PREFIX)
        self._file, self._box = file, _box(passphrase, salt)
        self._waiting, self._number = bytearray(), 1
        check = self._box.encrypt(_nonce(self._prefix, 0, False), b"", MAGIC)
        file.write(MAGIC + salt + self._prefix + check)

    def writable(self) -> bool:
        return True

    def write(self, data: bytes | bytearray | memoryview) -> int:  # type: ignore[override]
        self._waiting += data
        while len(self._waiting) > PIECE:
            self._put(bytes(self._waiting[:PIECE]), is_last=False)
            del self._waiting[:PIECE]
        return len(data)

    def _put(self, piece: bytes, *, is_last: bool) -> None:
        self._file.write(self._box.encrypt(_nonce(self._prefix, self._number, is_last), piece, None))
        self._number += 1

    def close(self) -> None:
        if not self.closed:
            self._put(bytes(self._waiting), is_last=True)
        super().close()


class Unsealed(io.RawIOBase):
    """Reads a sealed file. Raises `WrongPassphrase`, `Damaged`."""

    def __init__(self, file: IO[bytes], passphrase: str) -> None:
        header = file.read(HEADER)
        salt = header[len(MAGIC) : len(MAGIC) + SALT]
        self._prefix = header[len(MAGIC) + SALT : -TAG]
        self._file, self._place = file, 0
        size = file.seek(0, io.SEEK_END) - HEADER
        self._pieces = -(-size // (PIECE + TAG))
        self._size = size - self._pieces * TAG
        if self._size < 0 or not self._pieces:
            raise Damaged
        self._box = _box(passphrase, salt)
        try:
            self._box.decrypt(_nonce(self._prefix, 0, False), header[-TAG:], MAGIC)
        except InvalidTag:
            raise WrongPassphrase from None
        self._kept = (-1, b"")
        self._piece(self._pieces - 1)  # cut off, it would have another last piece

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._place = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        return self._place

    def readinto(self, into: memoryview) -> int:  # type: ignore[override]
        if self._place >= self._size:
            return 0
        number, start = divmod(self._place, PIECE)
        said = self._piece(number)[start : start + len(into)]
        into[: len(said)] = said
        self._place += len(said)
        return len(said)

    def _piece(self, number: int) -> bytes:
        if self._kept[0] != number:
            self._file.seek(HEADER + number * (PIECE + TAG))
            is_last = number == self._pieces - 1
            try:
                sealed = self._file.read(PIECE + TAG)
                self._kept = number, self._box.decrypt(_nonce(self._prefix, number + 1, is_last), sealed, None)
            except InvalidTag:
                raise Damaged from None
        return self._kept[1]
