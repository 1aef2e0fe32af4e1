from datetime import UTC, datetime

from django import forms
from django.template import Context, Template
from django.utils.translation import override

from tertulia.core import dates

NOON = datetime(2026, 11, 22, 11, 0, tzinfo=UTC)


class Shape(forms.Form):
    name = forms.CharField(required=False, widget=forms.TextInput(attrs={"autofocus": True}))
    email = forms.EmailField()
    colour = forms.ChoiceField(choices=[("red", "red")])


def test_djangos_own_messages_are_said_with_tu():
    with override("es"):
        errors = Shape({"email": "ana@", "colour": "blue"}).errors
        assert errors["email"] == ["Esa dirección de correo no es válida. Revísala: nombre@empresa.es."]
        assert errors["colour"] == ["«blue» no está entre las opciones. Elige una de la lista."]


def test_the_first_wrong_field_gets_the_focus():
    form = Shape({"email": "ana@", "colour": "blue"})
    drawn = [Template("{% field form." + name + " %}").render(Context({"form": form})) for name in form.fields]
    assert ["autofocus" in each for each in drawn] == [False, True, False]


def test_a_form_without_errors_keeps_its_own_focus():
    drawn = Template("{% field form.name %}{% field form.email %}").render(Context({"form": Shape()}))
    assert drawn.count("autofocus") == 1


def test_days_are_written_as_in_a_sentence():
    with override("es"):
        assert dates.full(NOON, zone="Europe/Madrid") == "domingo, 22 de noviembre de 2026, 12:00 (Europe/Madrid)"
        assert dates.day_heading(NOON.date(), today=datetime(2026, 12, 1).date()) == "Domingo, 22 de noviembre"
    with override("en"):
        assert dates.full(NOON, zone="Europe/Madrid") == "Sunday, 22 November 2026, 12:00 (Europe/Madrid)"


def test_a_moment_to_come_has_its_hour():
    with override("es"):
        assert dates.until(NOON.replace(hour=14), now=NOON, zone="Europe/Madrid") == "15:00"
        assert dates.until(NOON.replace(day=23, hour=8), now=NOON, zone="Europe/Madrid") == "mañana 09:00"
