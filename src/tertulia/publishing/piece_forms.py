"""What people may send about saved pieces."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from tertulia.brand.models import Brand

from .models import SavedPiece


class PieceForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = SavedPiece
        fields = ["title", "kind", "text"]
        labels = {"title": _("Title"), "kind": _("Kind"), "text": _("Text")}
        widgets = {"text": forms.Textarea(attrs={"rows": 6})}
        help_texts = {
            "title": _("What you type after / to put it in."),
            "text": _("{marca} is the brand, {enlace:Tienda} your short link of that name."),
        }

    def __init__(self, *args: Any, brand: Brand, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.instance.brand = brand

    def clean_title(self) -> str:
        title: str = self.cleaned_data["title"].strip()
        taken = SavedPiece.objects.filter(brand=self.instance.brand, title=title).exclude(pk=self.instance.pk)
        if taken.exists():
            raise ValidationError(_("There is a saved piece of that title already."))
        return title
