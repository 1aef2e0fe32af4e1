"""The matrix of roles and rights, written out: a change of it must be meant."""

import pytest

from tertulia.team.access import brand_required
from tertulia.team.permissions import PERMISSIONS, Role, allows, may_grant, table

M, E, A, D, R, V = Role.MANAGER, Role.EXPERT, Role.APPROVER, Role.DIRECTOR, Role.READER, Role.ADVISER
MATRIX = {
    "inbox.read": {M, E, A, D, R, V},
    "inbox.reply": {M, E, A},
    "inbox.note": {M, E, A, D, V},
    "inbox.organise": {M, E, A},
    "inbox.settings": {M},
    "publishing.read": {M, E, A, D, R, V},
    "publishing.write": {M, E, A},
    "publishing.publish": {M, A},
    "publishing.stop": {M, A, D},
    "publishing.settings": {M},
    "people.read": {M, E, A, D, R, V},
    "people.edit": {M, E, A},
    "people.data": {M, D},
    "channels.manage": {M},
    "team.read": {M, E, A, D, R, V},
    "team.manage": {M},
    "brand.manage": {M, D},
    "brand.create": {M},
    "api.manage": {M},
}


def test_matrix_names_every_permission():
    assert set(MATRIX) == set(PERMISSIONS)


@pytest.mark.parametrize("permission", PERMISSIONS)
@pytest.mark.parametrize("role", Role)
def test_role_has_exactly_these_rights(role, permission):
    assert allows(role, permission) is (role in MATRIX[permission])


def test_permission_with_a_slip_is_an_error_not_a_refusal():
    with pytest.raises(KeyError):
        allows(Role.MANAGER, "inbox.repply")
    with pytest.raises(LookupError):
        brand_required("inbox.repply")


def test_nobody_grants_a_right_they_lack():
    for role in Role:
        for granted in may_grant(role):
            assert {p for p, roles in MATRIX.items() if granted in roles} <= {p for p, r in MATRIX.items() if role in r}
    assert Role.MANAGER not in may_grant(Role.DIRECTOR)
    assert may_grant(Role.READER) == [Role.READER]


def test_templates_ask_by_room():
    assert table("expert")["inbox"] == {
        "read": True, "reply": True, "note": True, "organise": True, "settings": False,
    }  # fmt: skip
