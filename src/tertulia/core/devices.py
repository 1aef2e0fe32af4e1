"""Which browser somebody uses, in words, from what it says of itself."""

from __future__ import annotations

from django.utils.translation import gettext as _

_BROWSERS = {
    "Edg": "Edge", "OPR/": "Opera", "SamsungBrowser": "Samsung Internet", "Vivaldi": "Vivaldi", "Firefox": "Firefox",
    "FxiOS": "Firefox", "Chrome": "Chrome", "Chromium": "Chromium", "CriOS": "Chrome", "Safari": "Safari",
}  # fmt: skip
_SYSTEMS = {
    "iPhone": "iPhone", "iPad": "iPad", "Android": "Android", "Windows": "Windows", "CrOS": "ChromeOS",
    "Mac OS": "Mac", "Linux": "Linux",
}  # fmt: skip
"""The first that is found names it: most browsers also name those they resemble."""


def named(agent: str) -> str:
    """«Firefox en Windows», or empty where the browser or its system isn't known."""
    browser = next((name for sign, name in _BROWSERS.items() if sign in agent), "")
    system = next((name for sign, name in _SYSTEMS.items() if sign in agent), "")
    return _("{browser} on {system}").format(browser=browser, system=system) if browser and system else ""
