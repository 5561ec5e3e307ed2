"""Floor 2: the domain in the ORM. Rules that the database can keep are constraints here."""

from agents_core.models.agents import (
    Agent,
    AgentArchive,
    AgentBlock,
    AgentKind,
    AgentTool,
    AgentVariable,
    Conversation,
)
from agents_core.models.archives import Archive, Passage, PassageTerm
from agents_core.models.base import new_id
from agents_core.models.blocks import Author, Block, BlockProposal, BlockVersion, ProposalStatus
from agents_core.models.debugger import Breakpoint, BreakpointKind, Intervention, Pause, PauseStage
from agents_core.models.events import Event
from agents_core.models.files import PROCESSING, AgentFile, AgentFolder, File, FileContent, FileStatus, Folder
from agents_core.models.groups import SLEEPTIME_GROUPS, Group, GroupAgent, GroupKind, GroupTurn, RunWait
from agents_core.models.mcp import McpKind, McpServer, McpSignIn, McpTool
from agents_core.models.messages import WAITING, Message, MessageTerm, MessageVector, Role
from agents_core.models.providers import HandleMapping, ProviderAccount, TokenRatio
from agents_core.models.record import Blob, Eviction, MemorySearch, Segment, SegmentKind
from agents_core.models.runs import (
    ACTIVE,
    Run,
    RunStatus,
    Step,
    StepKind,
    StepStatus,
    ToolCall,
    ToolCallStatus,
)
from agents_core.models.schedules import Batch, Schedule
from agents_core.models.tool_lab import CaseStatus, Expectation, ToolCase, ToolVersion
from agents_core.models.tools import Tool, ToolType, ToolVariable

__all__ = [
    "ACTIVE",
    "PROCESSING",
    "SLEEPTIME_GROUPS",
    "WAITING",
    "Agent",
    "AgentArchive",
    "AgentBlock",
    "AgentFile",
    "AgentFolder",
    "AgentKind",
    "AgentTool",
    "AgentVariable",
    "Archive",
    "Author",
    "Batch",
    "Blob",
    "Block",
    "BlockProposal",
    "BlockVersion",
    "Breakpoint",
    "BreakpointKind",
    "CaseStatus",
    "Conversation",
    "Event",
    "Eviction",
    "Expectation",
    "File",
    "FileContent",
    "FileStatus",
    "Folder",
    "Group",
    "GroupAgent",
    "GroupKind",
    "GroupTurn",
    "HandleMapping",
    "Intervention",
    "McpKind",
    "McpServer",
    "McpSignIn",
    "McpTool",
    "MemorySearch",
    "Message",
    "MessageTerm",
    "MessageVector",
    "Passage",
    "PassageTerm",
    "Pause",
    "PauseStage",
    "ProposalStatus",
    "ProviderAccount",
    "Role",
    "Run",
    "RunStatus",
    "RunWait",
    "Schedule",
    "Segment",
    "SegmentKind",
    "Step",
    "StepKind",
    "StepStatus",
    "TokenRatio",
    "Tool",
    "ToolCall",
    "ToolCallStatus",
    "ToolCase",
    "ToolType",
    "ToolVariable",
    "ToolVersion",
    "new_id",
]
