"""What becomes of the addresses in a post: short links of its own for each account, or the same with UTM on them; and
of those in an answer to somebody.

A version has one link for each address, which stays when the post is laid out again. Nothing that exists already on an
address is overridden, and what can't be shortened leaves as it was written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from tertulia.channels.models import Account, Message
from tertulia.connectors import registry

from . import addresses, handles
from .models import Link, LinkChoice, LinkSettings, Post, Version
from .models.links import CODE_LENGTH, new_code

SOCIAL, EMAIL = "social", "email"
_TO_COME = "x" * CODE_LENGTH

Rewrite = Callable[[str], str]


def settings_of(brand_id: int) -> LinkSettings:
    return LinkSettings.objects.filter(brand=brand_id).first() or LinkSettings(brand_id=brand_id)


def choices_of(post: Post) -> dict[str, bool]:
    """What was decided for addresses of this post alone."""
    return dict(post.link_choices.values_list("target", "is_short"))


def choose(post: Post, choices: Mapping[str, bool]) -> None:
    """Put these in the place of what was decided before."""
    fitting = {target: is_short for target, is_short in choices.items() if len(target) <= addresses.LONGEST}
    post.link_choices.all().delete()
    LinkChoice.objects.bulk_create(
        LinkChoice(post=post, target=target, is_short=is_short) for target, is_short in fitting.items()
    )


def is_short(address: str, settings: LinkSettings, choices: Mapping[str, bool]) -> bool:
    return addresses.may_lead_to(address) and choices.get(addresses.plain(address), settings.shortens)


def utm(settings: LinkSettings, *, post: Post | None, account: Account) -> dict[str, str]:
    """Nothing unless the brand wants it, or the post belongs to a campaign."""
    campaign = post.campaign if post else None
    if not settings.adds_utm and campaign is None:
        return {}
    rule = account.capabilities.publishes
    return {
        "utm_source": handles.network_of(account), "utm_medium": EMAIL if rule and rule.by_letter else SOCIAL,
        "utm_campaign": campaign.tag if campaign else "", "utm_content": str(post.pk) if post else "0",
    }  # fmt: skip


def sources(account: Account) -> set[str]:
    """What `utm_source` addresses of an account may carry: those of before it was the network say its kind."""
    is_installed = account.kind in registry.all_connectors()
    return {account.kind, handles.network_of(account) if is_installed else account.kind}


# As it will leave, without making anything.


def foreseen(
    texts: Sequence[str],
    *,
    brand_id: int,
    post: Post | None,
    account: Account,
    choices: Mapping[str, bool] | None = None,
) -> Rewrite:
    """How these texts will read on an account: with its links as they are, or as long as they will be."""
    if not _has_addresses(texts):
        return str
    settings = settings_of(brand_id)
    choices = (choices_of(post) if post else {}) if choices is None else choices
    codes = _codes(post, account) if post else {}
    return _rewrite(
        settings, choices, utm(settings, post=post, account=account),
        lambda target: addresses.short(codes.get(target, _TO_COME)),
    )  # fmt: skip


def _has_addresses(texts: Sequence[str]) -> bool:
    return any("://" in text for text in texts)


def _codes(post: Post, account: Account) -> dict[str, str]:
    mine = Link.objects.filter(version__post=post, version__account=account, arm="", ended_at__isnull=True)
    return dict(mine.values_list("target", "code"))


def _rewrite(
    settings: LinkSettings, choices: Mapping[str, bool], tags: Mapping[str, str], short: Callable[[str], str]
) -> Rewrite:
    def replace(address: str) -> str:
        if is_short(address, settings, choices):
            return short(addresses.plain(address))
        return address if not tags or addresses.is_ours(address) else _tagged(address, tags)

    return lambda text: addresses.replaced(text, replace)


def _tagged(address: str, tags: Mapping[str, str]) -> str:
    try:
        return addresses.tagged(address, tags)
    except ValueError:  # it is no address after all, and `checks` says that it looks broken
        return address


# As it leaves.


def laid_out(version: Version, parts: list[dict[str, Any]], *, by: int | None, at: datetime) -> list[dict[str, Any]]:
    """Parts of a version with the links that they leave with; those that aren't there yet are made. The other wording
    of a newsletter has links of its own, to be counted apart."""
    others = [said["b"]["text"] for said in parts if "b" in said]
    if not _has_addresses([*others, *(said["text"] for said in parts)]):
        return parts
    post = version.post
    settings, choices = settings_of(post.brand_id), choices_of(post)
    tags = utm(settings, post=post, account=version.account)

    def through(arm: str) -> Rewrite:
        def short(target: str) -> str:
            return addresses.short(_link(version, target, tags, arm=arm, by=by, at=at).code)

        return _rewrite(settings, choices, tags, short)

    rewrite, other = through(""), through("b")
    return [
        {**said, "text": rewrite(said["text"])}
        | ({"b": {**said["b"], "text": other(said["b"]["text"])}} if "b" in said else {})
        for said in parts
    ]


def _link(version: Version, target: str, tags: Mapping[str, str], *, arm: str, by: int | None, at: datetime) -> Link:
    post = version.post
    carried = {
        "source": tags.get("utm_source", ""), "medium": tags.get("utm_medium", ""),
        "utm_campaign": tags.get("utm_campaign", ""), "content": tags.get("utm_content", ""),
        "campaign": post.campaign, "post": post,
    }  # fmt: skip
    there = {"version": version, "target": target, "arm": arm, "ended_at": None}
    if mine := Link.objects.filter(version=version, target=target, arm=arm, ended_at__isnull=True).first():
        Link.objects.filter(pk=mine.pk).update(**carried)
        return mine
    return Link.objects.create(
        brand_id=post.brand_id, code=free_code(), created_by_id=by, created_at=at, **there, **carried
    )


# In answers to people.


def in_answer(text: str, *, answer: Message, by: int | None, at: datetime) -> str:
    """What somebody wrote with the links that the answer has already, and with new ones where the brand wants them."""
    if not _has_addresses([text]):
        return text
    account = answer.account
    settings = settings_of(account.brand_id)
    there = Link.objects.filter(reply_id=answer.pk, ended_at__isnull=True)
    codes = dict(there.values_list("target", "code"))
    tags = utm(settings, post=None, account=account)

    def replace(address: str) -> str:
        if not addresses.may_lead_to(address):
            return address
        target = addresses.plain(address)
        if target not in codes and settings.shortens_answers:
            codes[target] = Link.objects.create(
                brand_id=account.brand_id, code=free_code(), target=target, reply_id=answer.pk, created_by_id=by,
                created_at=at, source=tags.get("utm_source", ""), medium=tags.get("utm_medium", ""),
                content=f"answer-{answer.pk}" if tags else "",
            ).code  # fmt: skip
        return addresses.short(codes[target]) if target in codes else address

    return addresses.replaced(text, replace)


def as_written(text: str, *, answer: Message) -> str:
    """A text of an answer with the addresses that its links lead to, to be written anew from."""
    if not _has_addresses([text]):
        return text
    mine = Link.objects.filter(reply_id=answer.pk).values_list("code", "target")
    targets = {addresses.short(code): target for code, target in mine}
    return addresses.replaced(text, lambda address: targets.get(address, address))


def free_code() -> str:
    code = new_code()
    while Link.objects.filter(code=code).exists():
        code = new_code()
    return code
