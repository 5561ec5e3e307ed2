"""Addresses of the websockets."""

from django.urls import URLPattern, URLResolver, path

from ade.consumers import AgentConsumer, AgentsConsumer, ComparisonConsumer, GroupConsumer, ToolsConsumer

websocket_urlpatterns: list[URLPattern | URLResolver] = [
    path("ws/agents/", AgentsConsumer.as_asgi()),
    path("ws/comparisons/<str:comparison_id>/", ComparisonConsumer.as_asgi()),
    path("ws/groups/<str:group_id>/", GroupConsumer.as_asgi()),
    path("ws/tools/", ToolsConsumer.as_asgi()),
    path("ws/agents/<str:agent_id>/", AgentConsumer.as_asgi()),
]
