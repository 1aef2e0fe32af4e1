"""How the tests call the API: a program with a token of somebody's."""

from __future__ import annotations

import json
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tertulia.api import actions, allowance
from tertulia.api.models import Token
from tertulia.api.scopes import SCOPES
from tertulia.brand.models import Brand
from tertulia.core import clock
from tertulia.team.models import User


class Program:
    """A client that sends JSON and a token."""

    def __init__(self, secret: str = "", token: Token | None = None) -> None:
        allowance.forget()
        self.secret, self.token, self.client = secret, token, Client(raise_request_exception=False)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """`body` an object to be sent as JSON, or bytes as they are; the answer gets `.data`."""
        if self.secret:
            headers = {"Authorization": f"Bearer {self.secret}", **headers}
        content = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b""
        response = self.client.generic(
            method, f"/api/v1{path}", content, content_type="application/json", headers=headers
        )
        response.data = response.json() if response.content else None
        return response

    def upload(self, path: str, name: str, content: bytes, **fields: str) -> Any:
        """A file as forms of browsers send it."""
        headers = {"Authorization": f"Bearer {self.secret}"} if self.secret else {}
        said = {"file": SimpleUploadedFile(name, content), **fields}
        response = self.client.post(f"/api/v1{path}", said, headers=headers)
        response.data = response.json()
        return response

    def get(self, path: str, **headers: str) -> Any:
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.call("POST", path, body, **headers)

    def put(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.call("PUT", path, body, **headers)

    def delete(self, path: str, **headers: str) -> Any:
        return self.call("DELETE", path, **headers)


def program(user: User, brand: Brand, *scopes: str, **fields: Any) -> Program:
    """A program that acts as the user, with every scope unless told which."""
    fields = {"name": "Prueba", "expires_at": None, "at": clock.now(), **fields}
    token, secret = actions.create_token(user=user, brand=brand, scopes=scopes or SCOPES, **fields)
    return Program(secret, token)
