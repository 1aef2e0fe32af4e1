from django import template

from tertulia.team.models import Skill

register = template.Library()


@register.simple_tag
def skill_name(names: dict[tuple[str, str], str], skill: Skill) -> str:
    """How what somebody knows is called on the page: «Inglés» for en, «Nuestra página» for site."""
    return names.get((skill.kind, skill.value), skill.value)
