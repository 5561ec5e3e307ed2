"""The operators' view of the rows. What agents and people do goes through the IDE and the API; here one looks, stops and cleans up.

Rows that the runtime writes (runs, steps, the record) can be read and not edited: a changed record would lie. What can be done to a row is
done by the same actions as everywhere, so that its events are told.
"""

from django.contrib import admin

from ade.admin import agents, history, memory, tools, work

__all__ = ["agents", "history", "memory", "tools", "work"]

admin.site.site_header = "Mnemoscope operators"
admin.site.site_title = "Mnemoscope"
admin.site.index_title = "What is stored"
admin.site.site_url = "/agents"
