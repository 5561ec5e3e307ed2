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
from agents_core.models.archives import Archive, Passage, PassageTerm, PassageVersion
from agents_core.models.base import new_id
from agents_core.models.blocks import Author, Block, BlockProposal, BlockVersion, ProposalStatus
from agents_core.models.branches import Branch, Cause, Fork
from agents_core.models.comparisons import Comparison, Experiment, ExperimentStatus, Variant
from agents_core.models.debugger import Breakpoint, BreakpointKind, Intervention, Pause, PauseStage
from agents_core.models.events import Event
from agents_core.models.files import PROCESSING, AgentFile, AgentFolder, File, FileContent, FileStatus, Folder
from agents_core.models.groups import SLEEPTIME_GROUPS, Group, GroupAgent, GroupKind, GroupTurn, RunWait
from agents_core.models.mcp import McpKind, McpServer, McpSignIn, McpTool
from agents_core.models.messages import WAITING, Message, MessageTerm, MessageVector, MessageVersion, Role
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
from agents_core.models.watches import Watch

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
    "Branch",
    "Breakpoint",
    "BreakpointKind",
    "CaseStatus",
    "Cause",
    "Comparison",
    "Conversation",
    "Event",
    "Eviction",
    "Expectation",
    "Experiment",
    "ExperimentStatus",
    "File",
    "FileContent",
    "FileStatus",
    "Folder",
    "Fork",
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
    "MessageVersion",
    "Passage",
    "PassageTerm",
    "PassageVersion",
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
    "Variant",
    "Watch",
    "new_id",
]
