"""Addresses of the websockets."""

from django.urls import URLPattern, URLResolver, path

from ade.block_consumers import BlockConsumer, BlocksConsumer
from ade.consumers import AgentConsumer
from ade.page_consumers import (
    AgentsConsumer,
    BatchConsumer,
    BatchesConsumer,
    ComparisonConsumer,
    GroupConsumer,
    GroupsConsumer,
    NoticesConsumer,
    ToolsConsumer,
)

websocket_urlpatterns: list[URLPattern | URLResolver] = [
    path("ws/agents/", AgentsConsumer.as_asgi()),
    path("ws/batches/", BatchesConsumer.as_asgi()),
    path("ws/batches/<str:batch_id>/", BatchConsumer.as_asgi()),
    path("ws/blocks/", BlocksConsumer.as_asgi()),
    path("ws/blocks/<str:block_id>/", BlockConsumer.as_asgi()),
    path("ws/comparisons/<str:comparison_id>/", ComparisonConsumer.as_asgi()),
    path("ws/groups/", GroupsConsumer.as_asgi()),
    path("ws/groups/<str:group_id>/", GroupConsumer.as_asgi()),
    path("ws/notices/", NoticesConsumer.as_asgi()),
    path("ws/tools/", ToolsConsumer.as_asgi()),
    path("ws/agents/<str:agent_id>/", AgentConsumer.as_asgi()),
]
