"""What training leaves and a bundle holds; the verbs of a model stand on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from jointrec.errors import ProjectError, unknown_name
from jointrec.evaluation import Report
from jointrec.network import JointNetwork
from jointrec.plan import Plan
from jointrec.prepare import Prepared, Reader, prepared_of
from jointrec.project import Project
from jointrec.sharing.kept import KeptProducts


@dataclass(frozen=True)
class Learned:
    """Network, project and preparation together.

    :param reader: What is known of every thing at every moment.
    :param networks: For each task the network that answers it. Tasks of one funnel share one.
    :param report: What was measured when it was trained.
    :param declared: The project as it was declared, with its own sources; None where a table was
        in memory, which no file can name.
    """

    reader: Reader
    networks: Mapping[str, JointNetwork]
    report: Report
    declared: Project | None

    @property
    def project(self) -> Project:
        """The project that is answered for."""
        return self.reader.project

    @property
    def plan(self) -> Plan:
        """The grains of the project."""
        return self.reader.plan

    @cached_property
    def prepared(self) -> Prepared:
        """What a network reads, without rows."""
        return prepared_of(self.reader, {})

    @cached_property
    def kept(self) -> KeptProducts:
        """What the network multiplied before, for candidates that come again."""
        return KeptProducts()

    def check_task(self, task: str) -> None:
        """Refuses a task that the project does not have.

        :raises ProjectError: saying which there are.
        """
        if task not in self.project.tasks:
            raise ProjectError(unknown_name("task", task, self.project.tasks, at="tasks"))
