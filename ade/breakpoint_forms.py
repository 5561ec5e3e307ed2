"""What people fill in to have runs stop."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from agents_core.models import BreakpointKind


class BreakpointForm(forms.Form):
    """``facts`` is what ``actions.breakpoints.create`` takes. Which fields a kind has is said by the page's CSS, by the kind's name."""

    kind = forms.ChoiceField(choices=BreakpointKind.choices, label=_("Stop"))
    target = forms.CharField(required=False, max_length=200, label=_("Tool or block"))
    pattern = forms.CharField(required=False, max_length=500, label=_("Text"))
    threshold = forms.IntegerField(required=False, min_value=1, max_value=1000, label=_("Number"))
    condition = forms.CharField(
        required=False,
        max_length=2000,
        label=_("Only if"),
    )
    nth = forms.IntegerField(required=False, min_value=1, max_value=1_000_000, label=_("From hit"), initial=1)
    log = forms.CharField(required=False, max_length=2000, label=_("Only say"))
    everywhere = forms.BooleanField(required=False, label=_("In all agents"))

    def facts(self) -> dict[str, Any]:
        return self.cleaned_data | {"nth": self.cleaned_data["nth"] or 1}
