"""What people may send to the publishing room."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from . import queries
from .models import Media


class TimeForm(forms.Form):
    """A day and a time on the wall, of the brand's own zone."""

    on = forms.DateField(label=_("Day"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    time = forms.TimeField(label=_("Time"), widget=forms.TimeInput(attrs={"type": "time"}))


class MoveForm(forms.Form):
    """Another day, and another time where one is given."""

    on = forms.DateField()
    time = forms.TimeField(required=False)


class StopForm(forms.Form):
    because = forms.CharField(label=_("Why"), max_length=300, required=False)
    holds_answers = forms.BooleanField(label=_("Hold answers to people as well"), required=False)


class DecisionForm(forms.Form):
    was_sent = forms.ChoiceField(choices=[("yes", "yes"), ("no", "no")])
    url = forms.URLField(required=False, max_length=500, assume_scheme="https")


class CompletionForm(forms.Form):
    url = forms.URLField(required=False, max_length=500, assume_scheme="https")


class LibraryFilter(forms.Form):
    """Which pictures are looked for."""

    q = forms.CharField(max_length=100, required=False)
    which = forms.ChoiceField(choices=[(name, name) for name in queries.SHELVES], required=False)
    before = forms.IntegerField(min_value=1, max_value=2**62, required=False)


class DetailsForm(forms.ModelForm):  # type: ignore[type-arg]
    """What is known of a picture."""

    class Meta:
        model = Media
        fields = ["alt", "credit", "rights_until", "is_customers", "permission"]
        widgets = {
            "alt": forms.Textarea(attrs={"rows": 3, "maxlength": 1500}),
            "rights_until": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            "permission": forms.Textarea(attrs={"rows": 2, "maxlength": 2000}),
        }
        help_texts = {
            "rights_until": _("The last day. No post can be scheduled with it for a later one."),
            "permission": _("Who said yes, when and where: without it nothing of a customer's is published."),
        }


SHAPES: dict[str, tuple[int, int]] = {"1:1": (1, 1), "4:5": (4, 5), "16:9": (16, 9), "1.91:1": (191, 100)}
"""Width to height as networks like to show pictures."""


class CropForm(forms.Form):
    """How a picture is to be turned, or cut: to a shape, and from where on as shares of its sides in percent."""

    turn = forms.TypedChoiceField(
        label=_("Turn"), choices=[(90, "90"), (180, "180"), (270, "270")], coerce=int, empty_value=0, required=False
    )
    shape = forms.ChoiceField(
        label=_("Shape"), choices=[("", _("free")), *((name, name) for name in SHAPES)], required=False
    )
    left = forms.FloatField(label=_("From the left, %"), min_value=0, max_value=100, required=False)
    top = forms.FloatField(label=_("From above, %"), min_value=0, max_value=100, required=False)
    width = forms.FloatField(label=_("Width, %"), min_value=0, max_value=100, required=False)
    height = forms.FloatField(label=_("Height, %"), min_value=0, max_value=100, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("left", "top", "width", "height"):
            self.fields[name].widget.attrs |= {"step": "0.1", "inputmode": "decimal"}

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if not any(data.get(name) for name in ("turn", "shape", "width", "height")):
            raise forms.ValidationError(_("Choose a shape, or say what is to be left of the picture."))
        return data

    @property
    def wish(self) -> dict[str, Any]:
        """What `library.reshape` is asked for."""
        data = self.cleaned_data
        left, top = (None if data[name] is None else data[name] / 100 for name in ("left", "top"))
        crop = (left, top, (data["width"] or 100) / 100, (data["height"] or 100) / 100)
        return {"turn": data["turn"] or 0, "crop": crop, "shape": SHAPES.get(data["shape"])}
