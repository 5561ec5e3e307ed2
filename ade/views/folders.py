"""Files: the folders, a folder's files and agents, and what a person does with them."""

from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from ade.address import text
from ade.folder_page import file_context, files_context, listed_folders, offered_agents
from ade.views.blocks import moved, toast
from ade.views.dialogs import form_of
from agents_core.actions import files, folders
from agents_core.errors import AgentsError, InvalidInput, NotFound
from agents_core.models import Folder

PAGE = 50
_STOP_POLLING = 286


class FolderForm(forms.Form):
    name = forms.CharField(max_length=200)
    description = forms.CharField(required=False, max_length=5000)
    instructions = forms.CharField(required=False, max_length=5000)

    def fields_given(self) -> dict[str, Any]:
        """Raises ``InvalidInput`` with what to do instead."""
        if not self.is_valid():
            raise InvalidInput(_("A folder needs a name of at most 200 characters."))
        words = {name: self.cleaned_data[name].replace("\r\n", "\n") for name in ("description", "instructions")}
        return {"name": self.cleaned_data["name"], **words}


@require_GET
def folder_list(request: HttpRequest) -> HttpResponse:
    """All folders; ``?q=`` narrows them."""
    words = text(request.GET, "q")
    page = Paginator(listed_folders(words), PAGE).get_page(request.GET.get("page"))
    return render(request, "ade/pages/folders.html", {"page": page, "words": words})


@form_of("/folders#new-folder")
def create(request: HttpRequest) -> HttpResponse:
    return moved(request, f"/folders/{folders.create(FolderForm(request.POST).fields_given()).id}")


@require_GET
def folder_page(request: HttpRequest, folder_id: str) -> HttpResponse:
    """A folder's files; ``?file=`` names the one shown beside, as ``?view=`` text or passages, from ``?at=`` on."""
    folder = folders.get(folder_id)
    at = request.GET.get("at", "")
    start = int(at) if at.isdecimal() and len(at) < 9 else 0
    context = {
        **files_context(folder, text(request.GET, "before")),
        **file_context(folder, text(request.GET, "file"), request.GET.get("view", ""), start),
        "agents": offered_agents(folder_id),
    }
    return render(request, "ade/pages/folder.html", context)


@require_GET
def file_table(request: HttpRequest, folder_id: str) -> HttpResponse:
    """The table as it is now, asked for again and again while files are processed."""
    context = files_context(folders.get(folder_id), text(request.GET, "before"))
    status = 200 if context["busy"] else _STOP_POLLING
    return render(request, "ade/partials/_folder_files.html", context, status=status)


def _table(request: HttpRequest, folder: Folder, said: str = "", tone: str = "ok") -> HttpResponse:
    if not request.headers.get("HX-Request"):
        return moved(request, f"/folders/{folder.id}")
    response = render(request, "ade/partials/_folder_files.html", files_context(folder))
    for name, value in (toast(said, tone) if said else {}).items():
        response[name] = value
    return response


@require_POST
def upload(request: HttpRequest, folder_id: str) -> HttpResponse:
    """Takes files; what is wrong with one keeps none of the others away."""
    folder = folders.get(folder_id)
    given = request.FILES.getlist("files")
    if not given:
        raise InvalidInput(_("Choose a file first."))
    refused = []
    for file in given:
        try:
            files.check_size(file.size or 0)
            files.upload(folder_id, file.name or "", file.read())
        except AgentsError as error:
            refused.append(f"{file.name}: {error.message}")
    return _table(request, folder, "\n".join(refused), "bad")


@require_POST
def retry_file(request: HttpRequest, folder_id: str, file_id: str) -> HttpResponse:
    files.retry(file_id, folder_id)
    return _table(request, folders.get(folder_id))


@require_POST
def delete_file(request: HttpRequest, folder_id: str, file_id: str) -> HttpResponse:
    files.delete(file_id, folder_id)
    if f"file={file_id}" in request.headers.get("HX-Current-URL", ""):
        return moved(request, f"/folders/{folder_id}")
    return _table(request, folders.get(folder_id), _("Deleted."))


@require_POST
def save(request: HttpRequest, folder_id: str) -> HttpResponse:
    folders.modify(folder_id, FolderForm(request.POST).fields_given())
    return moved(request, f"/folders/{folder_id}")


@require_POST
def delete(request: HttpRequest, folder_id: str) -> HttpResponse:
    """Deletes the folder with its files, also for the agents that hold it."""
    folders.delete(folder_id)
    return moved(request, "/folders")


# --- agents -------------------------------------------------------------------------------------------------------


@require_GET
def agents_of_folder(request: HttpRequest, folder_id: str) -> HttpResponse:
    """The agents that hold the folder or could; ``?q=`` narrows them by name."""
    return _agents(request, folders.get(folder_id), text(request.GET, "q"))


@require_POST
def give(request: HttpRequest, folder_id: str, agent_id: str, what: str) -> HttpResponse:
    """Attaches the folder to an agent, or detaches it, as ``what`` says."""
    _chosen({"attach": folders.attach, "detach": folders.detach}, what)(agent_id, folder_id)
    return _agents(request, folders.get(folder_id), text(request.POST, "q"))


def _chosen(actions: dict[str, Any], what: str) -> Any:
    if what not in actions:
        raise NotFound(_("There is nothing at this address."))
    return actions[what]


def _agents(request: HttpRequest, folder: Folder, words: str) -> HttpResponse:
    context = {"folder": folder, "agents": offered_agents(folder.id, words)}
    return render(request, "ade/partials/_folder_agents.html", context)


@require_POST
def attach_chosen(request: HttpRequest, agent_id: str) -> HttpResponse:
    """Gives the agent the folder that was chosen in its files panel; the socket shows it."""
    folder_id = text(request.POST, "folder")
    if not folder_id:
        raise InvalidInput(_("Choose a folder first."))
    folders.attach(agent_id, folder_id)
    return HttpResponse(status=204, headers=toast(_("The agent sees the folder from its next step on.")))


@require_POST
def open_or_close(request: HttpRequest, agent_id: str, file_id: str, what: str) -> HttpResponse:
    """Opens or closes a file for the agent, as ``what`` says; the socket shows it."""
    closed = _chosen({"open": files.open_file, "close": files.close_file}, what)(agent_id, file_id)
    return HttpResponse(
        status=204, headers=toast(_("Closed for it: {closed}.").format(closed=", ".join(closed))) if closed else {}
    )
