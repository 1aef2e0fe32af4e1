"""A classifier of the Hugging Face kind on this machine, if the packages for it are installed: nothing is downloaded.

pip install 'tertulia[hf]'          # transformers and torch: some gigabytes
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from django.utils.translation import gettext_noop as _

from tertulia.core.redact import describe

from .answers import FAILED, Said, usable
from .models import Brain

log = logging.getLogger(__name__)

MISSING = _("The packages for it are missing. Install them with: pip install 'tertulia[hf]'")
NOT_THERE = _("The model isn't on this machine: give its folder, or fetch it first with: hf download")
NO_LABEL = _("It gave a label that nothing was said about. Say under Labels what it means.")

SPARE = 2
"""Places that models of the RoBERTa kind count beside those of the text."""

_lock = threading.Lock()


def ask(brain: Brain, texts: Sequence[str]) -> Said:
    """What it says of texts; each label as the brain's own list translates it, into its one field."""
    try:
        with _lock:  # one at a time: it takes all the processor there is
            found = _classifier(brain.model)(list(texts))
    except ImportError:
        return Said(why=MISSING)
    except (OSError, ValueError):
        return Said(why=NOT_THERE)
    except Exception as error:  # noqa: BLE001 — other people's models break in ways nobody foresees
        log.warning("The classifier %s can't read: %s", brain.model, describe(error))
        return Said(why=FAILED)
    [name] = brain.fields[:1] or ["sentiment"]
    values = {}
    for number, label in enumerate(found):
        means = brain.labels.get(label)
        if one := usable({name: _typed(name, means)}, [name], [str(means)]):
            values[number] = one
    return Said(values, "" if values else NO_LABEL, ", ".join(found))


def _typed(name: str, means: Any) -> Any:
    if name in ("offensive", "needs_answer"):
        return {"true": True, "false": False}.get(str(means).lower())
    if name == "urgency":
        return _number(str(means))
    return [means] if name == "topics" else means


def _number(means: str) -> float | None:
    try:
        return float(means.replace(",", "."))
    except ValueError:
        return None


@lru_cache(maxsize=2)
def _classifier(model: str) -> Callable[[list[str]], list[str]]:
    """Raises `ImportError`, and `OSError` or `ValueError` when it isn't here."""
    os.environ["HF_HUB_OFFLINE"] = os.environ["TRANSFORMERS_OFFLINE"] = "1"
    from transformers import pipeline  # type: ignore[import-not-found]  # noqa: PLC0415 — a choice, and slow to load

    made = pipeline("text-classification", model=model, truncation=True, trust_remote_code=False, device=-1)
    longest = getattr(made.model.config, "max_position_embeddings", 0) - SPARE
    if 0 < longest < made.tokenizer.model_max_length:  # many don't say how much they can read, and break over more
        made.tokenizer.model_max_length = longest
    return lambda texts: [str(each["label"]) for each in made(texts)]
