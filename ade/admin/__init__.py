"""The operators' view of the rows. What agents and people do goes through the IDE and the API; here one looks, stops and cleans up.

Rows that the runtime writes (runs, steps, the record) can be read and not edited: a changed record would lie. What can be done to a row is
done by the same actions as everywhere, so that its events are told.
"""

from django.apps import apps
from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from ade.admin import agents, history, memory, tools, work
from ade.admin.base import Endless

__all__ = ["agents", "history", "memory", "tools", "work"]

PARTS = frozenset(
    {
        *("agentarchive", "agentblock", "agentfile", "agentfolder", "agenttool", "groupagent", "mcptool", "runwait"),
        *("blob", "filecontent", "mcpsignin", "messageterm", "messagevector", "passageterm", "segment"),
    }
)
"""Models of which a person sees nothing by itself: links between rows, and what stands behind one."""


class Undescribed(Endless):
    """A table of which no file here says what its columns are."""

    search_fields = ("=pk",)


class OfAnother(Endless):
    """As ``Undescribed``, of a table whose key is another row's."""

    search_fields = ("=pk__pk",)


for model in apps.get_app_config("agents_core").get_models():
    if model not in admin.site._registry and model._meta.model_name not in PARTS:  # noqa: SLF001
        key = model._meta.pk  # noqa: SLF001
        admin.site.register(model, OfAnother if key is not None and key.is_relation else Undescribed)

admin.site.site_header = _("Mnemoscope operators")
admin.site.site_title = "Mnemoscope"
admin.site.index_title = _("What is stored")
admin.site.site_url = "/agents"
