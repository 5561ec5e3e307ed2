"""Addresses of the websockets."""

from django.urls import URLPattern, URLResolver, path

from ade.consumers import AgentConsumer, AgentsConsumer, GroupConsumer, NoticesConsumer, ToolsConsumer

websocket_urlpatterns: list[URLPattern | URLResolver] = [
    path("ws/agents/", AgentsConsumer.as_asgi()),
    path("ws/groups/<str:group_id>/", GroupConsumer.as_asgi()),
    path("ws/notices/", NoticesConsumer.as_asgi()),
    path("ws/tools/", ToolsConsumer.as_asgi()),
    path("ws/agents/<str:agent_id>/", AgentConsumer.as_asgi()),
]
