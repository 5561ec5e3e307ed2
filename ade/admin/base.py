"""What the tables of the admin panel have in common."""

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agents_core.errors import AgentsError

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

    _ModelAdmin = admin.ModelAdmin[Any]
    _Paginator = Paginator[Any]
else:
    _ModelAdmin = admin.ModelAdmin
    _Paginator = Paginator

COUNTED = 10_000


class CappedPaginator(_Paginator):
    """Counts up to ``COUNTED`` rows and pages through no more: counting millions would hold up each page."""

    most = COUNTED

    @cached_property
    def count(self) -> int:
        rows = cast("QuerySet[Any]", self.object_list)
        return rows.order_by()[:COUNTED].count()


def linked(name: str) -> Callable[[Any, Model], SafeString | str]:
    """A column that leads to the row that the foreign key ``name`` names."""

    @admin.display(description=name)
    def column(self: Any, row: Model) -> SafeString | str:
        other = getattr(row, name)
        if other is None:
            return "—"
        meta = type(other)._meta  # noqa: SLF001  (how Django names its own)
        address = reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[other.pk])
        return format_html('<a href="{}">{}</a>', address, other)

    return column


def opens(address: Callable[[Any], str | None]) -> Callable[[Any, Model], SafeString | str]:
    """A column that leads to the row's page of the IDE, where ``address`` gives one."""

    @admin.display(description=_("in the IDE"))
    def column(self: Any, row: Model) -> SafeString | str:
        found = address(row)
        words = gettext("open")
        return (
            format_html('<a href="{}">{}<span class="visually-hidden"> {}</span></a>', found, words, row)
            if found
            else "—"
        )

    return column


def one_of(field: str, values: Iterable[str]) -> tuple[str, type[admin.FieldListFilter]]:
    """A filter by a text field of which all values are known: to look for those that occur would read the whole table."""

    class Known(admin.FieldListFilter):
        def expected_parameters(self) -> list[str | None]:
            return [field]

        def choices(self, changelist: Any) -> Any:
            chosen = str(self.used_parameters.get(field, [""])[-1])  # type: ignore[index]  # lists of words
            yield {
                "selected": not chosen,
                "query_string": changelist.get_query_string(remove=[field]),
                "display": _("All"),
            }
            for value in values:
                query = changelist.get_query_string({field: value})
                yield {"selected": value == chosen, "query_string": query, "display": value.replace("_", " ")}

    return field, Known


class Written(_ModelAdmin):
    """Rows that only the runtime and the actions write."""

    list_per_page = 50
    show_full_result_count = False
    paginator = CappedPaginator
    show_facets = admin.ShowFacets.NEVER  # Each would count the whole table.

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """Who may press the actions."""
        return bool(request.user.is_superuser)


class Endless(Written):
    """Rows of which there may be millions: sorted only as their index is."""

    sortable_by = ()


class Deletable(Written):
    """Rows that an operator may delete, by the same action as everybody else."""

    delete_by: Callable[[str], Any]

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return bool(request.user.is_superuser)

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        type(self).delete_by(obj.pk)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for key in queryset.values_list("pk", flat=True):
            type(self).delete_by(key)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        return [str(obj) for obj in objs], {self.opts.verbose_name_plural: len(objs)}, set(), []


def operation(
    description: "StrOrPromise", done: "StrOrPromise", each: Callable[[Any], object]
) -> Callable[[Any, HttpRequest, "QuerySet[Any]"], None]:
    """An action on the rows that are ticked: ``each`` is done to one after the other; what refuses is told and holds up no other."""

    @admin.action(description=description, permissions=["operate"])
    def act(self: Any, request: HttpRequest, queryset: "QuerySet[Any]") -> None:
        count = 0
        for row in queryset:
            try:
                each(row)
            except AgentsError as error:
                self.message_user(request, f"{row}: {error.message}", messages.WARNING)
            else:
                count += 1
        if count:
            self.message_user(request, f"{done}: {count}.", messages.SUCCESS)

    return act
