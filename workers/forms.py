"""What is asked of a plan: by the page, and by the command."""

from __future__ import annotations

from django import forms

from archive.plan import Volume

# Beyond these nobody plans, and figures lose their meaning before they lose their digits.
MOST_PHOTOS, MOST_HOURS, MOST_FPS = 10**12, 10**9, 240


class PlanForm(forms.Form):
    photos = forms.IntegerField(required=False, min_value=0, max_value=MOST_PHOTOS)
    hours = forms.FloatField(required=False, min_value=0, max_value=MOST_HOURS, label="Hours of video")
    fps = forms.FloatField(required=False, min_value=0.001, max_value=MOST_FPS, label="Frames a second")

    def planned(self, fps: float) -> Volume | None:
        """None where neither photos nor hours are named; `fps` is how it is done here."""
        photos, hours = self.cleaned_data["photos"], self.cleaned_data["hours"]
        if photos is None and hours is None:
            return None
        return Volume(photos or 0, hours or 0.0, self.cleaned_data["fps"] or fps)
